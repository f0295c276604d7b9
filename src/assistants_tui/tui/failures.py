"""Failed requests, and mistakes of this program, are told to the user, and the app goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from textual.app import App
from textual.widget import Widget

from assistants_tui.service.errors import ServiceError, describe
from assistants_tui.tui.text.safety import clean

SHOWN_SECONDS = 20.0
"""How long the notification of an unexpected exception stands."""


@contextmanager
def told_failures(widget: Widget, title: str) -> Iterator[None]:
    """Tell a `ServiceError` of the block in a notification under `title`, and end the block there."""
    try:
        yield
    except ServiceError as error:
        widget.notify(str(error), title=title, severity="error", markup=False, timeout=10)


class UnaskedLook:
    """A look that a timer takes again and again, each in a `with` block.

    A `ServiceError` is not told: nobody has asked, and the next request says it. Another exception is handed
    on, but the same one not again until a look has succeeded or failed in another way.
    """

    def __init__(self) -> None:
        self._told = ""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, ServiceError):
            return True
        if error is not None and not isinstance(error, Exception):
            return False  # cancelled
        told, self._told = self._told, "" if error is None else describe(error)
        return error is not None and told == self._told


def tell_unexpected(app: App[Any], error: BaseException) -> None:
    """Tell of an exception that nobody handled: what was begun has ended, and the app goes on."""
    if isinstance(error, ServiceError):
        title, words = "Not done", str(error)
    else:
        title = "Not done: an error in the app"
        words = f"{describe(error)}. What you wrote is kept. Try again; if it stays, report these words."
    app.notify(clean(words), title=title, severity="error", markup=False, timeout=SHOWN_SECONDS)
