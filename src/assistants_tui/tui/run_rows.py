"""The lines of the run tree and the text beside them, worked out from the run states alone."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textual.content import Content

from assistants_tui.service import views
from assistants_tui.service.run_state import RunState
from assistants_tui.service.wire import Json, Message, RunStep

_MARKS = {
    "queued": ("◌", "$muted"),
    "in_progress": ("●", "$text-accent"),
    "requires_action": ("?", "$text-accent"),
    "cancelling": ("◌", "$text-warning"),
    "completed": ("✓", "$text-success"),
    "incomplete": ("◐", "$text-warning"),
    "cancelled": ("■", "$text-warning"),
    "expired": ("◷", "$text-warning"),
    "failed": ("✗", "$text-error"),
}
_TOOL_NAMES = {"code_interpreter": "code interpreter", "file_search": "file search"}


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of the tree. `key` names the same thing after every change of the run."""

    key: str
    depth: int
    label: str
    tail: str
    """What stands after the label: times and tokens, or the beginning of a text."""
    status: str
    run_id: str
    step_id: str | None = None
    call: int | None = None
    children: bool = False
    open: bool = False

    def content(self) -> Content:
        """The line as it is drawn."""
        mark, style = _MARKS.get(self.status, ("", ""))
        fold = ("▾ " if self.open else "▸ ") if self.children else "  "
        return Content.assemble(
            "  " * self.depth,
            (fold, "$muted"),
            self.label,
            (f" {mark}" if mark else "", style),
            (f" {self.tail}" if self.tail else "", "$muted"),
        )


@dataclass(frozen=True, slots=True)
class Section:
    """One part of what is shown beside the selected line: Markdown under a heading."""

    id: str
    heading: str
    text: str
    live: bool = False


def rows(runs: Iterable[RunState], closed: frozenset[str], opened: frozenset[str]) -> list[RunRow]:
    """The tree, newest run first. The newest run is open unless it is in `closed`; others if in `opened`."""
    lines: list[RunRow] = []
    for position, state in enumerate(reversed(list(runs))):
        if state.run is None:
            continue
        key = state.run["id"]
        is_open = key not in closed if position == 0 else key in opened
        lines.append(_run_row(state, is_open))
        if not is_open:
            continue
        for step in state.steps.values():
            lines.extend(_step_rows(state, step, closed))
    return lines


def sections(state: RunState, row: RunRow) -> list[Section]:
    """What the selected line holds: the run's settings and errors, code and logs, arguments, or a message."""
    if row.step_id is None or row.step_id not in state.steps:
        return _run_sections(state)
    step = state.steps[row.step_id]
    if step["type"] == "message_creation":
        return _message_sections(state, step)
    calls = _calls(step)
    chosen = calls if row.call is None else calls[row.call : row.call + 1]
    parts: list[Section] = []
    for number, call in enumerate(chosen):
        parts += _call_sections(f"{row.step_id}-{number}", call, live=step["status"] == "in_progress")
    if (error := step.get("last_error")) is not None:
        parts.append(Section("error", "Error", _plain(error["message"])))
    return parts or [Section("empty", "Step", "Nothing yet.", live=step["status"] == "in_progress")]


def as_json(value: Mapping[str, Any]) -> str:
    """A wire object as a fenced Markdown block."""
    return fenced(json.dumps(value, indent=2, ensure_ascii=False), "json")


def fenced(text: str, language: str = "") -> str:
    """`text` as a Markdown code block that no text can close early."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def seconds(start: int | None, end: int | None) -> str:
    """The whole seconds between two wire times, which have no finer grain."""
    return f"{end - start} s" if start is not None and end is not None and end >= start else ""


def _run_row(state: RunState, is_open: bool) -> RunRow:
    run = state.run
    assert run is not None
    usage = run.get("usage")
    tail = _join(
        seconds(run.get("created_at"), _ended(dict(run))), f"{usage['total_tokens']:,} tok" if usage else ""
    )
    created = datetime.fromtimestamp(run["created_at"]).strftime("%H:%M")
    return RunRow(run["id"], 0, f"run {created}", tail, run["status"], run["id"], children=True, open=is_open)


def _step_rows(state: RunState, step: RunStep, closed: frozenset[str]) -> list[RunRow]:
    usage = step.get("usage")
    tail = _join(
        seconds(step.get("created_at"), _ended(dict(step))), f"{usage['total_tokens']:,} tok" if usage else ""
    )
    run_id = step["run_id"]
    if step["type"] == "message_creation":
        return [RunRow(step["id"], 1, "message", tail, step["status"], run_id, step["id"])]
    calls = _calls(step)
    names = {str(call.get("type")) for call in calls}
    label = " + ".join(sorted(_TOOL_NAMES.get(name, name) for name in names)) or "tool call"
    if len(calls) == 1 and calls[0].get("type") == "function":
        label = str(_inner(calls[0]).get("name") or "function")
    is_open = step["id"] not in closed
    lines = [
        RunRow(
            step["id"], 1, label, tail, step["status"], run_id, step["id"], children=bool(calls), open=is_open
        )
    ]
    if is_open:
        for number, call in enumerate(calls):
            lines += [
                RunRow(f"{step['id']}/{number}/{name}", 2, name, text, "", run_id, step["id"], number)
                for name, text in _call_lines(call)
            ]
    return lines


def _call_lines(call: Json) -> list[tuple[str, str]]:
    inner = _inner(call)
    match call.get("type"):
        case "code_interpreter" | "code":
            lines = [("input", _first_line(inner.get("input")))]
            for output in inner.get("outputs") or ():
                if output.get("type") == "logs":
                    lines.append(("logs ", _first_line(output.get("logs"))))
                elif output.get("type") == "image":
                    lines.append(("image", str((output.get("image") or {}).get("file_id", ""))))
            return lines
        case "file_search":
            return [
                ("result", f"{result.get('score', 0):.2f} {result.get('file_name', '')}")
                for result in inner.get("results") or ()
            ]
        case "function":
            lines = [("arguments", _first_line(inner.get("arguments")))]
            if inner.get("output") is not None:
                lines.append(("output", _first_line(inner.get("output"))))
            return lines
    return [("call", _first_line(json.dumps(call)))]


def _call_sections(key: str, call: Json, *, live: bool) -> list[Section]:
    inner = _inner(call)
    match call.get("type"):
        case "code_interpreter" | "code":
            parts = [Section(f"{key}-input", "Code", fenced(str(inner.get("input") or ""), "python"), live)]
            for number, output in enumerate(inner.get("outputs") or ()):
                if output.get("type") == "logs":
                    text = str(output.get("logs") or "").rstrip("\n")
                    parts.append(Section(f"{key}-output-{number}", "Logs", fenced(text), live))
                elif output.get("type") == "image":
                    file_id = (output.get("image") or {}).get("file_id")
                    parts.append(Section(f"{key}-output-{number}", "Image", _plain(str(file_id))))
            return parts
        case "file_search":
            return [
                Section(
                    f"{key}-result-{number}",
                    f"{result.get('file_name', 'file')} · {result.get('score', 0):.2f}",
                    "\n\n".join(_plain(str(part.get("text", ""))) for part in result.get("content") or ()),
                )
                for number, result in enumerate(inner.get("results") or ())
            ] or [Section(key, "File search", "No results." if not live else "Searching…", live)]
        case "function":
            name = str(inner.get("name") or "function")
            parts = [Section(f"{key}-arguments", name, fenced(_pretty(inner.get("arguments")), "json"), live)]
            if inner.get("output") is not None:
                parts.append(Section(f"{key}-output", "Output", fenced(_pretty(inner["output"]))))
            return parts
    return [Section(key, str(call.get("type", "call")), as_json(call))]


def _run_sections(state: RunState) -> list[Section]:
    run = state.run
    assert run is not None
    usage = run.get("usage")
    facts = [
        ("status", run["status"]),
        ("model", run.get("model")),
        ("tokens", f"{usage['prompt_tokens']:,} in, {usage['completion_tokens']:,} out" if usage else None),
        ("took", seconds(run.get("created_at"), _ended(dict(run))) or None),
        ("run", run["id"]),
    ]
    text = "\n".join(f"- {name}: `{value}`" for name, value in facts if value)
    parts = [Section("run", "Run", text, live=state.active)]
    if state.error:
        parts.insert(0, Section("error", "What went wrong", _plain(state.error)))
    if run.get("instructions"):
        parts.append(Section("instructions", "Instructions", _plain(run["instructions"])))
    return parts


def _message_sections(state: RunState, step: RunStep) -> list[Section]:
    message_id = (step["step_details"].get("message_creation") or {}).get("message_id", "")
    message: Message | None = state.messages.get(message_id)
    text = views.shown_text(message).text if message else ""
    return [Section("message", "Message", text or "Nothing yet.", live=step["status"] == "in_progress")]


def _calls(step: RunStep) -> Sequence[Json]:
    calls = step["step_details"].get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _inner(call: Json) -> Json:
    inner = call.get(str(call.get("type")))
    return inner if isinstance(inner, dict) else {}


def _ended(item: Json) -> int | None:
    for key in ("completed_at", "failed_at", "cancelled_at", "expired_at"):
        if isinstance(item.get(key), int):
            return int(item[key])
    return None


def _first_line(value: object) -> str:
    text = str(value or "").strip()
    return text.split("\n", 1)[0][:200]


def _plain(text: str) -> str:
    """Text that is no Markdown, shown as it is."""
    return fenced(text)


def _pretty(value: object) -> str:
    """JSON text indented where it is JSON, and as it came where it is not."""
    try:
        return json.dumps(json.loads(str(value)), indent=2, ensure_ascii=False)
    except ValueError:
        return str(value)


def _join(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
