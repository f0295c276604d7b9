"""What client and engine both know of the Assistants API. Imports nothing else of this program."""
