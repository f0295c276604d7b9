"""Reads the body of a model server's answer: server-sent events, and what servers send in their place.

The protocol is one JSON object per event, ended by `[DONE]`. Servers that people run also send lines that end
with CR, byte order marks, empty events, events without a blank line between them, bare lines of JSON, one
JSON body, errors in a field named `error` or in an event of that name, and now and then the web page of a
proxy.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from assistants_tui.protocol import bounded_json

_LINE_END = re.compile(rb"\r\n|\n|\r")
_MAX_BYTES = 64 << 20  # of one line, one event or one body: more is no answer
_UNREADABLE = (ValueError, RecursionError)  # no JSON, or JSON that is nested too deeply
_SAMPLE = 200  # characters of something that is no answer, to be shown


class Item(NamedTuple):
    """One JSON value of the body. `is_error`: the server marked it as an error outside of the JSON."""

    value: object
    is_error: bool = False


class NoAnswerError(Exception):
    """The body is not of the protocol. `sample` is its beginning, or that of the part that is wrong."""

    def __init__(self, sample: str) -> None:
        super().__init__(sample)
        self.sample = sample[:_SAMPLE]


class AnswerBody:
    """Takes the bytes as they come. Feed all of them, then take what `finish` gives."""

    def __init__(self) -> None:
        self.done = False
        """Whether the server has said that its answer is whole. Nothing after that is read."""
        self._line: list[bytes] = []  # the pieces of a line that has not ended
        self._size = 0
        self._after_cr = False
        self._begun = False
        self._event = ""
        self._data: list[str] = []
        self._bare: list[str] = []  # lines that are no fields of an event

    def feed(self, data: bytes) -> Iterator[Item]:
        """The values that are whole now. Raises `NoAnswerError`."""
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
        over = self.done
        if over or not data:
            return
        self._after_cr = data.endswith(b"\r")
        *ended, rest = _LINE_END.split(data)
        for end in ended:
            line = b"".join([*self._line, end])
            self._line = []
            yield from self._read(line)
            if self.done:
                return
        if rest:
            self._line.append(rest)
        self._count(len(data))

    def finish(self) -> Iterator[Item]:
        """No more bytes will come: what is still to be read. Raises `NoAnswerError`."""
        if self.done:
            return
        yield from self._read(b"".join(self._line))
        yield from self._dispatch()
        if self._bare:
            text = "\n".join(self._bare).strip()
            yield Item(_parsed(text))

    def _read(self, line: bytes) -> Iterator[Item]:
        if not self._begun:
            line = line.removeprefix(b"\xef\xbb\xbf")
            self._begun = bool(line)
        text = line.decode("utf-8", "replace")
        if not text:
            yield from self._dispatch()
            return
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            if len(self._data) == 1 and _object(self._data[0]) is not None:
                yield from self._dispatch()  # the server leaves out the blank line between events
            if value.strip() == "[DONE]" and not self._data:
                self.done = True
            else:
                self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "error":
            yield Item(_or_text(value), is_error=True)
        elif name not in ("", "id", "retry"):
            whole = None if self._bare else _object(text)
            if whole is None:
                self._bare.append(text)
            else:
                yield Item(whole)

    def _dispatch(self) -> Iterator[Item]:
        event, data = self._event, "\n".join(self._data).strip()
        self._event, self._data, self._size = "", [], sum(map(len, self._bare))
        if data and event == "error":
            yield Item(_or_text(data), is_error=True)
        elif data:
            yield Item(_parsed(data))

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > _MAX_BYTES and (self._line or self._data or self._bare):
            raise NoAnswerError(f"more than {_MAX_BYTES >> 20} MiB without an end")


def _parsed(text: str) -> object:
    try:
        return bounded_json.parse(text)
    except _UNREADABLE:
        raise NoAnswerError(text) from None


def _object(text: str) -> object:
    try:
        value = bounded_json.parse(text)
    except _UNREADABLE:
        return None
    return value if isinstance(value, dict) else None


def _or_text(text: str) -> object:
    try:
        return bounded_json.parse(text)
    except _UNREADABLE:
        return text
