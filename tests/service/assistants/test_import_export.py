"""Assistants in files: what is written is read again, and what was kept from version 1 is migrated."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.http.requests.assistants import NewAssistant
from assistants_tui.protocol.objects import Json
from assistants_tui.service.assistants.import_export import AssistantFileError, read_assistants, written
from assistants_tui.service.assistants.v1 import migrated

SHOWN: Any = {
    "id": "asst_1",
    "object": "assistant",
    "created_at": 1,
    "name": "Überprüfer 日本",
    "description": None,
    "model": "m",
    "instructions": "Zeile\nzwei",
    "tools": [{"type": "code_interpreter"}],
    "tool_resources": {"code_interpreter": {"file_ids": ["file-1"]}},
    "metadata": {"team": "north"},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}
SENT = {
    name: value
    for name, value in SHOWN.items()
    if name not in {"id", "object", "created_at"} and value is not None
}


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_written_is_read_again(count: int) -> None:
    text = written([SHOWN] * count)
    assert "日本" in text
    read = read_assistants(text)
    assert [one.fields for one in read] == [SENT] * count
    assert all(one.notes == () and one.problem is None for one in read)
    assert "tool_resources" not in read[0].without_resources


@pytest.mark.parametrize(
    "value", [SHOWN, [SHOWN], {"object": "list", "data": [SHOWN], "has_more": False}, {"assistants": [SHOWN]}]
)
def test_every_shape_of_a_file(value: object) -> None:
    assert [one.fields for one in read_assistants(json.dumps(value))] == [SENT]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            {"tools": [{"type": "retrieval"}]},
            {"tools": [{"type": "file_search"}]},
            ["“retrieval” is called “file_search”"],
        ),
        (
            {"tools": [{"type": "code-interpreter"}]},
            {"tools": [{"type": "code_interpreter"}]},
            ["“code-interpreter” is called “code_interpreter”"],
        ),
        (
            {"tools": [{"type": "code_interpreter"}], "file_ids": ["file-1"]},
            {
                "tools": [{"type": "code_interpreter"}],
                "tool_resources": {"code_interpreter": {"file_ids": ["file-1"]}},
            },
            ["1 file for the code interpreter"],
        ),
        (
            {"tools": [{"type": "retrieval"}], "file_ids": ["file-1", "file-2"]},
            {
                "tools": [{"type": "file_search"}],
                "tool_resources": {"file_search": {"vector_stores": [{"file_ids": ["file-1", "file-2"]}]}},
            },
            ["“retrieval”", "2 files for file search"],
        ),
        (
            {"tools": [{"type": "retrieval"}, {"type": "code_interpreter"}], "file_ids": ["file-1"]},
            {
                "tools": [{"type": "file_search"}, {"type": "code_interpreter"}],
                "tool_resources": {
                    "file_search": {"vector_stores": [{"file_ids": ["file-1"]}]},
                    "code_interpreter": {"file_ids": ["file-1"]},
                },
            },
            ["“retrieval”", "for file search", "for the code interpreter"],
        ),
        (
            {"file_ids": ["file-1"]},
            {"tool_resources": {"code_interpreter": {"file_ids": ["file-1"]}}},
            ["for the code interpreter"],
        ),
        ({"file_ids": []}, {}, []),
    ],
)
def test_version_1_becomes_version_2(before: Json, after: Json, told: list[str]) -> None:
    (read,) = read_assistants(json.dumps({"model": "gpt-4-1106-preview", **before}))
    assert read.fields == {"model": "gpt-4-1106-preview", **after}
    assert read.problem is None
    assert len(read.notes) == len(told)
    assert all(part in note for part, note in zip(told, read.notes, strict=True))
    NewAssistant.model_validate(read.fields)


def test_what_does_not_belong_is_left_out_and_named() -> None:
    (read,) = read_assistants(json.dumps({**SHOWN, "colour": "blue"}))
    assert read.fields == SENT
    assert read.notes == ("“colour” is no field of an assistant; it is left out.",)


def test_an_assistant_without_a_model_gets_the_default_one() -> None:
    text = json.dumps({"name": "A"})
    (read,) = read_assistants(text, default_model="local")
    assert read.fields == {"name": "A", "model": "local"}
    assert read.notes == ("It names no model; it gets local.",)
    (read,) = read_assistants(text)
    assert "model" in (read.problem or "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON yet"),
        ("{", "line 1"),
        ("[]", "no assistant"),
        ("3", "no assistant"),
        ('{"object": "thread", "id": "t"}', "Entry 1 is a thread"),
        ("[3]", "Entry 1 is no object"),
        (json.dumps([{"model": "m"}] * 1001), "1,001 assistants"),
    ],
)
def test_what_is_no_file_of_assistants(text: str, said: str) -> None:
    with pytest.raises(AssistantFileError, match=said):
        read_assistants(text)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "x" * 257}, "name: 257"),
        ({"name": 3}, "“name”"),
        ({"temperature": True}, "“temperature”"),
        ({"tools": "code_interpreter"}, "“tools”"),
        ({"tools": [{"type": "function"}]}, "functions"),
        ({"tool_resources": {"code_interpreter": ["file-1"]}}, "shape of the API"),
        ({"metadata": {"a": 1}}, "metadata"),
    ],
)
def test_what_no_server_would_take_is_told(fields: Json, said: str) -> None:
    (read,) = read_assistants(json.dumps({"model": "m", **fields}))
    assert said in (read.problem or "")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "model", "tools", "type", "file_ids", "tool_resources", "metadata", "data"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_a_file_holds_there_is_an_answer(value: object) -> None:
    try:
        read = read_assistants(json.dumps(value))
    except AssistantFileError as error:
        assert str(error).endswith(".")
    else:
        assert all(one.title for one in read)


@given(st.dictionaries(st.sampled_from(["model", "tools", "file_ids", "name"]), JSON))
def test_migrating_twice_changes_nothing_more(fields: Json) -> None:
    once, _ = migrated(fields)
    assert migrated(once) == (once, [])
