"""The ways of confining the kernel, strongest first."""

from __future__ import annotations

import os
import shutil
import sys

from . import bundled
from .bare import Bare
from .base import Launcher, LauncherError, SandboxPaths, variables
from .bubblewrap import Bubblewrap
from .landlock import Landlock
from .seatbelt import Seatbelt

__all__ = ["CHOICES", "NOBODY", "Launcher", "LauncherError", "SandboxPaths", "candidates", "variables"]

NOBODY = 65534
"""A user who owns nothing: code runs as that one where the application runs as root."""

CHOICES = ("auto", "bubblewrap", "landlock", "sandbox-exec", "none", "unconfined")


def candidates(choice: str) -> list[Launcher]:
    """The launchers to try, in order, for one of `CHOICES`. `unconfined` is only ever an explicit choice."""
    if choice == "unconfined":
        return [Bare()]
    found: list[Launcher] = []
    if sys.platform == "linux":
        found += [*_bubblewraps(), Landlock()]
    elif sys.platform == "darwin":
        found.append(Seatbelt())
    return [launcher for launcher in found if choice in ("auto", launcher.name)]


def _bubblewraps() -> list[Launcher]:
    """The system's own first: where AppArmor restricts user namespaces, only that one is exempt."""
    programs = [shutil.which("bwrap"), bundled.program()]
    found = [program for program in programs if program]
    users = (NOBODY, None) if os.geteuid() == 0 else (None,)
    return [Bubblewrap(program, user) for user in users for program in found]
