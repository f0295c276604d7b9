"""A message in its place in the view, with what has been drawn of it."""

from collections.abc import Callable

from textual.strip import Strip

from assistants_tui.tui.markdown import CodeBlock, code_blocks

from .message_body import MessageBody, MessageItem, estimated_height


class MessageEntry:
    """A message of the view, and its lines while they are at hand.

    The view knows of a message what is said here: its height for a width, its lines, and how to bring them up
    to date. What else may stand between messages is another class with the same methods.
    """

    __slots__ = ("_body", "item", "serial", "strips")

    def __init__(self, item: MessageItem, serial: int) -> None:
        self.item = item
        self.serial = serial
        """Its number in the view, which stays when messages come before it."""
        self.strips: dict[tuple[int, bool], Strip] = {}
        """Painted lines, by their number and whether the message is under the cursor."""
        self._body: MessageBody | None = None

    @property
    def body(self) -> MessageBody:
        """The lines. They must be at hand."""
        assert self._body is not None
        return self._body

    @property
    def at_hand(self) -> bool:
        """Whether lines are drawn."""
        return self._body is not None

    @property
    def behind(self) -> bool:
        """Whether some lines are still to be drawn."""
        return self._body is not None and self._body.behind

    def estimated_height(self, width: int) -> int:
        """About how many lines it will have, without drawing them."""
        return estimated_height(self.item, width)

    def draw(self, width: int, enough: Callable[[], bool]) -> None:
        """Draw the lines for a width, until `enough` is true."""
        self._body = MessageBody(self.item, width, enough)

    def draw_changes(self, enough: Callable[[], bool], *, newer: bool) -> int:
        """Draw what is left, until `enough` is true; `newer`: the message has changed since it was drawn.

        The lines from the returned one on may have changed.
        """
        body = self.body
        lines = len(body)
        changed = body.update(self.item, enough) if newer else body.draw(enough)
        self._forget_strips(changed, lines)
        return changed

    def forget(self) -> None:
        """Drop the lines, to save memory."""
        self._body = None
        self.strips.clear()

    def _forget_strips(self, start: int, stop: int) -> None:
        """The lines from `start` on have changed; there were `stop` lines."""
        if stop - start > len(self.strips):
            self.strips.clear()
            return
        for row in range(start, stop):
            self.strips.pop((row, False), None)
            self.strips.pop((row, True), None)

    @property
    def code_blocks(self) -> list[CodeBlock]:
        """The code blocks of the message as they were written."""
        return code_blocks(self.item.source or self.item.text)

    @property
    def links(self) -> list[str]:
        """The addresses that the message links to, each once, as far as it is drawn."""
        body = self.body
        found = (run.link for index in range(len(body)) for run in body[index].runs if run.link)
        return list(dict.fromkeys(link for link in found if not link.startswith(("code:", "note:"))))
