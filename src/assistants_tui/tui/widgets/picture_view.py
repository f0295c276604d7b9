"""A picture in the terminal, fitted to the room that it has."""

import asyncio

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from assistants_tui.tui.widgets.pictures import Picture, PictureError, decode, shade

_HALF = "▀"


class PictureView(Widget, can_focus=False):
    """Draws a picture, or says why it does not. Decoding happens in a thread."""

    DEFAULT_CSS = """
    PictureView { height: 1fr; color: $text-muted; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._data = b""
        self._picture: Picture | None = None
        self._words = ""
        self._strips: list[Strip] = []

    def show(self, data: bytes) -> None:
        """Show a picture, given by the bytes of its file."""
        self._data = data
        self._picture = None
        self._words = "Drawing…"
        self._fit()

    def say(self, words: str) -> None:
        """Show words instead."""
        self._data = b""
        self._picture = None
        self._words = words
        self.refresh()

    def on_resize(self) -> None:
        self._fit()

    @work(exclusive=True, group="picture")
    async def _fit(self) -> None:
        size: Size = self.size
        if not self._data or not size:
            return
        _, colours = self.background_colors
        background = (colours.r, colours.g, colours.b)
        try:
            picture = await asyncio.to_thread(decode, self._data, size.width, size.height, background)
        except PictureError as error:
            self.say(str(error))
            return
        self._picture = picture
        self._strips = await asyncio.to_thread(_strips, picture, size.width, self.app.no_color)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        style = self.visual_style.rich_style
        if self._picture is not None:
            top = max(0, (self.size.height - len(self._strips)) // 2)
            if top <= y < top + len(self._strips):
                return self._strips[y - top]
            return Strip.blank(self.size.width, style)
        lines = Content(self._words).wrap(max(1, self.size.width))
        row = y - max(0, (self.size.height - len(lines)) // 2)
        text = lines[row].plain.rstrip() if 0 <= row < len(lines) else ""
        return Strip([Segment(text.center(self.size.width), style)]).adjust_cell_length(
            self.size.width, style
        )


def _strips(picture: Picture, width: int, plain: bool) -> list[Strip]:
    """The lines of a picture in the middle of so many cells; `plain`: without colours."""
    margin = Segment(" " * max(0, (width - picture.width) // 2))
    rows: list[Strip] = []
    for y in range(picture.height):
        upper, lower = picture.pixels[2 * y], picture.pixels[2 * y + 1]
        if plain:
            segments = [Segment("".join(shade(_mean(*pair)) for pair in zip(upper, lower, strict=True)))]
        else:
            segments = [
                Segment(_HALF, Style(color=RichColor.from_rgb(*above), bgcolor=RichColor.from_rgb(*below)))
                for above, below in zip(upper, lower, strict=True)
            ]
        rows.append(Strip([margin, *segments]).adjust_cell_length(width).simplify())
    return rows


def _mean(one: tuple[int, int, int], two: tuple[int, int, int]) -> tuple[int, int, int]:
    return (one[0] + two[0]) // 2, (one[1] + two[1]) // 2, (one[2] + two[2]) // 2
