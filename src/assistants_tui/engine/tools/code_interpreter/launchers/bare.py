"""No confinement of files and network: for code that the user has read and approved."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistants_tui.engine.tools.code_interpreter.interface import UNCONFINED, Limits

from .base import GUEST, Command, Place, environment, python, resources


@dataclass(frozen=True, slots=True)
class Bare:
    """An empty environment, resource limits and the watchdog, and nothing else. Never chosen by itself."""

    name: str = UNCONFINED
    sentence: str = "NOT SANDBOXED: code runs as you and can read your files, your keys and your network."
    user: None = None

    def data_inside(self, place: Place) -> str:
        return str(place.data)

    def run_inside(self, place: Place) -> str:
        return str(place.run)

    def command(self, place: Place, limits: Limits, order: Mapping[str, Any]) -> Command:
        return Command(
            python(str(GUEST.parent), {"limits": resources(limits), **orders_without_mounts(place), **order}),
            environment_without_mounts(place),
        )


def orders_without_mounts(place: Place) -> dict[str, Any]:
    """Orders for a process that sees the host's paths and process list."""
    order: dict[str, Any] = {"data": str(place.data)}
    if sys.platform == "linux":
        order["parent"] = os.getpid()
    return order


def environment_without_mounts(place: Place) -> dict[str, str]:
    """The environment of such a process, whose home is a folder of the host."""
    fonts = place.home / "matplotlib"
    fonts.mkdir(parents=True, exist_ok=True)
    for path in place.fonts.glob("fontlist-*.json") if place.fonts else ():
        shutil.copy(path, fonts)
    variables = environment(str(place.home), TMPDIR=str(place.home))
    if sys.platform == "darwin":
        variables["JPY_PARENT_PID"] = str(os.getpid())  # the kernel ends when this process does
    return variables
