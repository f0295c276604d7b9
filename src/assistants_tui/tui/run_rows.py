"""The lines of the run tree and the text beside them, worked out from the run states alone."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import time
from typing import Any, cast, overload

from textual.content import Content

from assistants_tui.protocol import bounded_json
from assistants_tui.protocol.objects import Json, Message, RunStep
from assistants_tui.service import message_text
from assistants_tui.service.files.citations import results_of
from assistants_tui.service.runs import sandboxes
from assistants_tui.service.runs.state import RunState
from assistants_tui.service.times import span, when
from assistants_tui.tui.text.plain_text import as_markdown, fenced

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
_BAR = 6
"""Cells of a bar that shows when in its run a step happened."""
MAX_PRETTY = 20_000
"""Characters of a JSON text that is shown indented."""
MAX_JSON_PIECES = 50_000
"""Signs, names and values of a JSON object that are shown."""
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
    text: str = ""
    """All of what the line only begins."""
    image: str = ""
    """The ID of the picture that the line stands for."""
    bar: str = ""
    """When in its run the step happened."""

    def content(self) -> Content:
        """The line as it is drawn."""
        mark, style = _MARKS.get(self.status, ("", ""))
        fold = ("▾ " if self.open else "▸ ") if self.children else "  "
        return Content.assemble(
            "  " * self.depth,
            (fold, "$muted"),
            self.label,
            (f" {mark}" if mark else "", style),
            (f" {self.bar}" if self.bar else "", "$text-accent"),
            (f" {self.tail}" if self.tail else "", "$muted"),
        )


@dataclass(frozen=True, slots=True)
class Section:
    """One part of what is shown beside the selected line: Markdown under a heading."""

    id: str
    heading: str
    text: str
    live: bool = False
    raw: str = ""
    """What is copied, where it is not `text`."""
    file_id: str = ""
    """A file that belongs to it, to be looked at."""
    file_name: str = ""


class Rows(Sequence[RunRow]):
    """The lines of a tree. Those of folded runs are worked out when somebody looks at them."""

    def __init__(self, lines: Sequence[RunRow | RunState]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, index: int) -> RunRow: ...
    @overload
    def __getitem__(self, index: slice) -> "Rows": ...
    def __getitem__(self, index: int | slice) -> "RunRow | Rows":
        if isinstance(index, slice):
            return Rows(self._lines[index])
        line = self._lines[index]
        return line if isinstance(line, RunRow) else _run_row(line, False)

    def key(self, index: int) -> str:
        """The key of a line, without the rest of it."""
        line = self._lines[index]
        return line.key if isinstance(line, RunRow) else _id(line)


def rows(
    runs: Collection[RunState],
    closed: frozenset[str],
    opened: frozenset[str],
    name: Callable[[str], str],
    *,
    last: Iterable[RunRow] = (),
) -> Rows:
    """The tree, newest run first. The newest run is open unless it is in `closed`; others if in `opened`.

    `name` gives the name of a file by its ID, or the ID. `last` are lines to stand below the oldest run.
    """
    lines: list[RunRow | RunState] = []
    for position, state in enumerate(reversed([state for state in runs if state.run is not None])):
        key = _id(state)
        if key not in opened if position else key in closed:
            lines.append(state)
            continue
        lines.append(_run_row(state, True))
        for step in state.steps.values():
            lines.extend(_step_rows(state, step, closed, name))
    return Rows([*lines, *last])


def _id(state: RunState) -> str:
    return state.run["id"] if state.run is not None else ""


def copied(state: RunState, row: RunRow) -> str:
    """What is copied from a line: all of its text, or the object behind it as JSON."""
    if row.text or row.image:
        return row.text or row.image
    step = state.steps.get(row.step_id or "")
    return json.dumps(step if step is not None else state.run, indent=2, ensure_ascii=False)


def sections(state: RunState, row: RunRow, name: Callable[[str], str]) -> list[Section]:
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
        parts += _call_sections(f"{row.step_id}-{number}", call, name, live=step["status"] == "in_progress")
    if (error := step.get("last_error")) is not None:
        parts.append(Section("error", "Error", as_markdown(error["message"]), raw=error["message"]))
    if (sandbox := sandboxes.of(step)) is not None:
        words = f"{sandbox.name}. {sandbox.sentence}"
        parts.append(Section("sandbox", "Sandbox", as_markdown(words), raw=words))
    return parts or [Section("empty", "Step", "Nothing yet.", live=step["status"] == "in_progress")]


def as_json(value: Mapping[str, Any]) -> str:
    """A wire object as a fenced Markdown block."""
    pieces: list[str] = []
    try:
        for piece in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(value):
            if len(pieces) >= MAX_JSON_PIECES:
                pieces.append("\n… The rest is too long to be shown here. A copy has all of it.")
                break
            pieces.append(piece)
    except RecursionError:
        pieces.append("\n… The rest nests too deep to be shown here.")
    return fenced("".join(pieces), "json")


def _run_row(state: RunState, is_open: bool) -> RunRow:
    run = state.run
    assert run is not None
    usage = run.get("usage")
    ended = message_text.ended_at(run) if state.finished else int(time())
    tail = _join(span(run.get("created_at"), ended), f"{usage['total_tokens']:,} tok" if usage else "")
    name = f"run {when(run.get('created_at'), '%H:%M')}".rstrip()
    return RunRow(run["id"], 0, name, tail, run["status"], run["id"], children=True, open=is_open)


def _step_rows(
    state: RunState, step: RunStep, closed: frozenset[str], name: Callable[[str], str]
) -> list[RunRow]:
    usage = step.get("usage")
    ended = int(time()) if step["status"] == "in_progress" else message_text.ended_at(step)
    tail = _join(span(step.get("created_at"), ended), f"{usage['total_tokens']:,} tok" if usage else "")
    run_id, bar = step["run_id"], _bar(state, step.get("created_at"), ended)
    if step["type"] == "message_creation":
        return [RunRow(step["id"], 1, "message", tail, step["status"], run_id, step["id"], bar=bar)]
    calls = _calls(step)
    kinds = {str(call.get("type")) for call in calls}
    label = " + ".join(sorted(_TOOL_NAMES.get(kind, kind) for kind in kinds)) or "tool call"
    if len(calls) == 1 and calls[0].get("type") == "function":
        label = str(_inner(calls[0]).get("name") or "function")
    is_open = step["id"] not in closed
    lines = [
        RunRow(
            step["id"],
            1,
            label,
            tail,
            step["status"],
            run_id,
            step["id"],
            children=bool(calls),
            open=is_open,
            bar=bar,
        )
    ]
    if is_open:
        for number, call in enumerate(calls):
            for place, line in enumerate(_call_lines(call, name)):
                key = f"{step['id']}/{number}/{place}"
                tail = _first_line(line.text) if not line.tail else line.tail
                lines.append(
                    RunRow(
                        key,
                        2,
                        line.label,
                        tail,
                        "",
                        run_id,
                        step["id"],
                        number,
                        text=line.text,
                        image=line.image,
                    )
                )
    return lines


@dataclass(frozen=True, slots=True)
class _CallLine:
    label: str
    text: str
    tail: str = ""
    image: str = ""


def _call_lines(call: Json, name: Callable[[str], str]) -> list[_CallLine]:
    inner = _inner(call)
    match call.get("type"):
        case "code_interpreter" | "code":
            lines = [_CallLine("input", str(inner.get("input") or ""))]
            for output in inner.get("outputs") or ():
                if output.get("type") == "logs":
                    lines.append(_CallLine("logs ", str(output.get("logs") or "")))
                elif image := _image_id(output):
                    lines.append(_CallLine("image", "", name(image), image))
            return lines
        case "file_search":
            return [
                _CallLine("result", passage.text, _join(_score(passage.score), passage.file_name, sign=" "))
                for passage in results_of(call)
            ]
        case "function":
            lines = [_CallLine("arguments", str(inner.get("arguments") or ""))]
            if inner.get("output") is not None:
                lines.append(_CallLine("output", str(inner["output"])))
            return lines
    return [_CallLine("call", json.dumps(call, ensure_ascii=False))]


def _call_sections(key: str, call: Json, name: Callable[[str], str], *, live: bool) -> list[Section]:
    inner = _inner(call)
    match call.get("type"):
        case "code_interpreter" | "code":
            code = str(inner.get("input") or "")
            parts = [Section(f"{key}-input", "Code", fenced(code, "python"), live, raw=code)]
            for number, output in enumerate(inner.get("outputs") or ()):
                if output.get("type") == "logs":
                    logs = str(output.get("logs") or "").rstrip("\n")
                    parts.append(Section(f"{key}-output-{number}", "Logs", fenced(logs), live, raw=logs))
                elif image := _image_id(output):
                    file_name = name(image)
                    parts.append(
                        Section(
                            f"{key}-output-{number}",
                            "Image",
                            "",
                            raw=image,
                            file_id=image,
                            file_name=file_name,
                        )
                    )
            return parts
        case "file_search":
            found = [
                Section(
                    f"{key}-result-{number}",
                    _join(passage.file_name, passage.place, _score(passage.score)),
                    as_markdown(passage.text) if passage.text else "The server did not send its text.",
                    raw=passage.text,
                    file_id=passage.file_id,
                    file_name=passage.file_name,
                )
                for number, passage in enumerate(results_of(call))
            ]
            return found or [Section(key, "File search", "No results." if not live else "Searching…", live)]
        case "function":
            function, arguments = str(inner.get("name") or "function"), str(inner.get("arguments") or "")
            parts = [
                Section(f"{key}-arguments", function, fenced(_pretty(arguments), "json"), live, raw=arguments)
            ]
            if inner.get("output") is not None:
                output = str(inner["output"])
                parts.append(Section(f"{key}-output", "Output", fenced(_pretty(output)), raw=output))
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
        ("took", span(run.get("created_at"), message_text.ended_at(run)) or None),
        ("run", run["id"]),
    ]
    text = "\n".join(f"- {name}: `{value}`" for name, value in facts if value)
    parts = [Section("run", "Run", text, live=state.active)]
    if state.error:
        parts.insert(0, Section("error", "What went wrong", as_markdown(state.error), raw=state.error))
    if times := _times(state):
        parts.append(Section("times", "Steps", fenced(times), live=state.active, raw=times))
    if instructions := run.get("instructions"):
        parts.append(Section("instructions", "Instructions", as_markdown(instructions), raw=instructions))
    return parts


def _times(state: RunState) -> str:
    """The steps below each other, with what each took."""
    lines = [line for step in state.steps.values() for line in _step_rows(state, step, frozenset(), str)[:1]]
    wide = max((len(line.label) for line in lines), default=0)
    return "\n".join(f"{line.label.ljust(wide)}  {line.bar}  {line.tail}".rstrip() for line in lines)


def _bar(state: RunState, start: int | None, end: int | None) -> str:
    """When in its run a step happened; empty where whole seconds are too coarse to tell."""
    run = state.run
    begin = run.get("created_at") if run is not None else None
    if run is None or not (isinstance(begin, int) and isinstance(start, int) and isinstance(end, int)):
        return ""
    over = message_text.ended_at(run) or max(end, int(time()))
    span = over - begin
    if span < 1 or not begin <= start <= end <= over:
        return ""
    left = min(_BAR - 1, (start - begin) * _BAR // span)
    right = max(left + 1, -(-(end - begin) * _BAR // span))
    return "·" * left + "━" * (right - left) + "·" * (_BAR - right)


def _message_sections(state: RunState, step: RunStep) -> list[Section]:
    message_id = (step["step_details"].get("message_creation") or {}).get("message_id", "")
    message: Message | None = state.messages.get(message_id)
    text = message_text.render_text(message).text if message else ""
    return [Section("message", "Message", text or "Nothing yet.", live=step["status"] == "in_progress")]


def _calls(step: RunStep) -> Sequence[Json]:
    return [cast(Json, call) for call in step["step_details"].get("tool_calls") or ()]


def _inner(call: Json) -> Json:
    inner = call.get(str(call.get("type")))
    return inner if isinstance(inner, dict) else {}


def _image_id(output: Json) -> str:
    image = output.get("image") if output.get("type") == "image" else None
    return str(image.get("file_id") or "") if isinstance(image, dict) else ""


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.2f}"


def _first_line(value: object) -> str:
    text = str(value or "")[:2000].strip()
    return text.split("\n", 1)[0][:200]


def _pretty(value: object) -> str:
    """JSON text indented where it is JSON and not too long, and as it came where it is not."""
    text = str(value)
    if len(text) > MAX_PRETTY:
        return text
    try:
        return json.dumps(bounded_json.parse(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _join(*parts: str, sign: str = " · ") -> str:
    return sign.join(part for part in parts if part)
