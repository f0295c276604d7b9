"""Bytes from the terminal as the messages that Textual's widgets know.

Textual's own parser (`textual._xterm_parser`) takes a paste for keys where an escape sequence stands in it,
so it gets the keys alone.
"""

import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

from assistants_tui.tui.terminal.paste_reader import Pasted, PasteReader
from assistants_tui.tui.terminal.pasted_text import without_escapes


class TypedKey(events.Key):
    """A key that types a character which Python does not call printable, as U+3000, U+200D or U+00A0.

    Text fields take what is printable. For a person that is every character that is no control character.
    """

    @property
    def is_printable(self) -> bool:
        return True

    def copy(self) -> "TypedKey":
        return TypedKey(self.key, self.character)


TypedKey.handler_name = events.Key.handler_name  # Textual finds the methods that handle it by this


_ALT_ENTER = ("\x1b\r", "\x1b\n")


class _KeyParser(XTermParser):
    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if sequence in _ALT_ENTER:  # to Textual it is Enter, which sends a message
            return [events.Key("alt+enter", None)]
        try:
            return [*super()._sequence_to_key_events(sequence, alt)]
        except (ValueError, OverflowError):  # numbers that no key and no character has
            return []

    def settle(self) -> Iterable[Message]:
        """Take what has come for all there is: an escape is the key."""
        if self._timeout_time is not None:
            self._timeout_time = 0.0
        return self.tick()


class TerminalInput:
    """Takes bytes piece by piece and yields messages. Bytes that are no UTF-8 become U+FFFD.

    `now` is always the time in seconds, of a clock that never goes back.
    """

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._pastes = PasteReader()
        self._keys = _KeyParser()

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do, as far as that is known."""
        return self._pastes.deadline

    def feed(self, data: bytes, now: float) -> Iterator[Message]:
        """Take what was read."""
        yield from self._messages(self._pastes.feed(self._decode(data), now))

    def tick(self, now: float) -> Iterator[Message]:
        """Nothing has come until `now`."""
        if self.deadline is None:
            yield from map(_typed, self._keys.tick())
            return
        pieces = list(self._pastes.tick(now))
        yield from self._messages(pieces)
        if pieces and isinstance(pieces[0], str):  # the time for more of it is over
            yield from map(_typed, self._keys.settle())

    def end(self) -> Iterator[Message]:
        """Nothing will come any more: what was pasted and not ended is a paste all the same."""
        yield from self._messages(self._pastes.end())
        yield from map(_typed, self._keys.settle())

    def _messages(self, pieces: Iterable[str | Pasted]) -> Iterator[Message]:
        for piece in pieces:
            if isinstance(piece, str):
                yield from map(_typed, self._keys.feed(piece))
                continue
            yield from map(_typed, self._keys.settle())  # before it, what was typed before it
            if text := without_escapes(piece.text):
                yield events.Paste(text)


def _typed(message: Message) -> Message:
    if isinstance(message, events.Key) and message.character is not None and not message.is_printable:
        categories = map(unicodedata.category, message.character)
        if message.character and not any(category in {"Cc", "Cs", "Zl", "Zp"} for category in categories):
            return TypedKey(message.key, message.character)
    return message
