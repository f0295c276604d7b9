"""What passes between the app and its terminal: keys and pastes in, frames out, and the end of either."""
