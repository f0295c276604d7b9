"""Messages that mean the same wherever they come from."""

from textual.message import Message


class ComposerWanted(Message):
    """The user is done elsewhere and wants to write."""
