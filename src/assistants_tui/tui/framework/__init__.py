"""What this app changes in Textual: an exception does not end it, timers always ring, painting costs less."""
