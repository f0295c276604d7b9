"""A text in the user's own editor: `$VISUAL`, `$EDITOR`, or what the system has."""

import asyncio
import os
import shlex
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from textual.app import App, SuspendNotSupported

_FALLBACKS = ("sensible-editor", "nano", "vim", "vi", "notepad")

_LAST_SECONDS = 0.5
"""What an editor gets to keep its text when the app ends under it."""


class ExternalEditorError(Exception):
    """The text could not be edited, and is unchanged. `str` says why and what to do."""


async def edit_externally(app: App[object], text: str, *, name: str = "text.md") -> str:
    """Give the terminal to the editor until it ends, and return what it saved.

    `name` is the file's, by which editors choose their colours. Runs and streams go on meanwhile; nothing is
    painted. Raises `ExternalEditorError`.
    """
    command = _editor()
    folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="assistants-tui-")  # the user's alone
    file = Path(folder, name)
    try:
        await asyncio.to_thread(file.write_text, text, encoding="utf-8")
        await _run(app, [*command, str(file)])
        return _without_added_newline(text, await asyncio.to_thread(file.read_text, encoding="utf-8"))
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 any more"
        raise ExternalEditorError(f"The text could not be edited: {reason}.") from error
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def edit_file(app: App[object], file: Path) -> None:
    """Give the terminal to the editor with one of the user's own files. Raises `ExternalEditorError`."""
    await _run(app, [*_editor(), str(file)])


async def view_externally(app: App[object], text: str, *, name: str = "text.md") -> None:
    """Show a text in `$PAGER`, or in `less` or `more`. Raises `ExternalEditorError`."""
    command = _pager()
    folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="assistants-tui-")  # the user's alone
    file = Path(folder, name)
    try:
        await asyncio.to_thread(file.write_text, text, encoding="utf-8")
        await _run(app, [*command, str(file)])
    except OSError as error:
        raise ExternalEditorError(f"The text could not be shown: {error.strerror}.") from error
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _pager() -> list[str]:
    if words := shlex.split(os.environ.get("PAGER", "")):
        return words
    for name in ("less", "more"):
        if path := shutil.which(name):
            return [path]
    raise ExternalEditorError("There is no pager: set the environment variable PAGER to one.")


def _editor() -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        if words := shlex.split(os.environ.get(variable, "")):
            return words
    for name in _FALLBACKS:
        if path := shutil.which(name):
            return [path]
    raise ExternalEditorError("There is no editor: set the environment variable EDITOR to one.")


async def _run(app: App[object], command: list[str]) -> None:
    try:
        with app.suspend(), app.batch_update(), _interrupts_ignored():
            process = await asyncio.create_subprocess_exec(*command)
            try:
                code = await process.wait()
            except asyncio.CancelledError:  # the app ends, and there is one terminal for both
                process.terminate()
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), _LAST_SECONDS)
                raise
    except SuspendNotSupported:
        raise ExternalEditorError("This terminal cannot be lent to an editor.") from None
    except FileNotFoundError:
        raise ExternalEditorError(f"The editor {command[0]!r} is not there: check $EDITOR.") from None
    if code != 0:
        raise ExternalEditorError(f"The editor {command[0]!r} failed ({code}); the text is as it was.")


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ctrl-C in the editor reaches every program of the terminal, and is not meant for us."""
    before = signal.signal(signal.SIGINT, lambda *_: None)  # unlike SIG_IGN, not inherited by the editor
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _without_added_newline(before: str, after: str) -> str:
    """Editors end the last line; that is no change of the text."""
    return after.removesuffix("\n") if not before.endswith("\n") else after
