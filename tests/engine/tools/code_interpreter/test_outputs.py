"""What messages of the kernel come to, whoever wrote them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.tools.code_interpreter import Image, Limits, Logs
from assistants_tui.engine.tools.code_interpreter.outputs import OutputReader

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
    assert list(reader(image_bytes=10).read("display_data", {"data": good})) == [Logs("<Figure>\n")]


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
