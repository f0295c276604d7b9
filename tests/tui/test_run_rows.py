from collections.abc import Iterable
from typing import Any, cast

import pytest

from assistants_tui.protocol.objects import Message, Run, RunStep
from assistants_tui.service.runs.state import RunState, from_objects
from assistants_tui.tui.run_rows import RunRow, as_json, rows, sections
from assistants_tui.tui.text.plain_text import fenced

NOTHING: frozenset[str] = frozenset()


def run(run_id: str = "run_1", **changes: Any) -> Run:
    base = {
        "id": run_id,
        "thread_id": "thread_1",
        "status": "completed",
        "created_at": 1763600000,
        "completed_at": 1763600004,
        "model": "m",
        "instructions": "Be brief.",
        "usage": {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200},
        "last_error": None,
    }
    return cast(Run, base | changes)


def step(step_id: str, calls: list[dict[str, Any]] | None, **changes: Any) -> RunStep:
    details: dict[str, Any] = (
        {"type": "message_creation", "message_creation": {"message_id": "msg_1"}}
        if calls is None
        else {"type": "tool_calls", "tool_calls": calls}
    )
    base = {
        "id": step_id,
        "run_id": "run_1",
        "type": details["type"],
        "status": "completed",
        "step_details": details,
        "created_at": 1763600001,
        "completed_at": 1763600002,
        "usage": None,
    }
    return cast(RunStep, base | changes)


CODE = {
    "id": "call_1",
    "type": "code_interpreter",
    "code_interpreter": {
        "input": "print(6*7)\nx",
        "outputs": [{"type": "logs", "logs": "42\n"}, {"type": "image", "image": {"file_id": "file-1"}}],
    },
}
FUNCTION = {
    "id": "call_2",
    "type": "function",
    "function": {"name": "tide", "arguments": '{"port": "Oulu"}', "output": "0.4 m"},
}
SEARCH = {
    "id": "call_3",
    "type": "file_search",
    "file_search": {
        "results": [{"file_name": "a.txt", "score": 0.815, "content": [{"type": "text", "text": "Rent"}]}]
    },
}


def texts(lines: Iterable[RunRow]) -> list[str]:
    return [line.content().plain.rstrip() for line in lines]


def test_a_run_shows_its_steps_calls_times_and_tokens() -> None:
    state = from_objects(run(), [step("step_1", [CODE]), step("step_2", None)], [])
    lines = texts(rows([state], NOTHING, NOTHING, str))
    assert lines[0].startswith("▾ run ") and lines[0].endswith("✓ 4 s · 1,200 tok")
    assert lines[1:] == [
        "  ▾ code interpreter ✓ ·━━··· 1 s",
        "      input print(6*7)",
        "      logs  42",
        "      image file-1",
        "    message ✓ ·━━··· 1 s",
    ]


def test_the_newest_run_is_first_and_open_and_others_open_on_demand() -> None:
    old = from_objects(run("run_0"), [step("step_0", None)], [])
    new = from_objects(run(), [step("step_1", None)], [])
    keys = [line.key for line in rows([old, new], NOTHING, NOTHING, str)]
    assert keys == ["run_1", "step_1", "run_0"]
    keys = [line.key for line in rows([old, new], frozenset({"run_1"}), frozenset({"run_0"}), str)]
    assert keys == ["run_1", "run_0", "step_0"]


@pytest.mark.parametrize(
    ("call", "label", "children"),
    [
        (FUNCTION, "tide", ["arguments {", "output 0.4 m"]),
        (SEARCH, "file search", ["result 0.81 a.txt"]),
        ({"id": "c", "type": "code", "code": {"input": "1", "outputs": []}}, "code", ["input 1"]),
        ({"id": "c", "type": "telepathy", "telepathy": {}}, "telepathy", ["call {"]),
    ],
)
def test_every_kind_of_call_has_its_lines(call: dict[str, Any], label: str, children: list[str]) -> None:
    lines = texts(rows([from_objects(run(), [step("step_1", [call])], [])], NOTHING, NOTHING, str))
    assert lines[1].strip().startswith(f"▾ {label}")
    for line, start in zip(lines[2:], children, strict=True):
        assert line.strip().startswith(start)


def section_texts(state: RunState, number: int) -> dict[str, str]:
    line = rows([state], NOTHING, NOTHING, str)[number]
    return {section.heading: section.text for section in sections(state, line, str)}


def test_a_code_step_holds_code_and_logs() -> None:
    state = from_objects(run(), [step("step_1", [CODE])], [])
    assert section_texts(state, 1) == {
        "Code": "```python\nprint(6*7)\nx\n```",
        "Logs": "```\n42\n```",
        "Image": "",
    }


def test_a_step_says_how_its_code_was_confined() -> None:
    confined = {"sandbox": "landlock", "sandbox_says": "It can test whether a file name exists."}
    state = from_objects(run(), [step("step_1", [CODE], metadata=confined)], [])
    told = section_texts(state, 1)["Sandbox"].replace("\\", "")
    assert told == "landlock. It can test whether a file name exists."


def test_a_failed_run_says_why_first() -> None:
    failed = run(status="failed", last_error={"code": "server_error", "message": "It *broke*."})
    parts = section_texts(from_objects(failed, [], []), 0)
    assert next(iter(parts)) == "What went wrong"
    assert parts["What went wrong"] == r"It \*broke\*\."
    assert "1,000 in, 200 out" in parts["Run"]


def test_a_message_step_shows_its_message() -> None:
    message = cast(
        Message,
        {"id": "msg_1", "content": [{"type": "text", "text": {"value": "x = **1**", "annotations": []}}]},
    )
    state = from_objects(run(), [step("step_2", None)], [message])
    assert section_texts(state, 1) == {"Message": "x = **1**"}


@pytest.mark.parametrize("text", ["plain", "a\n```\nb", "````", "~~~"])
def test_no_text_closes_its_fence_early(text: str) -> None:
    block = fenced(text, "json")
    opening = block.split("\n", 1)[0].removesuffix("json")
    assert opening not in text
    assert block.endswith(f"\n{opening}")


@pytest.mark.parametrize("nonsense", [None, -1, 10**20, "soon", [], 1.5])
def test_times_that_are_none_are_left_out(nonsense: object) -> None:
    state = from_objects(run(created_at=nonsense), [step("step_1", None, created_at=nonsense)], [])
    shown = rows([state], NOTHING, NOTHING, str)
    assert [row.label.split()[0] for row in shown] == ["run", "message"]


@pytest.mark.parametrize(
    "arguments",
    ["[" * 30_000, "[" * 9_000 + "]" * 9_000, "[[]," * 200_000 + "]"],
    ids=["open", "deep", "wide"],
)
def test_arguments_that_no_json_reader_could_show_are_shown_as_they_came(arguments: str) -> None:
    call = {"type": "function", "function": {"name": "tide", "arguments": arguments, "output": arguments}}
    state = from_objects(run(), [step("step_1", [call])], [])
    found = sections(state, rows([state], NOTHING, NOTHING, str)[1], str)
    assert [section.raw for section in found] == [arguments, arguments]
    assert all(arguments in section.text for section in found)


def test_an_object_without_end_is_shown_as_far_as_that_is_of_use() -> None:
    shown = as_json({"metadata": [[] for _ in range(300_000)]})
    assert len(shown) < 1_000_000
    assert "The rest is too long to be shown here" in shown
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert "nests too deep" in as_json({"metadata": deep})
