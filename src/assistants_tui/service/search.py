"""Full-text search over the messages that this machine has seen.

The API cannot search, and reading all threads for every question would take forever, so every message that is
read goes into an SQLite FTS5 index (https://www.sqlite.org/fts5.html) in the user's cache. It can be deleted
at any time; what was in it comes back when the messages are read again.
"""

import asyncio
import re
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from assistants_tui.protocol.objects import Message
from assistants_tui.service import message_text
from assistants_tui.service.background import BackgroundTasks
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.files import SettingsError, private_directory

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY,
    profile TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (profile, thread_id, message_id)
);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    text, content='messages', content_rowid='number', tokenize='unicode61 remove_diacritics 2', prefix='2 3'
);
CREATE TRIGGER IF NOT EXISTS messages_put AFTER INSERT ON messages BEGIN
    INSERT INTO words (rowid, text) VALUES (new.number, new.text);
END;
CREATE TRIGGER IF NOT EXISTS messages_gone AFTER DELETE ON messages BEGIN
    INSERT INTO words (words, rowid, text) VALUES ('delete', old.number, old.text);
END;
CREATE TRIGGER IF NOT EXISTS messages_changed AFTER UPDATE ON messages BEGIN
    INSERT INTO words (words, rowid, text) VALUES ('delete', old.number, old.text);
    INSERT INTO words (rowid, text) VALUES (new.number, new.text);
END;
"""
_PUT = """
INSERT INTO messages (profile, thread_id, message_id, role, created_at, text) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (profile, thread_id, message_id) DO UPDATE SET text = excluded.text WHERE text != excluded.text
"""
_COLUMNS = "m.thread_id, m.message_id, m.role, m.created_at"
_FIND = f"""
SELECT {_COLUMNS}, snippet(words, 0, char(2), char(3), '…', 12)
FROM words JOIN messages m ON m.number = words.rowid
WHERE words MATCH ? AND m.profile = ? ORDER BY rank LIMIT ?
"""  # noqa: S608 - the columns are ours
_SCAN = f"""
SELECT {_COLUMNS}, m.text FROM messages m
WHERE m.profile = ? AND instr(lower(m.text), lower(?)) ORDER BY m.created_at DESC LIMIT ?
"""  # noqa: S608 - the columns are ours
_MARKS = {2: None, 3: None, 0: None}
_BLANKS = re.compile(r"\s+")
_AROUND = 40
"""Characters shown on both sides of a place that was found by scanning."""
_WAIT = 5.0
"""Seconds to wait for another window's write."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that matches, and the place in it."""

    thread_id: str
    message_id: str
    role: str
    created_at: int
    excerpt: tuple[tuple[str, bool], ...]
    """Pieces of the text around the place, and whether each is what was searched for."""


class SearchIndex:
    """The index of all profiles. All methods block on the disk and may be called from several threads.

    A damaged file is replaced by an empty one. Writing never raises: what is missing can be read again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def put(self, profile: str, messages: Iterable[Message]) -> None:
        """Keep the texts of messages; those that are still being written are left out."""
        rows = [
            (
                profile,
                message["thread_id"],
                message["id"],
                message["role"],
                message.get("created_at") or 0,
                _plain(message),
            )
            for message in messages
            if message.get("status") != "in_progress" and "thread_id" in message
        ]
        if rows:
            with suppress(sqlite3.Error, SettingsError, OSError), self._guard:
                connection = self._open()
                with connection:
                    connection.executemany(_PUT, rows)

    def forget(self, profile: str, thread_id: str, message_id: str | None = None) -> None:
        """Drop a message, or a whole thread."""
        where, values = "profile = ? AND thread_id = ?", [profile, thread_id]
        if message_id is not None:
            where, values = f"{where} AND message_id = ?", [*values, message_id]
        with suppress(sqlite3.Error, SettingsError, OSError), self._guard:
            connection = self._open()
            with connection:
                connection.execute(f"DELETE FROM messages WHERE {where}", values)  # noqa: S608

    def find(self, profile: str, query: str, *, limit: int = 50) -> list[Hit]:
        """The messages with all words of the query, the best first; words may be cut short at their end.

        Where no word begins so, messages that contain the query as it stands: scripts without spaces between
        words are found that way. Raises `ServiceError` if the index cannot be used.
        """
        words = query.replace("\0", " ").split()
        if not words:
            return []
        wanted = " ".join('"{}"*'.format(word.replace('"', '""')) for word in words)
        try:
            with self._guard:
                connection = self._open()
                found = connection.execute(_FIND, (wanted, profile, limit)).fetchall()
                if found:
                    return [Hit(row[0], row[1], row[2], row[3], _pieces(row[4])) for row in found]
                phrase = " ".join(words)
                found = connection.execute(_SCAN, (profile, phrase, limit)).fetchall()
                return [Hit(row[0], row[1], row[2], row[3], _around(row[4], phrase)) for row in found]
        except (sqlite3.Error, SettingsError, OSError) as error:
            raise ServiceError(
                f"The search index {self._path} cannot be used: {error}.",
                "Delete the file; it fills again as threads are opened.",
                kind="settings",
            ) from error

    def close(self) -> None:
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            private_directory(self._path.parent)
            try:
                self._connection = self._connected()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):  # locked, or no right to write
                    raise
                for suffix in ("", "-wal", "-shm"):
                    self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
                self._connection = self._connected()
        return self._connection

    def _connected(self) -> sqlite3.Connection:
        if not self._path.exists():
            self._path.touch(mode=0o600)
        connection = sqlite3.connect(self._path, timeout=_WAIT, check_same_thread=False)
        try:
            connection.executescript(_SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection


class MessageSearch:
    """The messages of one profile in the index, without blocking the event loop."""

    def __init__(self, index: SearchIndex, profile: str, tasks: BackgroundTasks) -> None:
        self._index = index
        self._profile = profile
        self._tasks = tasks

    def put(self, messages: Iterable[Message]) -> None:
        """Keep the texts of messages, in the background."""
        self._tasks.start(asyncio.to_thread(self._index.put, self._profile, list(messages)))

    async def find(self, query: str) -> list[Hit]:
        """Messages that match, of those that this machine has seen. Raises `ServiceError`."""
        return await asyncio.to_thread(self._index.find, self._profile, query)

    async def forget(self, thread_id: str, message_id: str | None = None) -> None:
        """Drop a message, or a whole thread."""
        await asyncio.to_thread(self._index.forget, self._profile, thread_id, message_id)

    async def close(self) -> None:
        """Close the index."""
        await asyncio.to_thread(self._index.close)


def _plain(message: Message) -> str:
    return message_text.render_text(message).text.translate(_MARKS).encode(errors="replace").decode()


def _pieces(snippet: str) -> tuple[tuple[str, bool], ...]:
    pieces: list[tuple[str, bool]] = []
    for number, part in enumerate(snippet.split("\x02")):
        marked, _, plain = part.partition("\x03") if number else ("", "", part)
        pieces += [(marked, True), (plain, False)]
    return tuple((_BLANKS.sub(" ", text), is_match) for text, is_match in pieces if text)


def _around(text: str, phrase: str) -> tuple[tuple[str, bool], ...]:
    found = re.search(re.escape(phrase), text, re.IGNORECASE)  # `lower` may change the length of a text
    at, end = found.span() if found else (0, 0)
    start = max(0, at - _AROUND)
    before = ("…" if start else "") + text[start:at]
    after = text[end : end + _AROUND] + ("…" if end + _AROUND < len(text) else "")
    pieces = ((before, False), (text[at:end], True), (after, False))
    return tuple((_BLANKS.sub(" ", piece), is_match) for piece, is_match in pieces if piece)
