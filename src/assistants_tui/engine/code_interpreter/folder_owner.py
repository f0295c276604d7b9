"""The folders of a sandbox belong to the user that code in it runs as."""

from __future__ import annotations

import contextlib
import os
import stat

from .folder_tree import DEEPEST, open_folder
from .launchers import SandboxPaths


def change_owner(paths: SandboxPaths, user: int | None) -> None:
    """Give the folders, and what is in them, to a user; None is our own.

    Does nothing unless we are root: nobody else can, and code then runs as us. Blocks, when a folder changes
    hands, for some milliseconds. Raises OSError, such as where the user does not exist in a container.
    """
    if os.geteuid() != 0:
        return
    owner = 0 if user is None else user
    for path in (paths.run, paths.data, paths.home):
        folder = open_folder(path)
        try:
            if os.fstat(folder).st_uid != owner:
                _give(folder, owner, DEEPEST)
        finally:
            os.close(folder)


def _give(folder: int, owner: int, depth: int) -> None:
    """The folder itself last, so that a change that was broken off is made again."""
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                if depth:
                    below = open_folder(name, folder)
                    try:
                        _give(below, owner, depth - 1)
                    finally:
                        os.close(below)
            elif status.st_nlink == 1:  # with a second name it may be a file of somebody else's
                os.chown(name, owner, owner, dir_fd=folder, follow_symlinks=False)
    os.fchown(folder, owner, owner)
