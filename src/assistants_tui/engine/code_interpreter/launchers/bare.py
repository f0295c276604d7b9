"""No confinement of files and network: for code that the user has read and approved."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistants_tui.engine.code_interpreter.execution import UNCONFINED, Limits

from .base import GUEST, Command, SandboxPaths, environment, python, resources


@dataclass(frozen=True, slots=True)
class Bare:
    """An empty environment, resource limits and the watchdog, and nothing else. Never chosen by itself."""

    name: str = UNCONFINED
    sentence: str = "NOT SANDBOXED: code runs as you and can read your files, your keys and your network."
    user: None = None

    def data_inside(self, paths: SandboxPaths) -> str:
        return str(paths.data)

    def run_inside(self, paths: SandboxPaths) -> str:
        return str(paths.run)

    def command(self, paths: SandboxPaths, limits: Limits, order: Mapping[str, Any]) -> Command:
        return Command(
            python(str(GUEST.parent), {"limits": resources(limits), **orders_without_mounts(paths), **order}),
            environment_without_mounts(paths),
        )


def orders_without_mounts(paths: SandboxPaths) -> dict[str, Any]:
    """Orders for a process that sees the host's paths and process list."""
    order: dict[str, Any] = {"data": str(paths.data)}
    if sys.platform == "linux":
        order["parent"] = os.getpid()
    return order


def environment_without_mounts(paths: SandboxPaths) -> dict[str, str]:
    """The environment of such a process, whose home is a folder of the host."""
    fonts = paths.home / "matplotlib"
    fonts.mkdir(parents=True, exist_ok=True)
    for path in paths.fonts.glob("fontlist-*.json") if paths.fonts else ():
        shutil.copy(path, fonts)
    variables = environment(str(paths.home), TMPDIR=str(paths.home))
    if sys.platform == "darwin":
        variables["JPY_PARENT_PID"] = str(os.getpid())  # the kernel ends when this process does
    return variables
