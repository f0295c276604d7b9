"""A text area for texts of any size."""

from typing import Any

from textual import on
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

MAX_WRAPPED_LINE = 10_000
"""Characters of a line that is still wrapped: each key wraps the whole line again."""
MAX_WRAPPED_LINES = 10_000
"""Lines of a text that is still wrapped: a paste wraps them all."""


class LargeTextArea(TextArea):
    """Does not wrap its lines while that would delay the keys."""

    def __init__(self, text: str = "", **options: Any) -> None:
        """`options` are those of `TextArea`."""
        super().__init__(text, soft_wrap=_can_wrap(text), **options)

    def load_text(self, text: str) -> None:
        self.soft_wrap = self.soft_wrap and _can_wrap(text)
        super().load_text(text)

    def edit(self, edit: Edit) -> EditResult:
        # before the text is in, because then it is wrapped
        self.soft_wrap = self.soft_wrap and _can_wrap(edit.text)
        return super().edit(edit)

    @on(TextArea.Changed)
    def _wrap_if_possible(self) -> None:
        self.soft_wrap = _can_wrap(self.text)


def _can_wrap(text: str) -> bool:
    lines = text.split("\n", MAX_WRAPPED_LINES)
    return len(lines) <= MAX_WRAPPED_LINES and max(map(len, lines)) <= MAX_WRAPPED_LINE
