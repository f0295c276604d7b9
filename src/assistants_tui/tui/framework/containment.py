"""What an exception costs that nobody handled: what was being done, not the widget and not the app.

Textual ends the message loop of a widget whose handler raises, and then the app. A widget that cannot be
drawn leaves the whole screen undrawn. There is no public hook for either.
"""

from collections.abc import Callable

from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

Survives = Callable[[Exception], bool]
"""Tells the user of an exception. Returns False if the app cannot go on after it."""


def contain(widget: Widget, survives: Survives, survives_drawing: Survives) -> None:
    """Hand on what a widget's message handlers and its drawing raise. Call it before the widget starts."""
    if "_dispatch_message" in vars(widget):
        return  # it was on the screen before

    dispatch = widget._dispatch_message

    async def dispatch_message(message: Message) -> None:
        try:
            await dispatch(message)
        except Exception as error:
            if not survives(error):
                raise

    widget._dispatch_message = dispatch_message  # type: ignore[method-assign]
    widget._post_mount = _or_else(  # type: ignore[method-assign]  # calls the watchers for the first time
        widget._post_mount, _nothing, survives
    )
    for name, fallback in (
        ("_render", _words),
        ("render_lines", _blank),
        ("get_content_width", _one_cell),
        ("get_content_height", _one_cell),
    ):
        setattr(widget, name, _or_else(getattr(widget, name), fallback, survives_drawing))


def _or_else(
    draw: Callable[..., object], fallback: Callable[..., object], survives: Survives
) -> Callable[..., object]:
    def draw_or_else(*given: object) -> object:
        try:
            return draw(*given)
        except Exception as error:
            if not survives(error):
                raise
            return fallback(*given)

    return draw_or_else


def _nothing() -> None:
    return None


def _words() -> Visual:
    return Content("This could not be drawn.")


def _blank(crop: Region) -> list[Strip]:
    return [Strip.blank(crop.width)] * crop.height


def _one_cell(*sizes: Size | int) -> int:
    return 1
