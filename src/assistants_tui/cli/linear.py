"""The output of `ask --linear`: whole lines of plain words, in order, as screen readers need them."""

import re
from collections.abc import Callable, Iterator

from assistants_tui.service import views
from assistants_tui.service.runs.state import RunState
from assistants_tui.service.safe_text import clean
from assistants_tui.service.wire import Json, Message, RunStep

_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})\s*([\w+#-]*)")
_HEADING = re.compile(r"#{1,6}\s+")
_RULE = re.compile(r"[-:| ]+")
_MARKS = re.compile(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=\S)(.+?)(?<=\S)\*(?![\w*])")
_LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)")


class LinearPrinter:
    """Prints what is new in a run. A line is printed once, when it is complete, and never changed."""

    def __init__(self, name: str, write: Callable[[str], None]) -> None:
        """`name` is the assistant's; `write` takes a line without its end."""
        self._name = name
        self._write = write
        self._lines: dict[str, int] = {}  # printed so far, by message ID
        self._begun: set[str] = set()  # calls of tools
        self._ended: set[str] = set()
        self._in_code = False

    def show(self, state: RunState) -> None:
        """Print what has been added since the last time."""
        for step in state.steps.values():
            details = step["step_details"]
            if step["type"] == "tool_calls":
                for place, call in enumerate(details.get("tool_calls") or ()):
                    self._show_call(f"{step['id']}-{place}", call, step)
            elif message := state.messages.get(_message_id(details)):
                self._show_message(message, complete=state.finished or message["status"] == "completed")

    def end(self, state: RunState) -> None:
        """Print the rest, and how it ended."""
        self.show(state)
        words = [(state.status or "unknown").replace("_", " ")]
        if (usage := state.run.get("usage") if state.run is not None else None) is not None:
            words.append(f"{usage['total_tokens']} tokens")
        self._write(f"Run {', '.join(words)}.")

    def _show_call(self, key: str, call: Json, step: RunStep) -> None:
        kind = str(call.get("type", ""))
        if key not in self._begun:
            self._begun.add(key)
            function = str((call.get("function") or {}).get("name", ""))
            what = {
                "code_interpreter": "runs code",
                "file_search": "searches in documents",
                "function": f"calls the function {clean(function)}",
            }
            self._write(f"{self._name} {what.get(kind, 'uses a tool')}.")
        if step["status"] == "completed" and key not in self._ended:
            self._ended.add(key)
            for output in (call.get("code_interpreter") or {}).get("outputs") or ():
                if output.get("type") == "image":
                    self._write("The code made a picture.")
                for line in clean(str(output.get("logs") or "")).splitlines():
                    self._write(f"Output: {line}")

    def _show_message(self, message: Message, *, complete: bool) -> None:
        shown = views.shown_text(message)
        lines = clean(shown.text).split("\n")
        if message["id"] not in self._lines:
            if not shown.text and not complete:
                return
            self._lines[message["id"]] = 0
            self._write(f"{self._name} says:")
        printed = self._lines[message["id"]]
        settled = len(lines) if complete else len(lines) - 1
        for line in lines[printed:settled]:
            for words in self._spoken(line):
                self._write(words)
        if complete and printed <= settled:
            for _ in shown.images:
                self._write("A picture belongs to the answer.")
            for note in shown.footnotes:
                self._write(f"Note {note.number}: {clean(note.name)}.")
            settled += 1  # and never again
        self._lines[message["id"]] = max(printed, settled)

    def _spoken(self, line: str) -> Iterator[str]:
        """A line of Markdown without the signs that mean something to the eye alone."""
        if fence := _FENCE.match(line):
            self._in_code = not self._in_code
            yield f"Code{f' in {fence[1]}' if fence[1] else ''}:" if self._in_code else "End of code."
        elif self._in_code:
            yield line
        elif not line.strip() or (_RULE.fullmatch(line) and "--" in line):
            return
        elif line.lstrip().startswith("|"):
            yield "Row: " + "; ".join(_plain(cell) for cell in line.strip().strip("|").split("|"))
        else:
            yield _plain(_HEADING.sub("", line))


def _plain(text: str) -> str:
    return _LINK.sub(r"\1 (\2)", _EMPHASIS.sub(r"\1", _MARKS.sub(r"\2", text))).strip()


def _message_id(details: Json) -> str:
    return str((details.get("message_creation") or {}).get("message_id", ""))
