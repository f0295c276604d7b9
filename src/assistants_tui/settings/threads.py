"""threads.toml: the references to the user's threads.

The Assistants API cannot list threads, so this file is the only way back to a conversation. It is therefore
rewritten under a lock, as a whole and atomically, with the previous version kept beside it; and when it is
found damaged, it is kept aside and the previous version takes its place.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack

import tomli_w

from assistants_tui.settings.files import SettingsError, locked, write_atomic
from assistants_tui.settings.toml_text import parse_toml

_HEADER = "# The threads that assistants-tui knows. The program rewrites this file whenever one is used.\n"
_MARK = "[[threads]]\n"
# What tomli-w writes for a table of plain values is one line per key, with values that are JSON as well.
_STRING = r'"(?:[^"\\\x00-\x1f\x7f]|\\["\\bfnrt]|\\u[0-9a-fA-F]{4})*"'
_FLAT = re.compile(rf"(?:[A-Za-z0-9_-]+ = (?:{_STRING}|true|false|0|[1-9][0-9]*)\n)+\n?")


@dataclass(frozen=True, slots=True)
class ThreadReference:
    """What is known of a thread without asking its server. Times are Unix seconds."""

    profile: str
    id: str
    title: str = ""
    assistant_id: str | None = None
    """The assistant that answered last."""
    created_at: int = 0
    last_used_at: int = 0
    pinned: bool = False
    archived: bool = False
    run_options: str | None = None
    """What the runs of this thread have different from their assistants, as a JSON object."""
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Keys of the file that this version does not know; they are written back as they were."""


class Changes(TypedDict, total=False):
    """What can be changed of a reference."""

    title: str
    assistant_id: str | None
    last_used_at: int
    pinned: bool
    archived: bool
    run_options: str | None


_Key = tuple[str, str]
Result = TypeVar("Result")
_KINDS: Mapping[str, type] = {
    "profile": str,
    "id": str,
    "title": str,
    "assistant_id": str,
    "created_at": int,
    "last_used_at": int,
    "pinned": bool,
    "archived": bool,
    "run_options": str,
}


@dataclass(slots=True)
class _Content:
    """A version of the file in memory. Each thread keeps its text: a write renders only what changed."""

    preamble: str = _HEADER
    threads: dict[_Key, ThreadReference] = field(default_factory=dict)
    texts: dict[_Key, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    """Tables that are no thread references, written back as they were."""

    def put(self, reference: ThreadReference) -> None:
        key = reference.profile, reference.id
        self.threads[key] = reference
        self.texts[key] = _rendered(_table(reference))

    def remove(self, key: _Key) -> ThreadReference | None:
        self.texts.pop(key, None)
        return self.threads.pop(key, None)

    def rendered(self) -> bytes:
        parts = [self.preamble, *self.texts.values(), *self.unreadable]
        return "\n".join(part.rstrip("\n") + "\n" for part in parts).encode()


class ThreadIndex:
    """The thread references of all profiles. Several windows may use the same file at once.

    Every change reads what other windows wrote, changes one reference and writes the file, all under a lock;
    every read looks at the file's time stamp first. The calls block on the disk: in an event loop, run them
    in a thread; they may be called from several threads.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.backup = path.with_name(f"{path.stem}.previous{path.suffix}")
        self.problems: list[str] = []
        """What was found wrong with the file, as sentences for the user, oldest first."""
        self.foreign_changes = 0
        """How often the file was found changed by somebody else, since it was read first."""
        self._content = _Content()
        self._stamp: tuple[int, int, int] | None = None
        self._guard = threading.RLock()

    def list(self, profile: str | None = None, *, archived: bool | None = False) -> list[ThreadReference]:
        """The references of one profile or of all, pinned ones first, then the last used first.

        `archived` chooses the archived ones (True), the others (False) or both (None). A file that cannot be
        read is recovered first, see `problems`. Raises `SettingsError` if that is not possible either.
        """
        self._refresh()
        found = [
            reference
            for reference in self._content.threads.values()
            if (profile is None or reference.profile == profile)
            and (archived is None or reference.archived == archived)
        ]
        found.sort(key=lambda reference: (reference.pinned, reference.last_used_at), reverse=True)
        return found

    def get(self, profile: str, thread_id: str) -> ThreadReference | None:
        """The reference of one thread, None if it is not in the file."""
        self._refresh()
        return self._content.threads.get((profile, thread_id))

    def known(self, profile: str, thread_id: str) -> ThreadReference | None:
        """The reference of one thread as the file was read last. Touches no disk and waits for no lock."""
        return self._content.threads.get((profile, thread_id))

    def version(self) -> object:
        """Something that is another after every change of the file, ours and those of other windows.

        Costs a look at the file's time stamp. Raises `SettingsError` if even that is refused.
        """
        return _stamp(self.path)

    def add(self, reference: ThreadReference) -> ThreadReference:
        """Put a thread into the file. One that is there already stays as it is, and is returned."""

        def change(content: _Content) -> ThreadReference:
            known = content.threads.get((reference.profile, reference.id))
            if known is None:
                content.put(reference)
            return known or reference

        return self._change(change)

    def restore(self, reference: ThreadReference) -> ThreadReference:
        """Put back a reference that `remove` returned, or take back a change, whatever the file holds now."""

        def change(content: _Content) -> ThreadReference:
            content.put(reference)
            return reference

        return self._change(change)

    def update(self, profile: str, thread_id: str, **changes: Unpack[Changes]) -> ThreadReference:
        """Change some fields of one reference and leave the others as any window last wrote them.

        Raises `KeyError` if the thread is not in the file (any more).
        """

        def change(content: _Content) -> ThreadReference:
            reference = replace(content.threads[profile, thread_id], **changes)
            content.put(reference)
            return reference

        return self._change(change)

    def remove(self, profile: str, thread_id: str) -> ThreadReference | None:
        """Take a thread out of the file and return its reference, for `restore`. None if it was not there."""
        return self._change(lambda content: content.remove((profile, thread_id)))

    def _change(self, change: Callable[[_Content], Result]) -> Result:
        with self._guard, locked(self.path):
            self._refresh(locked_already=True)
            try:
                result = change(self._content)
                write_atomic(self.path, self._content.rendered(), backup=self.backup)
                self._stamp = _stamp(self.path)
            except BaseException:
                self._content, self._stamp = _Content(), None  # what the file says holds: read it again
                with suppress(SettingsError):  # the failure itself is told
                    self._refresh(locked_already=True)
                raise
        return result

    def _refresh(self, *, locked_already: bool = False) -> None:
        """Read the file again if another window has written it since."""
        with self._guard:
            stamp = _stamp(self.path)
            if stamp == self._stamp and (stamp is not None or not self.backup.exists()):
                return
            self.foreign_changes += self._stamp is not None
            try:
                self._content = (
                    _parsed(_text(self.path), known=self._content) if stamp else _missing(self.backup)
                )
            except _DamagedError as damage:
                if locked_already:
                    self._recover(damage)
                else:
                    with locked(self.path):
                        self._refresh(locked_already=True)
                    return
            self._stamp = _stamp(self.path)

    def _recover(self, damage: "_DamagedError") -> None:
        """Keep the damaged file under a clear name and go on with the previous version. Holds the lock."""
        aside: Path | None = None
        if self.path.exists():
            aside = _free_name(self.path, time.strftime("damaged-%Y%m%d-%H%M%S"))
            try:
                self.path.replace(aside)
            except OSError as error:
                raise SettingsError(
                    f"{self.path} is damaged ({damage}) and cannot be moved: {error.strerror}."
                ) from error
        try:
            self._content = _parsed(_text(self.backup)) if self.backup.exists() else _Content()
        except _DamagedError as second:
            self._content = _Content()
            damage = _DamagedError(f"{damage}; {self.backup.name}: {second}")
        write_atomic(self.path, self._content.rendered())
        kept = f" The damaged file is kept as {aside}." if aside else ""
        count = len(self._content.threads)
        self.problems.append(
            f"{self.path}: {damage}. {count} thread{'' if count == 1 else 's'} "
            f"came back from the previous version.{kept}"
        )


class _DamagedError(Exception):
    """The text is not what this program wrote. `str` says where."""


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes whenever the file is replaced or edited; None if there is no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    return status.st_mtime_ns, status.st_ino, status.st_size


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise _DamagedError(f"byte {error.start} is not UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error


def _missing(backup: Path) -> _Content:
    if backup.exists():
        raise _DamagedError("the file was gone")
    return _Content()


def _free_name(path: Path, label: str) -> Path:
    candidate = path.with_name(f"{path.stem}.{label}{path.suffix}")
    number = 2
    while candidate.exists():
        candidate = path.with_name(f"{path.stem}.{label}-{number}{path.suffix}")
        number += 1
    return candidate


# The file's format


_PADDING = {"-": "." * 100}
"""tomli-w writes tables that fit one line as one, and such lines cannot be put after each other."""


def _rendered(table: Mapping[str, Any]) -> str:
    """One table of `threads`, with its header."""
    header, _, rest = tomli_w.dumps({"threads": [_PADDING | dict(table)]}).split("\n", 2)
    return f"{header}\n{rest}"


def _table(reference: ThreadReference) -> dict[str, Any]:
    known = {name: value for name in _KINDS if (value := getattr(reference, name)) is not None}
    return known | dict(reference.extra)


def _parsed(text: str, known: _Content | None = None) -> _Content:
    """Read the file. Tables of `known` with the same text are not parsed again."""
    preamble, *blocks = text.split(_MARK)
    if (preamble and not preamble.endswith("\n")) or not all(_FLAT.fullmatch(block) for block in blocks):
        return _parsed_slowly(text)
    seen: dict[str, ThreadReference] = {}
    if known is not None:
        seen = {text: known.threads[key] for key, text in known.texts.items()}
    if "threads" in _check(preamble):  # an array in one line
        return _parsed_slowly(text)
    content = _Content(preamble or _HEADER)
    for block in blocks:
        whole = _MARK + block.rstrip("\n") + "\n"
        reference = seen.get(whole)
        if reference is None:
            lines = block.rstrip("\n").split("\n")
            table = json.loads("{" + ",".join(['"' + line.replace(" = ", '":', 1) for line in lines]) + "}")
            if len(table) != len(lines):  # a key stands there twice
                return _parsed_slowly(text)
            reference = _reference(table)
        _keep(content, reference, whole)
    return content


def _parsed_slowly(text: str) -> _Content:
    """Read a file that was written by hand, in any form that TOML allows."""
    document = _check(text)
    tables = document.pop("threads", [])
    if not isinstance(tables, list):
        raise _DamagedError("`threads` is no array of tables")
    content = _Content(_HEADER + (tomli_w.dumps(document) if document else ""))
    for table in tables:
        if not isinstance(table, dict):
            raise _DamagedError("`threads` is no array of tables")
        _keep(content, _reference(table), _rendered(table))
    return content


def _check(text: str) -> dict[str, Any]:
    try:
        return parse_toml(text)
    except ValueError as error:
        raise _DamagedError(f"it is not TOML: {error}") from error


def _keep(content: _Content, reference: ThreadReference | None, text: str) -> None:
    if reference is None:
        content.unreadable.append(text)
    else:
        key = reference.profile, reference.id
        content.threads[key] = reference
        content.texts[key] = text


def _reference(table: Mapping[str, Any]) -> ThreadReference | None:
    """A table as a reference; None if profile or ID are missing, defaults for any other bad value."""
    known: dict[str, Any] = {}
    for name, kinds in _KINDS.items():
        value = table.get(name)
        if isinstance(value, kinds) and not (kinds is int and isinstance(value, bool)):
            known[name] = value
    if not known.get("profile") or not known.get("id"):
        return None
    return ThreadReference(**known, extra={key: value for key, value in table.items() if key not in _KINDS})
