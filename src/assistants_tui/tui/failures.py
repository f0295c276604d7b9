"""Failed requests are told to the user, and the app goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

from textual.widget import Widget

from assistants_tui.service.errors import ServiceError


@contextmanager
def told_failures(widget: Widget, title: str) -> Iterator[None]:
    """Tell a `ServiceError` of the block in a notification under `title`, and end the block there."""
    try:
        yield
    except ServiceError as error:
        widget.notify(str(error), title=title, severity="error", markup=False, timeout=10)
