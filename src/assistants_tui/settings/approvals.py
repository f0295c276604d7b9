"""What the user decided for good about functions: which may run without asking, and which never."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from assistants_tui.settings.files import locked, private_directory, write_atomic
from assistants_tui.settings.toml_text import parse_toml

Decision = Literal["always", "never"]
_Entry = Mapping[str, object]


class Approvals:
    """Decisions by function and by what the function is: one that has changed is asked about again.

    Methods block on the disk: in an event loop, run them in a thread.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def decision(self, name: str, fingerprint: str) -> Decision | None:
        """What was decided about the function `name` as it is now."""
        entry = self._read().get(name)
        if entry is None or entry.get("fingerprint") != fingerprint:
            return None
        match entry.get("decision"):
            case "always":
                return "always"
            case "never":
                return "never"
        return None

    def seen(self, name: str, fingerprint: str) -> str | None:
        """What the user saw when deciding about `name` the last time, if it has changed since; else None."""
        entry = self._read().get(name)
        if entry is None or fingerprint in (entry.get("fingerprint"), entry.get("run_fingerprint")):
            return None
        return str(entry.get("run_seen", entry.get("seen", "")))

    def decide(self, name: str, fingerprint: str, decision: Decision | None, seen: str = "") -> None:
        """Keep a decision and the text on which it was taken, or forget it (None).

        Raises `SettingsError` if the file cannot be written.
        """
        kept = {"fingerprint": fingerprint, "decision": decision, "seen": seen}
        self._write(name, lambda _: None if decision is None else kept)

    def let_run(self, name: str, fingerprint: str, seen: str) -> None:
        """Keep what the user saw when letting `name` run once.

        What was decided for good stays, also about the function as it was before: it may become that again.

        Raises `SettingsError` if the file cannot be written.
        """
        self._write(name, lambda entry: {**(entry or {}), "run_fingerprint": fingerprint, "run_seen": seen})

    def claim(self, call_id: str) -> bool:
        """Take a call for this window. False if another window on the same thread has taken it already.

        Without this, two windows would run the same function twice. A file that cannot be made counts as
        taken: then the user is asked.
        """
        with contextlib.suppress(OSError):
            private_directory(self._path.parent)
            os.close(os.open(self._claim(call_id), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            return True
        return False

    def release(self, call_id: str) -> None:
        """The call has been answered."""
        with contextlib.suppress(OSError):
            self._claim(call_id).unlink(missing_ok=True)

    def _claim(self, call_id: str) -> Path:
        digest = hashlib.sha256(call_id.encode()).hexdigest()[:24]  # an ID is whatever its server made it
        return self._path.with_name(f".call-{digest}.claim")

    def _write(self, name: str, change: Callable[[_Entry | None], _Entry | None]) -> None:
        """Put what `change` makes of the entry in its place; None removes it."""
        import tomli_w  # only needed here, and not for the first frame

        with locked(self._path):
            entries = dict(self._read())
            if (entry := change(entries.get(name))) is None:
                entries.pop(name, None)
            else:
                entries[name] = entry
            write_atomic(self._path, tomli_w.dumps(entries).encode())

    def _read(self) -> Mapping[str, _Entry]:
        """The entries. A file that is missing or damaged decides nothing, so the user is asked."""
        try:
            table = parse_toml(self._path.read_bytes().decode())
        except (OSError, ValueError):
            return {}
        return {name: entry for name, entry in table.items() if isinstance(entry, dict)}
