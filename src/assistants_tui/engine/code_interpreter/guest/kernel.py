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
    session = application.session
    session.pack = packer = _Packer(session.pack, order)
    session.send = _without_buffers(session.send)
    shell = application.shell
    shell.set_custom_exc((Exception,), _show_exception)
    shell.events.register("pre_run_cell", lambda _: allowance.reset())
    shell.events.register("pre_run_cell", lambda _: packer.reset())
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
_BESIDES_PICTURE = 1 << 19  # bytes that a message may have beside those of one picture


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


class _Packer:
    """Packs messages, in which it leaves out what nobody will show or what is too large to be read.

    The data of an interactive chart are millions of values. It also takes halves of characters, which UTF-8
    does not have.
    """

    def __init__(self, pack: Any, order: dict[str, Any]) -> None:
        self._pack = pack
        self._media_types = frozenset(order["media_types"])
        self._chars = order["output_chars"]
        self._picture, self._pictures = order["picture_bytes"], order["all_pictures_bytes"]
        self._left = self._pictures

    def reset(self) -> None:
        """Allow as many bytes of pictures as one call may show."""
        self._left = self._pictures

    def __call__(self, message: Any) -> Any:
        if isinstance(message, dict):
            if isinstance(data := message.get("data"), dict):
                message = {"data": self._shown(data)}
            elif isinstance(lines := message.get("traceback"), list):
                trace = self._ends("\n".join(map(str, lines)))
                message = {**message, "evalue": self._ends(str(message.get("evalue"))), "traceback": [trace]}
        try:
            packed = self._pack(message)
        except UnicodeEncodeError:
            packed = json.dumps(message, default=str).encode("ascii")
        # what is that long is of a kind that says nothing to the user, such as answers to widgets
        return packed if len(packed) <= self._picture + _BESIDES_PICTURE else b"{}"

    def _shown(self, data: dict[Any, Any]) -> dict[str, Any]:
        """What is sent of texts and pictures: None stands for a picture that is too large."""
        shown: dict[str, Any] = {}
        room = self._picture
        for kind in self._media_types & data.keys():
            value = data[kind]
            if kind == "text/plain":
                shown[kind] = value[: self._chars] if isinstance(value, str) else None
                continue
            size = len(json.dumps(value, default=str))
            fits = size <= min(room, self._left)
            shown[kind] = value if fits else None
            if fits:
                room -= size
                self._left -= size
        return shown

    def _ends(self, text: str) -> str:
        half = self._chars // 2
        return text if len(text) <= self._chars else f"{text[:half]}\n[...]\n{text[-half:]}"


def _without_buffers(send: Any) -> Any:
    """What a message has besides text, for widgets that nobody will show, may be of any size."""
    return lambda *arguments, **options: send(*arguments, **{**options, "buffers": None})


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
