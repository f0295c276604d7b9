"""Matplotlib's list of the system's fonts, made once: each session would look for them again, for seconds."""

from __future__ import annotations

import asyncio
import importlib.metadata
from pathlib import Path

from .execution import Limits
from .launchers import Launcher, LauncherError, SandboxPaths
from .process import SandboxProcess

_SECONDS = 120.0


def folder(data_dir: Path) -> Path | None:
    """Where the list of the installed matplotlib belongs; None without matplotlib."""
    try:
        return data_dir / "fonts" / importlib.metadata.version("matplotlib")
    except importlib.metadata.PackageNotFoundError:
        return None


async def make_list(launcher: Launcher, paths: SandboxPaths, limits: Limits, target: Path) -> None:
    """Let matplotlib make its list in a sandbox that runs nothing else, and keep it in `target`.

    `paths.data` becomes `target`. Without success there is just no list.
    """
    order = {"task": "fonts", "folder": launcher.data_inside(paths)}
    try:
        process = await SandboxProcess.start(launcher, paths, limits, order)
    except (OSError, LauncherError):
        return
    try:
        async with asyncio.timeout(_SECONDS):
            await process.wait()
    except TimeoutError:
        return
    finally:
        process.kill()
        await process.wait()
    if process.exit_code == 0:
        await asyncio.to_thread(_keep, paths.data, target)


def _keep(made: Path, target: Path) -> None:
    if not target.exists():
        target.parent.mkdir(mode=0o700, exist_ok=True)
        made.rename(target)
