"""The log of a program that has no terminal to write it to: a small file of the user's own."""

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from assistants_tui.settings.files import private_directory

_MAX_BYTES = 1_000_000


class _PrivateFile(RotatingFileHandler):
    """Two files of a megabyte each that only the user can read."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")


def log_to_file(path: Path) -> None:
    """Send warnings and errors to `path` and never to the terminal, which belongs to the app or the answer.

    Where the file cannot be written there is no log.
    """
    logger = logging.getLogger()
    handler: logging.Handler
    try:
        private_directory(path.parent)
        handler = _PrivateFile(path, maxBytes=_MAX_BYTES, backupCount=1)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.handlers[:] = [handler]
    logger.setLevel(logging.WARNING)
