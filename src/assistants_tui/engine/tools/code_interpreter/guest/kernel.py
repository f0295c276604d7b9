"""A Jupyter kernel, with the few changes that a sandbox and a conversation need."""

from __future__ import annotations

import ast
import importlib
import os
import sys
import warnings
from typing import Any

# Any, because parts of them are replaced
iostream: Any = importlib.import_module("ipykernel.iostream")
kernelapp: Any = importlib.import_module("ipykernel.kernelapp")


def serve(order: dict[str, Any]) -> None:
    """Run the kernel until its process ends. Writes the order's token to stdout when it listens."""
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
    shell = application.shell
    shell.events.register("pre_run_cell", lambda _: allowance.reset())
    shell.ask_exit = _leave  # exit() ends the code, not the session
    warnings.filterwarnings("ignore", message="To exit: use 'exit'")
    if folder := order.get("data"):
        shell.ast_transformers.append(_DataFolder(folder))
    sys.path[:] = [path for path in sys.path if path != order["home_of_this"]]
    os.write(stdout, order["token"].encode())
    os.close(stdout)
    application.start()


class _Allowance:
    def __init__(self, chars: int) -> None:
        self.chars = self.left = chars

    def reset(self) -> None:
        self.left = self.chars


def _limit_output(chars: int) -> _Allowance:
    """Stop text at its source: what is dropped here need not be encoded, sent, read and dropped outside."""
    allowance = _Allowance(chars)
    write = iostream.OutStream.write

    def limited(stream: Any, text: Any) -> Any:
        if not isinstance(text, str):
            return write(stream, text)
        kept = text[: allowance.left]
        allowance.left -= len(kept)
        if kept:
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
