"""Tries to get out of the sandbox by the simplest means, and says what worked."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def report(order: dict[str, Any]) -> None:
    """Write to stdout, as JSON, which of the things that should be impossible are possible.

    Process IDs mean something else in a process namespace, so the caller gets ours to judge those attempts
    by.
    """
    bait = order["bait"]
    attempts: dict[str, Callable[[], object]] = {
        "read a file of yours": lambda: Path(bait["file"]).read_bytes(),
        "change a file of yours": lambda: Path(bait["file"]).write_bytes(b""),
        "create a file beside yours": lambda: _create(bait["new"]),
        "change the installed packages": lambda: _create(bait["packages"]),
        "reach the network": lambda: socket.create_connection(("127.0.0.1", bait["port"]), 1),
        "send datagrams": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "reach a local service": lambda: _connect(bait["socket"]),
    }
    if sys.platform == "linux":
        attempts["reach an abstract local service"] = lambda: _connect("\0" + bait["abstract"])
        attempts["make any system call"] = lambda: os.memfd_create("probe")
        attempts["change settings of the system"] = _open_a_setting
    by_number: dict[str, Callable[[], object]] = {
        "signal the application": lambda: os.kill(bait["process"], 0),
        "read the application's environment": lambda: Path(f"/proc/{bait['process']}/environ").read_bytes(),
    }
    possible = [what for what, attempt in attempts.items() if _works(attempt)]
    if strange := sorted(set(os.environ) - set(order["environment"])):
        possible.append(f"see the environment ({', '.join(strange)[:200]})")
    Path(order["written"]).write_text("written", encoding="utf-8")
    answer = {
        "process": os.getpid(),
        "possible": possible,
        "possible_by_number": [what for what, attempt in by_number.items() if _works(attempt)],
    }
    print(json.dumps(answer), flush=True)  # noqa: T201 - the answer goes to the caller over stdout


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _create(path: str) -> None:
    with open(path, "xb"):  # noqa: PTH123 - Path.touch() only sets a time, which Landlock's filter pretends to do
        pass


def _open_a_setting() -> None:
    """Open one of the system's settings for writing, and write nothing. OSError if none can be opened."""
    for folder, _, names in os.walk("/proc/sys"):
        for name in names:
            with contextlib.suppress(OSError):
                os.close(os.open(f"{folder}/{name}", os.O_WRONLY))
                return
    os.close(os.open("/proc/sysrq-trigger", os.O_WRONLY))


def _connect(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        client.connect(address)
