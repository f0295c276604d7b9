"""What a thread keeps on disk, from call to call and from one start of the application to the next."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path

from . import files, watchdog
from .execution import DATA, CreatedFile, Limits
from .file_names import safe_names

_logger = logging.getLogger(__name__)


class ThreadFolder:
    """The thread's /mnt/data, what was copied into it, and the way out of it. Every method does disk I/O."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.data = path / "data"
        self.tidy = False
        """Whether a call without files of the user's has nothing to do here before it."""
        self._outbox = path / "out"
        self._record = path / "copied.json"
        self._limits = limits
        self._opened = False
        self._seen: files.Stamps = {}
        self._copied: dict[str, list[str | int]] = {}

    def open(self) -> bool:
        """Make the folders. Returns whether an earlier start of the application had a session here."""
        if self._opened:
            return False
        own = self.data.parent
        for folder in (own.parent, own, self.data, self._outbox):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.remove_filled(own)
        self._seen = files.stamps(self.data, self._limits)
        self._opened = True
        with contextlib.suppress(OSError, ValueError):
            self._copied = json.loads(self._record.read_text(encoding="utf-8"))
            return True
        return False

    def bring(self, wanted: Mapping[str, Path]) -> list[str]:
        """Copy the files that are new, changed or deleted since; returns notes on those that cannot be."""
        notes = []
        before = dict(self._copied)
        for path in self._outbox.iterdir():
            path.unlink()
        for name, source in zip(safe_names(wanted), wanted.values(), strict=True):
            try:
                status = source.stat()
                version: list[str | int] = [str(source), status.st_mtime_ns, status.st_size]
                if self._copied.get(name) != version or not (self.data / name).is_file():
                    self._seen[name] = files.put(self.data, name, source)
                    self._copied[name] = version
            except OSError as error:
                notes.append(f"[{name} could not be copied to {DATA}: {error.strerror or error}.]")
        # even when empty, so that a later start of the application knows that there was a session
        if self._copied != before or not self._record.exists():
            self._record.touch(mode=0o600)
            self._record.write_text(json.dumps(self._copied), encoding="utf-8")
        self.tidy = True
        return notes

    def collect(self) -> tuple[tuple[CreatedFile, ...], tuple[str, ...]]:
        """Copies of the files that are new or changed since the last time, and notes on the rest."""
        self.tidy = False
        try:
            collected = files.collect(self.data, self._seen, self._outbox, self._limits)
        except OSError as error:
            return (), (f"[Files could not be handed back: {error.strerror or error}.]",)
        self._seen = collected.after
        self.tidy = not collected.files
        return collected.files, collected.notes

    def undo_flood(self) -> str | None:
        """Get back below the limits of the disk, or every later kernel would be ended at once.

        What the last call wrote goes first, and everything if that is not enough. Returns a note if something
        could not be deleted.
        """
        note = None
        for before in (self._seen, {}):
            try:
                if not watchdog.is_full(self.data, self._limits):
                    break
                reason = None if files.undo(self.data, before) else "some of it is in the way"
            except OSError as error:
                reason = error.strerror or str(error)
            if reason is not None:
                _logger.warning("what code wrote below %s could not be deleted: %s", self.data.parent, reason)
                note = f"[What the code wrote could not all be deleted: {reason}.]"
        return note
