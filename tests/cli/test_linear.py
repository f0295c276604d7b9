"""The output for screen readers: whole lines, in order, each once, however the answer arrives."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.cli import linear
from assistants_tui.cli.linear import LinearPrinter
from assistants_tui.service.runs.state import RunState
from assistants_tui.service.safe_text import clean

TEXT = """# Result

The **answer** is `42`, see [here](https://x.org) and 2 * 3.

| a | b |
|---|---|
| 1 | *two* |

```python
x = **kwargs
```
From the file【4:0†leave.md】."""
SPOKEN = [
    "Tutor says:",
    "Result",
    "The answer is 42, see here (https://x.org) and 2 * 3.",
    "Row: a; b",
    "Row: 1; two",
    "Code in python:",
    "x = **kwargs",
    "End of code.",
    "From the file[1].",
    "Note 1: leave.md.",
]


def step(number: int, kind: str, details: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    return {"id": f"step_{number}", "type": kind, "status": status, "step_details": details}


def state(text: str, *, status: str = "in_progress") -> RunState:
    marker = text.find("【4:0†leave.md】")
    annotations = [
        {
            "type": "file_citation",
            "text": "【4:0†leave.md】",
            "start_index": marker,
            "end_index": marker + len("【4:0†leave.md】"),
            "file_citation": {"file_id": "file-1"},
        }
    ]
    content = [{"type": "text", "text": {"value": text, "annotations": annotations if marker >= 0 else []}}]
    message: Any = {"id": "msg_1", "role": "assistant", "status": status, "content": content}
    steps: Any = {"step_2": step(2, "message_creation", {"message_creation": {"message_id": "msg_1"}})}
    run: Any = {"id": "run_1", "status": status, "usage": {"total_tokens": 7}}
    return RunState(thread_id="thread_1", run=run, messages={"msg_1": message}, steps=steps)


@given(st.lists(st.integers(0, len(TEXT)), max_size=8))
def test_a_line_is_printed_once_and_whole_wherever_the_text_is_cut(cuts: list[int]) -> None:
    lines: list[str] = []
    printer = LinearPrinter("Tutor", lines.append)
    for cut in sorted(cuts):
        printer.show(state(TEXT[:cut]))
        assert lines == SPOKEN[: len(lines)]
    end = state(TEXT, status="completed")
    printer.show(end)
    printer.end(end)
    assert lines == [*SPOKEN, "Run completed, 7 tokens."]


def test_a_note_may_come_later_than_its_line() -> None:
    lines: list[str] = []
    printer = LinearPrinter("Tutor", lines.append)
    early = state("See【4:0†leave.md】.\n")
    bare = {"type": "text", "text": {"value": "See【4:0†leave.md】.\n", "annotations": []}}
    message: Any = early.messages["msg_1"] | {"content": [bare]}
    printer.show(replace(early, messages={"msg_1": message}))
    printer.end(state("See【4:0†leave.md】.\n", status="completed"))
    assert "Note 1: leave.md." in lines


def test_tools_are_announced_when_they_begin_and_their_output_when_they_end() -> None:
    lines: list[str] = []
    printer = LinearPrinter("Tutor", lines.append)
    outputs = [{"type": "logs", "logs": "1\n\x1b[31m2\n"}, {"type": "image"}]
    calls: Any = [
        {"type": "code_interpreter", "code_interpreter": {"input": "x", "outputs": outputs}},
        {"type": "function", "function": {"name": "weather"}},
        {"type": "file_search", "file_search": {}},
    ]
    begun: Any = {"step_1": step(1, "tool_calls", {"tool_calls": calls}, "in_progress")}
    before = replace(state(""), steps=begun, messages={})
    printer.show(before)
    announced = [
        "Tutor runs code.",
        "Tutor calls the function weather.",
        "Tutor searches in documents.",
    ]
    assert lines == announced
    ended: Any = {"step_1": step(1, "tool_calls", {"tool_calls": calls})}
    for _ in range(2):
        printer.show(replace(before, steps=ended))
    assert lines[3:] == ["Output: 1", lines[4], "The code made a picture."]
    assert "\x1b" not in lines[4]


def said(message_id: str, *parts: Any, status: str = "completed") -> dict[str, Any]:
    return {"id": message_id, "role": "assistant", "status": status, "content": list(parts)}


def text(value: object, annotations: object = ()) -> dict[str, Any]:
    return {"type": "text", "text": {"value": value, "annotations": annotations}}


def test_code_that_a_message_leaves_open_ends_with_the_message() -> None:
    lines: list[str] = []
    messages: Any = {
        "msg_1": said("msg_1", text("````md\n```\n# in code")),
        "msg_2": said("msg_2", text("# no code"), text("and more")),
    }
    steps: Any = {
        f"step_{n}": step(n, "message_creation", {"message_creation": {"message_id": f"msg_{n}"}})
        for n in (1, 2)
    }
    LinearPrinter("Tutor", lines.append).show(replace(state(""), messages=messages, steps=steps))
    assert lines == ["Tutor says:", "Code in md:", "```", "# in code", "Tutor says:", "no code", "and more"]


def test_a_long_answer_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0

    def counting(text: str) -> str:
        nonlocal looked_at
        looked_at += len(text)
        return clean(text)

    monkeypatch.setattr(linear, "clean", counting)
    lines: list[str] = []
    printer = LinearPrinter("Tutor", lines.append)
    whole = "".join(f"This is line {number}.\n" for number in range(300))
    for end in range(0, len(whole), 7):
        printer.show(state(whole[:end]))
    assert len(lines) > 290
    assert looked_at <= len(whole)


KEYS = ["type", "text", "value", "annotations", "start_index", "end_index", "file_citation", "refusal"]
KEYS += ["outputs", "logs", "tool_calls", "code_interpreter", "function", "name", "message_creation"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner | st.sampled_from(["text", "file_citation", "code_interpreter", "image", "function"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON, JSON, JSON)
def test_nothing_that_a_server_sends_is_too_strange(part: Any, details: Any, call: Any, usage: Any) -> None:
    lines: list[str] = []
    printer = LinearPrinter("Tutor", lines.append)
    steps: Any = {
        "step_1": {"step_details": details},
        "step_2": {"type": "tool_calls", "step_details": {"tool_calls": [call]}, "status": "completed"},
        "step_3": {
            "type": "message_creation",
            "step_details": {"message_creation": {"message_id": "msg_1"}},
        },
    }
    messages: Any = {"msg_1": {"id": "msg_1", "content": [part] if isinstance(part, dict) else part}}
    run: Any = {"id": "run_1", "status": "in_progress", "usage": usage}
    strange = RunState(thread_id="thread_1", run=run, messages=messages, steps=steps)
    printer.show(strange)
    run["status"] = "completed"
    printer.end(strange)
    assert lines[-1].startswith("Run completed")
