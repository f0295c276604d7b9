"""The Assistants API as this app asks for it: the way to a server, and its objects by kind."""
