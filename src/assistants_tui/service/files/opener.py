"""Opening a file with the program that the system has for it."""

import asyncio
import contextlib
import os
import shutil
import sys
from pathlib import Path

from assistants_tui.service.errors import ServiceError
from assistants_tui.service.exit_guard import spare

# fmt: off
PROGRAMS = frozenset({
    ".app", ".appimage", ".apk", ".bat", ".cmd", ".com", ".command", ".cpl", ".deb", ".desktop", ".dll",
    ".dmg", ".exe", ".hta", ".iso", ".jar", ".js", ".jse", ".lnk", ".msi", ".pif", ".pkg", ".pl", ".ps1",
    ".py", ".pyw", ".rb", ".reg", ".rpm", ".run", ".scpt", ".scr", ".sh", ".terminal", ".url", ".vbe", ".vbs",
    ".webloc", ".workflow", ".wsf",
})
# fmt: on
"""Endings that systems run, install or mount rather than show."""


def is_program(path: Path) -> bool:
    """Whether opening the file could run it."""
    return path.suffix.lower() in PROGRAMS


async def open_file(path: Path) -> None:
    """Hand a file to the system. Raises `ServiceError` if it is a program, or if there is no opener."""
    if is_program(path):
        raise ServiceError(
            f"{path.name} is a program, so it is not opened from here.",
            f"It lies in {path.parent}.",
            kind="refused",
            no_effect=True,
        )
    if sys.platform == "win32":
        await asyncio.to_thread(os.startfile, path)
        return
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    program = shutil.which(opener)
    if program is None:
        raise ServiceError(
            f"The system has no {opener} to open files with.", f"The file lies at {path}.", kind="settings"
        )
    process = await asyncio.create_subprocess_exec(
        program,
        os.path.abspath(path),  # noqa: ASYNC240, PTH100  so that no name can look like an option
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    spare(process.pid)
    with contextlib.suppress(TimeoutError):  # some openers stay until the program that they started ends
        async with asyncio.timeout(2):
            if await process.wait() != 0:
                raise ServiceError(
                    f"The system has no program for {path.name}.",
                    f"The file lies in {path.parent}.",
                    kind="settings",
                )
