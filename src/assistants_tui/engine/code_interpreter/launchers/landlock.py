"""Landlock and a stricter filter of system calls: for Linux without user namespaces."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistants_tui.engine.code_interpreter.execution import Limits
from assistants_tui.engine.code_interpreter.guest import seccomp

from .bare import environment_without_mounts, orders_without_mounts
from .base import (
    GUEST,
    Command,
    LauncherError,
    SandboxPaths,
    as_root,
    existing,
    python,
    python_folders,
    resources,
)


@dataclass(frozen=True, slots=True)
class Landlock:
    """Needs Linux 6.2 and nothing else. Code cannot start other programs in it."""

    name: str = "landlock"
    user: None = None

    @property
    def sentence(self) -> str:
        return (
            "Sandboxed (reduced): code cannot read or change your files, use the network or start programs. "
            "It can see the name of this computer, and of a file or folder whose path it guesses whether it "
            f"exists, its size, times, owner and rights.{as_root()}"
        )

    def data_inside(self, paths: SandboxPaths) -> str:
        return str(paths.data)

    def run_inside(self, paths: SandboxPaths) -> str:
        return str(paths.run)

    def command(self, paths: SandboxPaths, limits: Limits, order: Mapping[str, Any]) -> Command:
        if platform.machine() not in seccomp.ARCHITECTURES:
            raise LauncherError(f"there is no filter of system calls for {platform.machine()}")
        rules = {
            "readable": [
                *python_folders(),
                str(GUEST),
                *existing(
                    "/usr",
                    "/bin",
                    "/lib",
                    "/lib64",
                    "/etc/ld.so.cache",
                    "/etc/alternatives",
                    "/etc/fonts",
                    "/etc/localtime",
                    "/etc/mime.types",
                    "/nix/store",
                    "/gnu/store",
                ),
            ],
            "writable": [str(paths.data), str(paths.run), str(paths.home)],
            "devices": existing("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"),
        }
        variables = environment_without_mounts(paths)
        orders = {"limits": resources(limits), "landlock": rules, **orders_without_mounts(paths), **order}
        return Command(python(str(GUEST.parent), orders), variables)
