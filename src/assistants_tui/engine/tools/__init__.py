"""The tools that a run may call on the server: code interpreter and file search."""
