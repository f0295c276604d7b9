"""Bodies of model servers in all the forms that they have, in pieces of any size."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.models.answer_stream import AnswerBody, Item, NoAnswerError

ONE, TWO = {"text": "Grüße"}, {"text": "日本 🎉\u2028\u0085"}


def event(value: object, *, ascii_only: bool = True) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=ascii_only).encode() + b"\n\n"


PLAIN = event(ONE, ascii_only=False) + event(TWO, ascii_only=False) + b"data: [DONE]\n\n"
FORMS = {
    "as published": PLAIN,
    "CRLF": PLAIN.replace(b"\n", b"\r\n"),
    "CR": PLAIN.replace(b"\n", b"\r"),
    "byte order mark": b"\xef\xbb\xbf" + PLAIN,
    "comments": b": PROCESSING\n\n:\n\n" + PLAIN.replace(b"\n\n", b"\n\n: ping\n\n"),
    "no space": PLAIN.replace(b"data: ", b"data:"),
    "empty events": b"data:\n\ndata: \n\n" + PLAIN,
    "other fields": b"retry: 3000\nid: 1\nevent: message\n" + PLAIN,
    "two lines of data": PLAIN.replace(b'{"text"', b'{\ndata: "text"'),
    "no blank lines": PLAIN.replace(b"\n\n", b"\n"),
    "text after the end": PLAIN + event({"text": "late"}),
    "no end": event(ONE) + event(TWO),
    "no blank line at the end": (event(ONE) + event(TWO))[:-2],
    "lines of JSON": json.dumps(ONE).encode() + b"\n" + json.dumps(TWO).encode() + b"\n",
    "lines of JSON without the last line end": json.dumps(ONE).encode() + b"\n" + json.dumps(TWO).encode(),
}


def read(body: bytes, size: int) -> tuple[list[Item], AnswerBody]:
    reader = AnswerBody()
    items: list[Item] = []
    for at in range(0, len(body), size):
        items += reader.feed(body[at : at + size])
    return [*items, *reader.finish()], reader


@pytest.mark.parametrize("form", FORMS)
@given(size=st.integers(1, 60))
def test_every_form_gives_the_same_values(form: str, size: int) -> None:
    items, reader = read(FORMS[form], size)
    assert items == [Item(ONE), Item(TWO)]
    assert reader.done == (b"[DONE]" in FORMS[form])


@pytest.mark.parametrize("value", [{"choices": [1, {"a": 2}]}, [{"error": {"message": "No."}}]])
@given(size=st.integers(1, 60))
def test_one_body_of_json(value: Any, size: int) -> None:
    for indent in (None, 2):
        items, _ = read(json.dumps(value, indent=indent).encode(), size)
        assert items == [Item(value)]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'error: {"message": "slot crashed"}\n\ndata: [DONE]\n\n', {"message": "slot crashed"}),
        (b'event: error\ndata: {"message": "unloaded"}\n\n', {"message": "unloaded"}),
        (b"event: error\ndata: out of memory\n\n", "out of memory"),
    ],
)
def test_errors_beside_the_protocol_are_marked(body: bytes, value: object) -> None:
    assert read(body, 7)[0] == [Item(value, is_error=True)]


@pytest.mark.parametrize(
    "body",
    [b"<html>\n<body>Please sign in</body></html>", b'data: {"half\n\n', b"Internal Server Error\n"],
)
def test_what_is_no_answer_is_shown(body: bytes) -> None:
    with pytest.raises(NoAnswerError) as caught:
        read(body, 5)
    assert caught.value.sample[:8] in body.decode()


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_bytes_are_read_or_refused(body: bytes, size: int) -> None:
    try:
        read(body, size)
    except NoAnswerError as refused:
        assert len(refused.sample) <= 200


@pytest.mark.parametrize("frame", [b"data: %b\n\n", b"%b\n", b"%b"], ids=["event", "line", "body"])
@pytest.mark.parametrize("many", [b"[" + b"[]," * 200_000 + b"0]", b"9" * 100_000], ids=["lists", "digits"])
def test_millions_of_values_are_no_answer(frame: bytes, many: bytes) -> None:
    with pytest.raises(NoAnswerError):
        read(frame % (b'{"x":' + many + b"}"), 1 << 16)
