"""The output for screen readers: whole lines, in order, each once, however the answer arrives."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.cli.linear import LinearPrinter
from assistants_tui.service.runs.state import RunState

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
