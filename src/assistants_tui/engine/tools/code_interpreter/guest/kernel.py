"""A Jupyter kernel, with the few changes that a sandbox and a conversation need."""

from __future__ import annotations

import ast
import importlib
import json
import multiprocessing
import os
import sys
import warnings
from types import TracebackType
from typing import Any

from . import confine

# Any, because parts of them are replaced
iostream: Any = importlib.import_module("ipykernel.iostream")
kernelapp: Any = importlib.import_module("ipykernel.kernelapp")


def serve(order: dict[str, Any]) -> None:
    """Run the kernel until its process ends. Writes the order's token to stdout when it listens."""
    # newer Pythons start processes by passing open files through sockets, which is refused here
    if sys.platform == "linux" and sys.version_info >= (3, 14):
        multiprocessing.set_start_method("fork")
    stdout = os.dup(1)  # ipykernel redirects descriptor 1 to itself
    # without this it opens a TCP port for the output of child processes
    kernelapp.IOPubThread = lambda socket, **options: iostream.IOPubThread(
        socket, **{**options, "pipe": False}
    )
    allowance = _limit_output(order["output_chars"])
    application = kernelapp.IPKernelApp.instance()
    application.initialize(
        [
            "-f",
            order["connection_file"],
            "--InteractiveShell.colors=nocolor",
            "--HistoryManager.enabled=False",
        ]
    )
    application.session.pack = _packer(application.session.pack, frozenset(order["media_types"]))
    shell = application.shell
    shell.set_custom_exc((Exception,), _show_exception)
    shell.events.register("pre_run_cell", lambda _: allowance.reset())
    shell.ask_exit = _leave  # exit() ends the code, not the session
    warnings.filterwarnings("ignore", message="To exit: use 'exit'")
    if folder := order.get("data"):
        shell.ast_transformers.append(_DataFolder(folder))
    sys.path[:] = [path for path in sys.path if path != order["home_of_this"]]
    if order.get("landlock"):
        confine.refuse_services()
    os.write(stdout, order["token"].encode())
    os.close(stdout)
    application.start()


_SHOWN_FRAMES = 5  # at each end


def _show_exception(shell: Any, kind: Any, error: Any, trace: Any, tb_offset: Any = None) -> None:
    """Show a traceback of hundreds of frames by its two ends: all of it takes IPython ten seconds."""
    found = (kind, error, _shortened(error, trace))
    shell.showtraceback(found, tb_offset=tb_offset, running_compiled_code=True)


def _shortened(error: BaseException, trace: TracebackType) -> TracebackType:
    links = []
    link: TracebackType | None = trace
    while link is not None:
        links.append(link)
        link = link.tb_next
    left_out = len(links) - 2 * _SHOWN_FRAMES
    if left_out <= 0:
        return trace
    error.add_note(f"[{left_out:,} frames in the middle are not shown.]")
    short: TracebackType | None = None
    for link in reversed([*links[:_SHOWN_FRAMES], *links[-_SHOWN_FRAMES:]]):
        short = TracebackType(short, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return short or trace


def _packer(pack: Any, media_types: frozenset[str]) -> Any:
    """A packer of messages that also takes halves of characters, which UTF-8 does not have.

    It leaves out what nobody will show: the data of an interactive chart are millions of values.
    """

    def packed(message: Any) -> Any:
        if isinstance(message, dict) and isinstance(data := message.get("data"), dict):
            message = {**message, "data": {kind: data[kind] for kind in data if kind in media_types}}
        try:
            return pack(message)
        except UnicodeEncodeError:
            return json.dumps(message, default=str).encode("ascii")

    return packed


class _Allowance:
    """Characters that one call may still print. A line that overwrites itself counts once."""

    def __init__(self, chars: int) -> None:
        self.chars = self.left = chars
        self._line = 0  # what the line that is being written has cost

    def reset(self) -> None:
        self.left = self.chars
        self._line = 0

    def take(self, text: str) -> str:
        """What of the text may still be printed."""
        if "\r" in text.replace("\r\n", ""):
            self.left += self._line
            self._line = 0
        kept = text[: self.left]
        self.left -= len(kept)
        end = kept.rfind("\n")
        self._line = len(kept) - end - 1 if end >= 0 else self._line + len(kept)
        return kept


def _limit_output(chars: int) -> _Allowance:
    """Stop text at its source: what is dropped here need not be encoded, sent, read and dropped outside."""
    allowance = _Allowance(chars)
    write = iostream.OutStream.write

    def limited(stream: Any, text: Any) -> Any:
        if not isinstance(text, str):
            return write(stream, text)
        if kept := allowance.take(text):
            write(stream, kept)
        return len(text)

    iostream.OutStream.write = limited
    return allowance


def _leave() -> None:
    raise SystemExit


class _DataFolder(ast.NodeTransformer):
    """Where no mount puts the thread's files at /mnt/data, the path in the code becomes the real one."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        value: str | bytes
        match node.value:
            case str():
                value = node.value.replace("/mnt/data", self.folder)
            case bytes():
                value = node.value.replace(b"/mnt/data", os.fsencode(self.folder))
            case _:
                return node
        return ast.copy_location(ast.Constant(value), node)
