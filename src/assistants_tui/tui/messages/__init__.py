"""The messages of a thread as lines: what is drawn of them, where the reader is, and the view itself."""
