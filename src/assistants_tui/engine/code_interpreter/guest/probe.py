"""Tries to get out of the sandbox by the simplest means, and says what worked."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WAIT = 60.0  # seconds


def report(order: dict[str, Any]) -> None:
    """Write to stdout, as JSON, which of the things that should be impossible are possible.

    Process IDs mean something else in a process namespace, so the caller gets ours to judge those attempts
    by. After the answer comes the line `end` of the order. Then it waits, so that it can be measured, to be
    killed.
    """
    canary = order["canary"]
    attempts: dict[str, Callable[[], object]] = {
        "read a file of yours": lambda: Path(canary["file"]).read_bytes(),
        "change a file of yours": lambda: Path(canary["file"]).write_bytes(b""),
        "create a file beside yours": lambda: _create(canary["new"]),
        "change the installed packages": lambda: _create(canary["packages"]),
        "reach the network": lambda: socket.create_connection(("127.0.0.1", canary["port"]), 1),
        "send datagrams": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "reach a local service": lambda: _connect(canary["socket"]),
    }
    if sys.platform == "linux":
        attempts["reach an abstract local service"] = lambda: _connect("\0" + canary["abstract"])
        attempts["make any system call"] = lambda: os.memfd_create("probe")
        attempts["change the system"] = _open_the_system
        attempts["see paths of this computer"] = _see_mounts
        attempts["read what belongs to root"] = lambda: Path(canary["root's"]).read_bytes()
    by_number: dict[str, Callable[[], object]] = {
        "signal the application": lambda: os.kill(canary["process"], 0),
        "read the application's environment": lambda: Path(f"/proc/{canary['process']}/environ").read_bytes(),
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
    print(json.dumps(answer), order["end"], sep="\n", flush=True)  # noqa: T201 - for the caller, over stdout
    time.sleep(_WAIT)


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _create(path: str) -> None:
    with open(path, "xb"):  # noqa: PTH123 - Path.touch() only sets a time, which Landlock's filter pretends to do
        pass


_SYSTEM = (  # one of each kind
    "/proc/sys/kernel/core_pattern",
    "/proc/sysrq-trigger",
    "/proc/irq/default_smp_affinity",
    "/proc/mtrr",
    "/proc/1/oom_score_adj",
    "/sys/kernel/uevent_helper",
    "/sys/power/state",
    "/sys/fs/cgroup/cgroup.procs",
    "/dev/mem",
    "/dev/kmsg",
    "/dev/sda",
    "/dev/vda",
)
_MOST_SETTINGS = 2_000


def _open_the_system() -> None:
    """Open something of the system for writing, and write nothing. OSError if nothing can be opened."""
    settings = (f"{folder}/{name}" for folder, _, names in os.walk("/proc/sys") for name in names)
    for path in (*_SYSTEM, *itertools.islice(settings, _MOST_SETTINGS)):
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_WRONLY))
            return
    raise PermissionError


def _see_mounts() -> None:
    """Read where this process's files, or those of another, are on the host. OSError if nothing tells it."""
    for path in ("/proc/self/mountinfo", "/proc/1/mountinfo", "/proc/1/cmdline", "/proc/1/environ"):
        with contextlib.suppress(OSError):
            Path(path).read_bytes()
            return
    raise PermissionError


def _connect(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        client.connect(address)
