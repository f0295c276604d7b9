"""What messages of the kernel come to, whoever wrote them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.code_interpreter import Image, Limits, Logs
from assistants_tui.engine.code_interpreter.outputs import OutputReader
from assistants_tui.engine.code_interpreter.overwritten_text import OverwrittenText

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
KINDS = ["stream", "execute_result", "display_data", "update_display_data", "error", "lost", "comm_open"]
ANY_CHARACTER = st.characters(codec=None)  # halves of characters included, as JSON can hold them
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(ANY_CHARACTER, max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
CONTENT = st.dictionaries(
    st.sampled_from(["text", "data", "traceback", "ename", "evalue", "name"]), JSON
) | st.builds(
    lambda kind, value: {"data": {kind: value}},
    st.sampled_from(["image/png", "image/jpeg", "image/svg+xml", "text/plain", "text/html"]),
    JSON | st.just(base64.b64encode(PNG).decode()),
)


def reader(**limits: int) -> OutputReader:
    return OutputReader(Limits(**limits), "/host/folder", {"pandas": "Ask for it."})


@given(st.lists(st.tuples(st.sampled_from(KINDS), CONTENT), max_size=10))
def test_any_message_is_read_within_the_limits(messages: list[tuple[str, dict[str, object]]]) -> None:
    read = reader(output_chars=50, images=2)
    outputs = [output for kind, content in messages for output in read.read(kind, content)]
    assert sum(isinstance(output, Image) for output in outputs) <= 2
    errors = sum(kind == "error" for kind, _ in messages)
    chars = sum(len(output.text) for output in outputs if isinstance(output, Logs))
    assert chars <= 50 + 200 + len(messages) * 30 + errors * 10_100
    for output in outputs:
        assert isinstance(output, Image) or (output.text.encode() and "\0" not in output.text)


def test_text_is_cut_at_the_limit_exactly() -> None:
    read = reader(output_chars=10)
    assert list(read.read("stream", {"text": "0123456789"})) == [Logs("0123456789")]
    assert list(read.read("stream", {"text": "x"})) == [Logs("\n[Output was cut at 10 characters.]\n")]
    assert list(read.read("stream", {"text": "y"})) == []
    assert list(read.read("error", {"ename": "E", "evalue": "v", "traceback": ["trace"]})) == [
        Logs("trace\n")
    ]
    assert read.error == "trace"


def test_pictures_must_be_pictures() -> None:
    good = {"image/png": base64.b64encode(PNG).decode(), "text/plain": "<Figure>"}
    assert list(reader().read("display_data", {"data": good})) == [Image("image-1.png", "image/png", PNG)]
    for bad in ("", "!", "bm8=", base64.b64encode(b"GIF89a").decode()):
        data = {"image/png": bad, "text/plain": "<Figure>"}
        assert list(reader().read("display_data", {"data": data})) == [Logs("<Figure>\n")]
    too_large = Logs("[A picture was too large to be shown. One may have 0 MiB, all of one call 32 MiB.]\n")
    assert list(reader(image_bytes=10).read("display_data", {"data": good})) == [
        too_large,
        Logs("<Figure>\n"),
    ]


def test_the_real_folder_is_not_shown() -> None:
    read = reader()
    assert list(read.read("stream", {"text": "in /host/folder/a.csv"})) == [Logs("in /mnt/data/a.csv")]
    list(read.read("error", {"ename": "E", "traceback": ["\x1b[31m/host/folder/a.csv\x1b[0m"]}))
    assert read.error == "/mnt/data/a.csv"


def test_a_long_traceback_keeps_its_beginning_and_end() -> None:
    read = reader()
    list(read.read("error", {"ename": "E", "traceback": ["first", *["line"] * 10_000, "last"]}))
    assert read.error is not None
    assert read.error.startswith("first\n")
    assert read.error.endswith("\nlast")
    assert len(read.error) < 10_100


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "No module named 'pandas'",
            "pandas is not installed on the computer that runs this code. Ask for it.",
        ),
        ("No module named 'pandas.core'", "pandas is not installed on the computer that runs this code. Ask"),
        ("No module named 'torch'", "torch is not available"),
        ("import of x halted", "This module is not available"),
    ],
)
def test_missing_modules(message: str, told: str) -> None:
    [logs] = reader().read("error", {"ename": "ModuleNotFoundError", "evalue": message})
    assert isinstance(logs, Logs)
    assert logs.text.splitlines()[-1].startswith(told)


def streamed(*texts: str, name: str = "stdout") -> str:
    """What of text that code prints in these pieces is kept."""
    read = reader()
    outputs = [one for text in texts for one in read.read("stream", {"name": name, "text": text})]
    return "".join(one.text for one in [*outputs, *read.rest()] if isinstance(one, Logs))


@pytest.mark.parametrize(
    ("pieces", "kept"),
    [
        (["\r  0%|    |", "\r 50%|##  |", "\r100%|####|\n", "done\n"], "100%|####|\ndone\n"),
        (["0%\r", "50%\r", "100%\r"], "100%"),
        (["a\r\nb\r", "\nc"], "a\nb\nc"),
        (["abc\b\b\bxyz\n"], "xyz\n"),
        (["loading", "\r1 of 2", "\r2 of 2\n", "end\n"], "loading\n2 of 2\nend\n"),
        (["\x1b[31mred\x1b[0m\n"], "red\n"),
        (["a long line\rshort\x1b[K\n"], "short\n"),
        (["\b\b\rx\x1b[Ay"], "xy"),
        (["\r", "\r", "\n"], "\n"),
    ],
)
def test_of_a_line_that_overwrites_itself_the_last_state_is_kept(pieces: list[str], kept: str) -> None:
    assert streamed(*pieces) == kept
    assert streamed("".join(pieces)).split("\n")[-2:] == kept.split("\n")[-2:]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\b\x1b\0"))))
def test_other_text_goes_through_as_it_comes(pieces: list[str]) -> None:
    read = reader()
    for piece in pieces:
        text = "".join(getattr(one, "text", "") for one in read.read("stream", {"text": piece}))
        assert text == piece
    assert list(read.rest()) == []


@given(st.lists(st.text(alphabet="ab\r\b\n", max_size=8)))
def test_lines_stay_however_they_overwrite_themselves(pieces: list[str]) -> None:
    text = streamed(*pieces)
    assert not {"\r", "\b"} & {*text}
    assert text.count("\n") >= "".join(pieces).count("\n")


def test_what_overwrites_itself_is_shown_before_what_comes_after_it() -> None:
    read = reader()
    assert list(read.read("stream", {"name": "stderr", "text": "\r 40%"})) == []
    error = {"ename": "E", "evalue": "v", "traceback": ["trace"]}
    assert list(read.read("error", error)) == [Logs(" 40%"), Logs("trace\n")]


def test_no_more_is_held_of_a_line_than_can_be_shown() -> None:
    read = reader(output_chars=10)
    for _ in range(100):
        assert list(read.read("stream", {"name": "stdout", "text": "\r" + "x" * 50})) == []
        assert list(read.read("stream", {"name": "stdout", "text": "x" * 50})) == []
    assert list(read.rest()) == [Logs("x" * 10), Logs("\n[Output was cut at 10 characters.]\n")]
    held = OverwrittenText(10)
    held.write("\r" + "x" * 50 + "\b" * 5 + "y" * 50)
    assert held.rest() == "xxxxxyyyyy"


def test_one_figure_is_shown_once_in_a_call() -> None:
    read = reader()
    data = {"image/png": base64.b64encode(PNG).decode(), "text/plain": "<Figure>"}
    assert [type(one) for one in read.read("execute_result", {"data": data})] == [Image]
    assert list(read.read("display_data", {"data": data})) == []
    other = {"image/png": base64.b64encode(PNG + b"1").decode()}
    assert [type(one) for one in read.read("display_data", {"data": other})] == [Image]
