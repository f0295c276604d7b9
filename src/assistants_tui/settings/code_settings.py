"""What config.toml says about the code that the embedded engine runs for assistants."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from assistants_tui.settings.function_settings import Report

WithoutSandbox = Literal["refuse", "ask", "run"]
"""What becomes of code where no sandbox holds: it is refused, the user is asked about each block of it, or it
runs all the same."""

SANDBOXES = ("auto", "bubblewrap", "landlock", "sandbox-exec", "none")


@dataclass(frozen=True)
class CodeSettings:
    """How code is confined, and what the code of one thread may use."""

    sandbox: str = "auto"
    """One of `SANDBOXES`. `auto`: the strongest that works here; `none`: no code runs at all."""
    timeout: float = 120.0
    """Seconds that one block of code may run."""
    idle: float = 3600.0
    """Seconds after which variables are given up; files stay."""
    memory: int = 2048
    """MiB, all processes of a thread together."""
    processes: int = 64
    """Processes and threads."""
    disk: int = 1024
    """MiB in /mnt/data."""
    output: int = 200_000
    """Characters of text that one block of code may print."""


LIMITS: Mapping[str, tuple[float, float, str]] = {
    "timeout": (1, 3600, "a number of seconds from 1 to 3600"),
    "idle": (10, 86_400, "a number of seconds from 10 to 86400"),
    "memory": (256, 1_048_576, "a whole number of MiB from 256 to 1048576"),
    "processes": (16, 4096, "a whole number from 16 to 4096"),
    "disk": (1, 1_048_576, "a whole number of MiB from 1 to 1048576"),
    "output": (1000, 10_000_000, "a whole number of characters from 1000 to 10000000"),
}
"""The least and the most of each limit, and both in words. Pandas starts with the least."""
_TIMES = frozenset({"timeout", "idle"})


def read_code(table: Mapping[str, Any], report: Report) -> CodeSettings:
    """`[code]`."""
    good: dict[str, Any] = {}
    for key, value in table.items():
        if key not in {field.name for field in fields(CodeSettings)}:
            report(f"code.{key}", value, f"unknown; allowed are sandbox, {', '.join(sorted(LIMITS))}")
        elif wrong := wrong_code_setting(key, value):
            report(f"code.{key}", value, f"it must be {wrong}")
        else:
            good[key] = float(value) if key in _TIMES else value
    return CodeSettings(**good)


def wrong_code_setting(key: str, value: object) -> str:
    """What `code.<key>` must be, if `value` is not that; else an empty text."""
    if key == "sandbox":
        names = ", ".join(f'"{name}"' for name in SANDBOXES)
        return "" if value in SANDBOXES else f"one of {names}"
    least, most, allowed = LIMITS[key]
    if isinstance(value, bool) or not isinstance(value, (int, float) if key in _TIMES else int):
        return allowed
    return "" if least <= value <= most else allowed
