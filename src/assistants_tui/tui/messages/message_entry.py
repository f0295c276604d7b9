"""A message in its place in the view, with what has been drawn of it."""

from textual.strip import Strip

from .message_body import MessageBody, MessageItem


class MessageEntry:
    """A message of the view, and its lines while they are at hand."""

    __slots__ = ("body", "item", "serial", "strips")

    def __init__(self, item: MessageItem, serial: int) -> None:
        self.item = item
        self.serial = serial  # stays when messages come before it; selections are made of these
        self.body: MessageBody | None = None
        self.strips: dict[tuple[int, bool], Strip] = {}  # by line, and whether it is under the cursor

    def forget(self) -> None:
        self.body = None
        self.strips.clear()

    def forget_strips(self, start: int, stop: int) -> None:
        """The lines from `start` on have changed; there were `stop` lines."""
        if stop - start > len(self.strips):
            self.strips.clear()
            return
        for row in range(start, stop):
            self.strips.pop((row, False), None)
            self.strips.pop((row, True), None)
