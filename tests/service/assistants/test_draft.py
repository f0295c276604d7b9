"""The form's view of an assistant: what is shown, what is sent, and where complaints belong."""

from dataclasses import fields, replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assistants_tui.engine.http.requests.assistants import AssistantChanges, NewAssistant
from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Json
from assistants_tui.service import metadata
from assistants_tui.service.assistants.checks import (
    REASONING_EFFORTS,
    hints,
    problems,
)
from assistants_tui.service.assistants.draft import (
    AssistantDraft,
    Field,
    body,
    changes,
    copy_of,
    draft_of,
    field_of,
    new_body,
)

SHOWN: Any = {
    "id": "asst_1",
    "object": "assistant",
    "created_at": 1763600000,
    "name": "Ledger helper",
    "description": None,
    "model": "local-small",
    "instructions": "Answer from the ledger.",
    "tools": [
        {"type": "code_interpreter"},
        {
            "type": "file_search",
            "file_search": {
                "max_num_results": 8,
                "ranking_options": {"ranker": "default_2024_08_21", "score_threshold": 0.2},
                "later": True,
            },
        },
        {
            "type": "function",
            "function": {"name": "tide", "parameters": {"type": "object", "properties": {}}},
        },
        {"type": "browser", "browser": {"depth": 2}},
    ],
    "tool_resources": {
        "code_interpreter": {"file_ids": ["file-c1"]},
        "file_search": {"vector_store_ids": ["vs_1"]},
        "browser": {"pages": 3},
    },
    "metadata": {"team": "north"},
    "temperature": 1.0,
    "top_p": 0.9,
    "response_format": "auto",
}


def test_an_assistant_is_shown_as_it_is() -> None:
    draft = draft_of(SHOWN)
    assert (draft.name, draft.description, draft.temperature, draft.top_p) == (
        "Ledger helper",
        "",
        "1",
        "0.9",
    )
    assert (draft.code_interpreter, draft.file_ids) == (True, ("file-c1",))
    assert (draft.file_search, draft.max_num_results, draft.score_threshold) == (True, "8", "0.2")
    assert [function["name"] for function in draft.functions] == ["tide"]
    assert draft.metadata == "team = north"
    assert body(draft)["tools"] == SHOWN["tools"]
    assert body(draft)["tool_resources"] == SHOWN["tool_resources"]


@pytest.mark.parametrize(
    ("changed", "sent"),
    [
        ({}, {}),
        ({"name": "New"}, {"name": "New"}),
        ({"name": ""}, {"name": None}),
        ({"temperature": "0.3"}, {"temperature": 0.3}),
        ({"temperature": "1.0"}, {}),
        ({"temperature": ""}, {"temperature": None}),
        ({"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
        ({"metadata": "team = south\nyear = 2026"}, {"metadata": {"team": "south", "year": "2026"}}),
        ({"metadata": ""}, {"metadata": {}}),
        ({"model": " local-small "}, {}),
        ({"response_format": {"type": "text"}}, {"response_format": {"type": "text"}}),
    ],
)
def test_only_what_differs_is_sent(changed: Json, sent: Json) -> None:
    before = draft_of(SHOWN)
    assert changes(before, replace(before, **changed)) == sent


def test_tools_and_resources_of_kinds_that_nobody_knows_stay() -> None:
    before = draft_of(SHOWN)
    sent = changes(before, replace(before, code_interpreter=False, max_num_results="9", file_ids=()))
    assert sent.keys() == {"tools", "tool_resources"}
    assert {"type": "browser", "browser": {"depth": 2}} in sent["tools"]
    assert sent["tools"][0]["file_search"] == {**SHOWN["tools"][1]["file_search"], "max_num_results": 9}
    assert sent["tool_resources"]["browser"] == {"pages": 3}
    assert sent["tool_resources"]["file_search"] == {"vector_store_ids": ["vs_1"]}


def test_a_new_assistant_sends_what_was_filled_in() -> None:
    assert new_body(AssistantDraft(model="m")) == {"model": "m"}
    assert new_body(AssistantDraft(model="m", file_search=True, vector_store_ids=("vs_1",))) == {
        "model": "m",
        "tools": [{"type": "file_search"}],
        "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}},
    }


def test_a_copy_has_a_name_that_fits() -> None:
    assert copy_of(SHOWN).name == "Ledger helper (copy)"
    assert len(copy_of(SHOWN | {"name": "x" * limits.MAX_NAME}).name) == limits.MAX_NAME
    assert copy_of(SHOWN | {"name": None}).name == ""
    assert replace(copy_of(SHOWN), name="Ledger helper") == draft_of(SHOWN)


@pytest.mark.parametrize(
    ("param", "field"),
    [
        ("name", "name"),
        ("tools[0].type", "code_interpreter"),
        ("tools[1].file_search.max_num_results", "max_num_results"),
        ("tools[1].file_search.ranking_options.score_threshold", "score_threshold"),
        ("tools[1]", "file_search"),
        ("tools[2].function.name", "functions"),
        ("tools[9]", "functions"),
        ("tools", "functions"),
        ("tool_resources.code_interpreter.file_ids[3]", "file_ids"),
        ("tool_resources.file_search.vector_store_ids", "vector_store_ids"),
        ("response_format.json_schema.name", "response_format"),
        ("metadata.key", "metadata"),
        ("id", None),
        ("", None),
        (None, None),
    ],
)
def test_a_complaint_of_the_server_finds_its_field(param: str | None, field: Field | None) -> None:
    assert field_of(param, draft_of(SHOWN)) == field


def test_a_complaint_about_tools_for_a_formats_sake_is_the_formats() -> None:
    draft = replace(draft_of(SHOWN), response_format={"type": "json_object"})
    assert field_of("tools", draft) == "response_format"


TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True)
NUMBERS = st.floats(-1, 3).map(repr) | st.integers(-1, 60).map(str) | st.sampled_from(["", " ", "x", "nan"])
BAD_FORMATS: list[Json] = [
    {"type": "json_schema"},
    {"type": "json_schema", "json_schema": {"name": "an answer"}},
]
FORMATS = st.sampled_from(
    [
        "auto",
        {"type": "text"},
        {"type": "json_object"},
        {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}},
        *BAD_FORMATS,
    ]
)
DRAFTS = st.builds(
    AssistantDraft,
    name=TEXT | st.sampled_from(["n" * limits.MAX_NAME, "n" * (limits.MAX_NAME + 1)]),
    description=TEXT | st.sampled_from(["d" * limits.MAX_DESCRIPTION, "d" * (limits.MAX_DESCRIPTION + 1)]),
    model=TEXT,
    instructions=TEXT,
    code_interpreter=st.booleans(),
    file_ids=st.lists(st.uuids().map("file-{}".format), max_size=limits.MAX_CODE_FILES + 2).map(tuple),
    file_search=st.booleans(),
    max_num_results=NUMBERS,
    score_threshold=NUMBERS,
    vector_store_ids=st.lists(NAMES.map("vs_{}".format), max_size=2).map(tuple),
    functions=st.lists(
        st.fixed_dictionaries(
            {"name": NAMES | TEXT}, optional={"description": TEXT, "parameters": st.just({"type": "object"})}
        ),
        max_size=3,
    ).map(tuple),
    response_format=FORMATS,
    temperature=NUMBERS,
    top_p=NUMBERS,
    reasoning_effort=st.sampled_from(["", *REASONING_EFFORTS]),
    metadata=st.dictionaries(TEXT, TEXT, max_size=18).map(metadata.as_lines) | TEXT,
)


GOOD_DRAFTS = st.builds(
    AssistantDraft,
    name=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12),
    description=TEXT,
    model=NAMES,
    instructions=TEXT,
    code_interpreter=st.booleans(),
    file_ids=st.lists(NAMES.map("file-{}".format), max_size=limits.MAX_CODE_FILES).map(tuple),
    file_search=st.booleans(),
    max_num_results=st.just("") | st.integers(1, 50).map(str),
    score_threshold=st.just("") | st.floats(0, 1).map(repr),
    vector_store_ids=st.lists(NAMES.map("vs_{}".format), max_size=1).map(tuple),
    functions=st.lists(
        st.fixed_dictionaries({"name": NAMES}, optional={"description": TEXT}),
        max_size=3,
        unique_by=lambda function: function["name"],
    ).map(tuple),
    response_format=FORMATS.filter(lambda value: value not in BAD_FORMATS),
    temperature=st.just("") | st.floats(0, 2).map(repr),
    top_p=st.just("") | st.floats(0, 1).map(repr),
    reasoning_effort=st.sampled_from(["", *REASONING_EFFORTS]),
    metadata=st.dictionaries(TEXT, TEXT, max_size=16).map(metadata.as_lines),
)


@given(GOOD_DRAFTS)
def test_what_has_no_problem_is_what_the_engine_takes(draft: AssistantDraft) -> None:
    assert problems(draft) == {}
    NewAssistant.model_validate(new_body(draft))
    AssistantChanges.model_validate(body(draft))


@given(DRAFTS.filter(problems))
def test_what_has_a_problem_is_what_the_engine_refuses(draft: AssistantDraft) -> None:
    try:
        sent = new_body(draft)
    except ValueError:
        return  # what cannot be read cannot be sent
    ignored = {"max_num_results", "score_threshold"} if not draft.file_search else set()
    if problems(draft).keys() - ignored - {"model"}:  # a server takes blanks for a model's name
        with pytest.raises(ValidationError):
            NewAssistant.model_validate(sent)


@given(GOOD_DRAFTS, GOOD_DRAFTS)
def test_sending_the_changes_makes_one_assistant_into_the_other(
    before: AssistantDraft, after: AssistantDraft
) -> None:
    assert body(before) | changes(before, after) == body(after)
    assert changes(after, after) == {}


@given(GOOD_DRAFTS)
def test_what_was_made_is_shown_again(draft: AssistantDraft) -> None:
    shown = draft_of(new_body(draft))
    again = replace(shown, reasoning_effort=draft.reasoning_effort)
    if not draft.file_search:  # its options go with it
        again = replace(again, max_num_results=draft.max_num_results, score_threshold=draft.score_threshold)
    assert changes(draft, again) == {}


def test_every_field_can_be_complained_about() -> None:
    known = {field.name for field in fields(AssistantDraft)}
    assert set(get_args(Field)) == known - {"search_options", "other_tools", "other_resources"}


GOOD = AssistantDraft(model="m")


@pytest.mark.parametrize(
    ("good", "bad", "field"),
    [
        ({"name": "x" * 256}, {"name": "x" * 257}, "name"),
        ({"description": "x" * 512}, {"description": "x" * 513}, "description"),
        ({"model": "ft:gpt-4o:org::1"}, {"model": " "}, "model"),
        (
            {"instructions": "x" * limits.MAX_INSTRUCTIONS},
            {"instructions": "x" * (limits.MAX_INSTRUCTIONS + 1)},
            "instructions",
        ),
        ({"file_ids": ("file-1",) * 20}, {"file_ids": ("file-1",) * 21}, "file_ids"),
        ({"vector_store_ids": ("vs_1",)}, {"vector_store_ids": ("vs_1", "vs_2")}, "vector_store_ids"),
        ({"max_num_results": "50"}, {"max_num_results": "51"}, "max_num_results"),
        ({"max_num_results": "1"}, {"max_num_results": "1.5"}, "max_num_results"),
        ({"score_threshold": "1"}, {"score_threshold": "1.01"}, "score_threshold"),
        ({"temperature": "2"}, {"temperature": "2.1"}, "temperature"),
        ({"temperature": "0"}, {"temperature": "-0.1"}, "temperature"),
        ({"top_p": "1"}, {"top_p": "1.1"}, "top_p"),
        ({"top_p": "0.1"}, {"top_p": "much"}, "top_p"),
        (
            {"functions": tuple({"name": f"f{n}"} for n in range(limits.MAX_TOOLS))},
            {"functions": tuple({"name": f"f{n}"} for n in range(limits.MAX_TOOLS + 1))},
            "functions",
        ),
        ({"functions": ({"name": "a"},)}, {"functions": ({"name": "a"}, {"name": "a"})}, "functions"),
        (
            {"metadata": "\n".join(f"k{n} = v" for n in range(16))},
            {"metadata": "\n".join(f"k{n} = v" for n in range(17))},
            "metadata",
        ),
        ({"metadata": f"{'k' * 64} = {'v' * 512}"}, {"metadata": f"{'k' * 65} = v"}, "metadata"),
        ({"metadata": ""}, {"metadata": f"k = {'v' * 513}"}, "metadata"),
    ],
)
def test_the_last_good_and_the_first_bad_value(good: Json, bad: Json, field: Field) -> None:
    assert problems(replace(GOOD, **good)) == {}
    found = problems(replace(GOOD, **bad))
    assert list(found) == [field]
    assert found[field].endswith(".")


def test_azure_takes_shorter_instructions_when_an_assistant_changes() -> None:
    long = replace(GOOD, instructions="x" * (limits.MAX_AZURE_INSTRUCTIONS + 1))
    assert problems(long, azure=True) == {}
    assert problems(long, before=GOOD) == {}
    assert "32,768 are allowed" in problems(long, before=GOOD, azure=True)["instructions"]
    assert problems(replace(long, name="Renamed"), before=long, azure=True) == {}


@pytest.mark.parametrize(
    ("draft", "field", "said"),
    [
        (replace(GOOD, temperature="0.2", top_p="0.5"), "top_p", "not both"),
        (replace(GOOD, response_format={"type": "json_object"}), "response_format", "do not mention JSON"),
        (
            replace(GOOD, response_format={"type": "json_object"}, instructions="As JSON", file_search=True),
            "response_format",
            "all tools are functions",
        ),
        (replace(GOOD, file_search=True), "vector_store_ids", "Without a store"),
        (replace(GOOD, vector_store_ids=("vs_1",)), "vector_store_ids", "once file search is on"),
        (replace(GOOD, file_ids=("file-1",)), "file_ids", "once the code interpreter is on"),
    ],
)
def test_what_may_surprise_is_said(draft: AssistantDraft, field: Field, said: str) -> None:
    assert said in hints(draft)[field]


def test_nothing_is_said_where_nothing_surprises() -> None:
    assert hints(GOOD) == {}
    assert hints(replace(GOOD, temperature="0.2", top_p="1")) == {}
    assert hints(replace(GOOD, response_format={"type": "json_object"}, instructions="Give json")) == {}
