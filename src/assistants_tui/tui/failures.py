"""Failed requests, and mistakes of this program, are told to the user, and the app goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from textual.app import App
from textual.widget import Widget

from assistants_tui.service.errors import ServiceError, describe
from assistants_tui.tui.safety import clean

SHOWN_SECONDS = 20.0
"""How long the notification of an unexpected exception stands."""


@contextmanager
def told_failures(widget: Widget, title: str) -> Iterator[None]:
    """Tell a `ServiceError` of the block in a notification under `title`, and end the block there."""
    try:
        yield
    except ServiceError as error:
        widget.notify(str(error), title=title, severity="error", markup=False, timeout=10)


def tell_unexpected(app: App[Any], error: BaseException) -> None:
    """Tell of an exception that nobody handled: what was begun has ended, and the app goes on."""
    if isinstance(error, ServiceError):
        title, words = "Not done", str(error)
    else:
        title = "Not done: an error in the app"
        words = f"{describe(error)}. What you wrote is kept. Try again; if it stays, report these words."
    app.notify(clean(words), title=title, severity="error", markup=False, timeout=SHOWN_SECONDS)
