"""The command palette: every action by its name, its key, or another word for it."""
