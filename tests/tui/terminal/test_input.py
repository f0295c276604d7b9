"""Bytes of a terminal, in any pieces, and the keys and texts that they are."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual import events

from assistants_tui.tui.terminal.input import TerminalInput

SOON, LATER, MUCH_LATER = 0.02, 0.3, 5.0


class Terminal:
    """Sends bytes at times, and keeps what they were taken for: `("key", …)`, `("paste", …)`."""

    def __init__(self) -> None:
        self.input = TerminalInput()
        self.now = 1000.0
        self.got: list[tuple[str, str]] = []
        self.typed = ""

    def send(self, *pieces: bytes | str, gap: float = 0.0) -> "Terminal":
        for piece in pieces:
            self._take(self.input.feed(piece.encode() if isinstance(piece, str) else piece, self.now))
            self.wait(gap)
        return self

    def wait(self, seconds: float) -> "Terminal":
        """Let time pass as the reading thread does: until the next deadline, as often as there is one."""
        until = self.now + seconds
        while (due := self.input.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            self._take(self.input.tick(self.now))
        self.now = until
        return self

    def end(self) -> list[tuple[str, str]]:
        self.wait(MUCH_LATER)
        self._take(self.input.end())
        return self.got

    def _take(self, messages: object) -> None:
        for message in messages:  # type: ignore[attr-defined]
            match message:
                case events.Paste():
                    self.got.append(("paste", message.text))
                case events.Key():
                    self.got.append(("key", message.key))
                    self.typed += message.character or "" if message.is_printable else ""
                case _:
                    self.got.append((type(message).__name__, ""))


def paste(text: str) -> str:
    return f"\x1b[200~{text}\x1b[201~"


def taken(*pieces: bytes | str, gap: float = 0.0) -> list[tuple[str, str]]:
    return Terminal().send(*pieces, gap=gap).end()


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("ok \x1b[31mred\x1b[0m end", "ok red end"),
        ("error: \x1b[31mfile a.c\x1b[0m line 7\rsecond line", "error: file a.c line 7\nsecond line"),
        ("rm \x1b[13u -rf", "rm \n -rf"),
        ("x \x1b[113;5u y \x11 z \x1b[A", "x  y  z "),
        ("log \x1b[0m\x0e some more text of the same line, long enough", None),
        ("می\u200cخواهم\u3000\u00a0", "می\u200cخواهم\u3000\u00a0"),
        ("\x1b[200~twice\x1b[200~", "twice"),
        ("moved \x1b[<35;10;10M\x1b[I\x1b[O the mouse", "moved  the mouse"),
    ],
)
def test_nothing_in_a_paste_is_a_key(sent: str, text: str | None) -> None:
    wanted = text if text is not None else "log  some more text of the same line, long enough"
    assert taken(paste(sent)) == [("paste", wanted)]


@pytest.mark.parametrize("cut", range(1, 6))
@pytest.mark.parametrize("gap", [SOON, 0.05, 0.09, LATER])
def test_a_start_mark_in_two_pieces_is_one(cut: int, gap: float) -> None:
    sent = paste("first\rsecond\rthird")
    got = taken(sent[:cut], sent[cut:], gap=gap)
    pressed, pasted = got[:-1], got[-1]
    assert pasted == ("paste", "first\nsecond\nthird")
    # what begins a mark and then nothing for long is the key; the mark is one all the same
    assert pressed == ([("key", "escape")] if cut == 1 and gap == LATER else [])


@pytest.mark.parametrize("cut", range(1, 6))
def test_an_end_mark_in_two_pieces_is_one(cut: int) -> None:
    sent = paste("text")
    assert taken(sent[: -6 + cut], sent[-6 + cut :], "\r", gap=LATER) == [("paste", "text"), ("key", "enter")]


def test_keys_are_keys_before_and_after_a_paste() -> None:
    got = taken("a\x1b[A", paste("b\rc"), "d\r")
    assert got == [("key", "a"), ("key", "up"), ("paste", "b\nc"), ("key", "d"), ("key", "enter")]
    assert taken("\x1b" + paste("b"))[-1] == ("paste", "b")
    assert ("key", "enter") not in taken("\x1b" + paste("b\r"))


def test_an_end_mark_in_the_pasted_text_ends_nothing() -> None:
    assert taken(paste("x \x1b[201~\r y")) == [("paste", "x \n y")]
    assert taken(paste("x \x1b[201~\r"), "\r", gap=LATER) == [("paste", "x \n"), ("key", "enter")]
    assert taken(paste("x \x1b[201~\r\x1b[200~ y")) == [("paste", "x \n y")]
    pieces = [paste("x \x1b[201~\r" + "y" * 10_000)[start : start + 4096] for start in range(0, 12_000, 4096)]
    assert taken(*pieces, gap=SOON) == [("paste", "x \n" + "y" * 10_000)]


def test_pastes_that_touch_are_two() -> None:
    assert taken(paste("/tmp/a.png") + paste("/tmp/b.png")) == [
        ("paste", "/tmp/a.png"),
        ("paste", "/tmp/b.png"),
    ]
    assert taken(paste("one"), "\r", paste("two"), gap=LATER) == [
        ("paste", "one"),
        ("key", "enter"),
        ("paste", "two"),
    ]


def test_the_mouse_does_not_hold_up_a_paste() -> None:
    terminal = Terminal().send(paste("text"))
    for _ in range(20):
        terminal.send("\x1b[<35;10;10M", gap=0.01)
    assert terminal.got[0] == ("paste", "text")


def test_a_paste_without_an_end_is_shown_and_can_be_left() -> None:
    terminal = Terminal().send("\x1b[200~one\rtw", gap=MUCH_LATER)
    assert terminal.got == [("paste", "one\ntw")]
    terminal.send("o\r\x1b[20", gap=MUCH_LATER)
    assert terminal.got[1:] == [("paste", "o\n")]
    terminal.send("1~\r", gap=LATER)  # the end came late
    assert terminal.got[2:] == [("key", "enter")]
    for key in ("\x03", "\x11", "\x1b[99;5u"):
        terminal = Terminal().send("\x1b[200~one", gap=MUCH_LATER).send(key, "\r", gap=LATER)
        assert terminal.got == [("paste", "one"), ("key", "enter")]
    assert taken("\x1b[200~one\x03\rtwo")[0] == ("paste", "one\ntwo")


def test_what_was_pasted_when_the_terminal_goes_away_is_a_paste() -> None:
    terminal = Terminal().send("\x1b[200~one\rtwo")
    terminal._take(terminal.input.end())
    assert terminal.got == [("paste", "one\ntwo")]


def test_the_escape_key_is_not_kept_waiting() -> None:
    terminal = Terminal().send("\x1b").wait(0.11)
    assert terminal.got == [("key", "escape")]
    assert taken("\x1b", "[", "A", gap=SOON) == [("key", "up")]
    assert taken("\x1b", "[", "2", "0", "~", gap=SOON) == [("key", "f9")]


@pytest.mark.parametrize("sent", ["\x1b\r", "\x1b\n"])
def test_alt_and_enter_is_a_key_of_its_own(sent: str) -> None:
    assert Terminal().send("a" + sent + "b").end() == [("key", "a"), ("key", "alt+enter"), ("key", "b")]
    apart = Terminal().send("\x1b", gap=LATER).send(sent[1:]).end()
    assert [key for _, key in apart] == ["escape", "enter" if sent.endswith("\r") else "ctrl+j"]


def test_bytes_that_are_no_utf8_become_replacement_characters() -> None:
    assert taken(b"\x1b[200~caf\xe9 \xff\x9b31m\x1b[201~") == [("paste", "caf\ufffd \ufffd\ufffd31m")]
    terminal = Terminal().send(b"caf\xe9!")
    assert terminal.typed == "caf\ufffd!"
    whole = "日本".encode()
    assert taken(b"\x1b[200~" + whole[:4], whole[4:] + b"\x1b[201~") == [("paste", "日本")]


@pytest.mark.parametrize(
    "text",
    [
        "東京\u3000天気",
        "10\u00a0000\u202f€",
        "می\u200cخواهم",
        "\U0001f469\u200d\U0001f4bb\U0001f3f4\u200d\u2620\ufe0f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "a\u200f\u200eb\u061c",
        "soft\u00adhyphen",
        "\ue0b0 \U0001fae8 \U000e1fff",  # of a private area, newer than this Python, not assigned at all
        "word\u2060joiner\ufeff",
    ],
)
def test_every_typed_character_is_printable(text: str) -> None:
    terminal = Terminal().send(text)
    assert terminal.typed == text
    terminal = Terminal().send(
        "".join(f"\x1b[{ord(sign)};;{ord(sign)}u" for sign in text)
    )  # kitty's protocol
    assert terminal.typed == text


def test_controls_are_keys_and_no_text() -> None:
    terminal = Terminal().send("\x00\x01\x09\x0d\x1f\x7f\x85\x9b")
    assert terminal.typed == ""


KEYS = st.sampled_from(["a", "é", "\u3000", "\r", "\x1b[A", "\x1bOP", "\x1b[113;5u", "\x1b[<35;9;9M", "\x11"])
INSIDE = st.lists(
    st.sampled_from(
        ["a", "日", "\r", "\n", "\t", "\x1b", "[", "3", "1", "m", "~", "\x11", "\x1b[201", "\x00"]
    )
).map("".join)
STREAMS = st.lists(KEYS | INSIDE.map(paste) | st.sampled_from(["\x1b[200~", "\x1b[201~", "\xff"])).map(
    "".join
)


@given(STREAMS, st.lists(st.integers(0, 400)))
@example("\x1b" + paste("b") + "\x1b[20", [1, 2, 3, 9])
def test_the_pieces_make_no_difference(stream: str, cuts: list[int]) -> None:
    data = stream.encode()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert taken(*pieces) == taken(data)
    assert taken(*(data[place : place + 1] for place in range(len(data)))) == taken(data)


@given(INSIDE, st.lists(st.integers(0, 60)), st.sampled_from([0.0, SOON]))
def test_no_paste_presses_a_key(text: str, cuts: list[int], gap: float) -> None:
    data = paste(text).encode()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    got = taken(*(data[start:end] for start, end in pairwise(places)), gap=gap)
    assert {kind for kind, _ in got} <= {"paste"}


@given(st.binary() | st.text("\x1b[]0123456789;:<uM~R?$y", max_size=60).map(str.encode))
@example(b"\x1b[1114112u")  # one more than the last character
@example(b"\x1b[99999999999999999999u")
@example(b"\x1b[97;1:3u")
@example(b"\x1b[:u")
def test_no_bytes_end_the_reading(data: bytes) -> None:
    terminal = Terminal().send(data)
    terminal.wait(MUCH_LATER)
    terminal.send("\x1b[201~", gap=LATER).send(b"z", gap=LATER)
    assert terminal.got


def test_a_paste_of_a_megabyte_is_read_at_once() -> None:
    text = "a line of a long log, with ünicode\n" * 30_000
    data = paste(text).encode()
    pieces = [data[start : start + 4096] for start in range(0, len(data), 4096)]
    assert taken(*pieces) == [("paste", text)]
