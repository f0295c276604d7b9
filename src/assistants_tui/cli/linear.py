"""The output of `ask --linear`: whole lines of plain words, in order, as screen readers need them."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from assistants_tui.protocol.objects import Json, Message, RunStep
from assistants_tui.service import message_text
from assistants_tui.service.runs.state import RunState
from assistants_tui.service.safe_text import clean

_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([\w+#-]*)")
_HEADING = re.compile(r"#{1,6}\s+")
_RULE = re.compile(r"[-:| ]+")
_MARKS = re.compile(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=\S)(.+?)(?<=\S)\*(?![\w*])")
_LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)")


@dataclass
class _Spoken:
    """How far a message has been printed."""

    part: int = 0
    """The first part of its content that is not printed to its end."""
    offset: int = 0
    """The characters of that part that are printed."""
    fence: str = ""
    """What has begun the block of code in which the next line stands; empty outside of code."""
    footnotes: message_text.Footnotes = field(default_factory=dict)
    ended: bool = False

    def lines(self, message: Message, *, complete: bool) -> Iterator[str]:
        """The lines that have been completed since the last time, as they are spoken."""
        parts = _dicts(message.get("content"))
        while self.part < len(parts):
            text, annotations = _text(parts[self.part])
            whole = complete or self.part + 1 < len(parts)
            end = len(text) if whole else text.rfind("\n", self.offset) + 1
            if end > self.offset:
                new = message_text.with_marks(
                    text[self.offset : end], annotations, self.footnotes, start=self.offset
                )
                self.offset = end
                for line in clean(new).removesuffix("\n").split("\n"):
                    yield from self._spoken(line)
            if not whole:
                return
            # annotations may come later than the text of theirs, when it is printed already
            message_text.with_marks(text, annotations, self.footnotes)
            self.part, self.offset = self.part + 1, 0

    def _spoken(self, line: str) -> Iterator[str]:
        """A line of Markdown without the signs that mean something to the eye alone."""
        fence = _FENCE.match(line)
        if self.fence:
            if fence and fence[1].startswith(self.fence) and not line[fence.end(1) :].strip():
                self.fence = ""
                yield "End of code."
            else:
                yield line
        elif fence:
            self.fence = fence[1]
            yield f"Code{f' in {fence[2]}' if fence[2] else ''}:"
        elif not line.strip() or (_RULE.fullmatch(line) and "--" in line):
            return
        elif line.lstrip().startswith("|"):
            yield "Row: " + "; ".join(_plain(cell) for cell in line.strip().strip("|").split("|"))
        else:
            yield _plain(_HEADING.sub("", line))


class LinearPrinter:
    """Prints what is new in a run. A line is printed once, when it is complete, and never changed."""

    def __init__(self, name: str, write: Callable[[str], None]) -> None:
        """`name` is the assistant's; `write` takes a line without its end."""
        self._name = name
        self._write = write
        self._messages: dict[str, _Spoken] = {}
        self._begun: set[str] = set()  # calls of tools
        self._ended: set[str] = set()

    def show(self, state: RunState) -> None:
        """Print what has been added since the last time. Costs what is new, not what there is."""
        for step_id, step in state.steps.items():
            details = _dict(step.get("step_details"))
            if step.get("type") == "tool_calls":
                for place, call in enumerate(_dicts(details.get("tool_calls"))):
                    self._show_call(f"{step_id}-{place}", call, step)
            elif (message := state.messages.get(_message_id(details))) is not None:
                over = state.finished or message.get("status") in {"completed", "incomplete"}
                self._show_message(message, complete=over)

    def end(self, state: RunState) -> None:
        """Print the rest, and how it ended."""
        self.show(state)
        words = [(state.status or "unknown").replace("_", " ")]
        usage = _dict(state.run.get("usage")) if state.run is not None else {}
        if "total_tokens" in usage:
            words.append(f"{usage['total_tokens']} tokens")
        self._write(clean(f"Run {', '.join(words)}."))

    def _show_call(self, key: str, call: Json, step: RunStep) -> None:
        kind = str(call.get("type", ""))
        if key not in self._begun:
            self._begun.add(key)
            function = str(_dict(call.get("function")).get("name", ""))
            what = {
                "code_interpreter": "runs code",
                "file_search": "searches in documents",
                "function": f"calls the function {clean(function)}",
            }
            self._write(f"{self._name} {what.get(kind, 'uses a tool')}.")
        if step.get("status") == "completed" and key not in self._ended:
            self._ended.add(key)
            for output in _dicts(_dict(call.get("code_interpreter")).get("outputs")):
                if output.get("type") == "image":
                    self._write("The code made a picture.")
                for line in clean(str(output.get("logs") or "")).splitlines():
                    self._write(f"Output: {line}")

    def _show_message(self, message: Message, *, complete: bool) -> None:
        spoken = self._messages.get(message["id"])
        if spoken is None:
            if not complete and not any(_text(part)[0] for part in _dicts(message.get("content"))):
                return
            spoken = self._messages[message["id"]] = _Spoken()
            self._write(f"{self._name} says:")
        if spoken.ended:
            return
        for line in spoken.lines(message, complete=complete):
            self._write(line)
        if complete:
            spoken.ended = True
            for part in _dicts(message.get("content")):
                if part.get("type") in {"image_file", "image_url"}:
                    self._write("A picture belongs to the answer.")
            for note in spoken.footnotes.values():
                self._write(f"Note {note.number}: {clean(note.name)}.")


def _plain(text: str) -> str:
    return _LINK.sub(r"\1 (\2)", _EMPHASIS.sub(r"\1", _MARKS.sub(r"\2", text))).strip()


def _message_id(details: Json) -> str:
    return str(_dict(details.get("message_creation")).get("message_id", ""))


def _text(part: Json) -> tuple[str, object]:
    """The text of a part of a message, and its annotations."""
    if part.get("type") == "refusal":
        return str(part.get("refusal") or ""), ()
    text = _dict(part.get("text"))
    return str(text.get("value") or ""), text.get("annotations")


# a server may send other things than the API has; they are left out


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> Sequence[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
