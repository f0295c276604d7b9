"""Following what other windows of the app do to the same profile."""

from collections.abc import Awaitable, Callable

from textual.widget import Widget

from assistants_tui.tui.failures import UnaskedLook


def follow_other_windows(
    widget: Widget, notice: Callable[[], Awaitable[object]], seconds: tuple[float, float], *, embedded: bool
) -> None:
    """Call `notice` again and again, and when the terminal comes to the front.

    `seconds` between two calls: of the embedded engine, and of a server. `notice` takes over changes.
    """
    unasked_look = UnaskedLook()

    async def look() -> None:
        with unasked_look:
            await notice()

    def start(in_front: bool = True) -> None:
        if in_front:
            widget.run_worker(look(), group="look", exclusive=True)

    widget.set_interval(seconds[0] if embedded else seconds[1], start)
    widget.watch(widget.app, "app_focus", start, init=False)
