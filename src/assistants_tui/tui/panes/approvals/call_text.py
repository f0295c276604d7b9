"""A function call in words: its name, arguments and output, cut to what a card shows, and whole."""

import json

from textual.content import Content

from assistants_tui.service.approvals.actions import Decision, FunctionCall
from assistants_tui.tui.text.exact_text import exact

_MAX_LINES = 8
"""Lines of arguments or of an output that a card shows."""
_MAX_LINE = 240
"""Characters of a line that a card shows."""
_MAX_NAME = 120
"""Characters of a name that a card shows; the API allows fewer."""


def title(call: FunctionCall) -> Content:
    """Its name, where its function comes from, and how far the call is."""
    match call.state:
        case "checking":
            words, style = "looking for it…", "$muted"
        case "running":
            words, style = "running…", "$text-accent"
        case "answered":
            decided = _DECIDED[call.decision or "typed"]
            words, style = ("failed", "$text-error") if call.failed else (decided, "$text-success")
        case "waiting" if call.function is None:
            words, style = "not a function of yours: write its output", "$muted"
        case _:
            words, style = "may it run?", "$text-accent"
    place = f"  {exact(call.function.place, code=True)}" if call.function is not None else ""
    return Content.assemble((shown_name(call), "bold"), (place, "$muted"), (f"  {words}", style))


def shown_name(call: FunctionCall) -> str:
    """The name of the called function on one line, with marks for what is not what it seems."""
    name = exact(call.name[:_MAX_NAME], code=True).replace("\n", "‹U+000A›") or "(no name)"
    left_out = len(call.name) - _MAX_NAME
    return name if left_out <= 0 else f"{name} ‹{left_out:,} more characters›"


_DECIDED: dict[Decision, str] = {
    "once": "done",
    "always": "done without asking",
    "refused": "declined",
    "never": "declined, as always",
    "typed": "answered",
}


def arguments_text(call: FunctionCall) -> str:
    """Arguments as `name = value` where they can be used, else as the model wrote them."""
    if call.values is None:
        return call.arguments
    return "\n".join(
        f"{name if name.isidentifier() else json.dumps(name, ensure_ascii=False)} = "
        f"{json.dumps(value, ensure_ascii=False)}"
        for name, value in call.values.items()
    )


def remarks(call: FunctionCall) -> str:
    """What is wrong with a call, and how its function has changed since the user decided about it."""
    return "\n".join(filter(None, (call.problem, call.changed)))


def whole_text(call: FunctionCall) -> str:
    """All that the user decides on."""
    name = call.name if len(call.name) > _MAX_NAME else ""
    return "\n\n".join(filter(None, (name, arguments_text(call), remarks(call))))


def output(call: FunctionCall) -> Content:
    """What an answered call gave; nothing before."""
    if call.state != "answered":
        return Content("")
    more = "the inspector (F4) shows all"
    printed = Content("")
    if call.failed and call.printed:
        printed = cut(f"\n{call.printed.strip()}", more)
    took = f"  {call.seconds:.1f} s" if call.seconds >= 0.1 else ""
    return Content.assemble(
        ("→ ", "$muted"), cut(call.output, more), (took, "$muted"), printed.stylize("$muted")
    )


def is_cut(text: str) -> bool:
    """Whether a card shows only the beginning of a text."""
    lines = text.split("\n", _MAX_LINES)
    return len(lines) > _MAX_LINES or any(len(line) > _MAX_LINE for line in lines)


def cut(text: str, more: str) -> Content:
    """The beginning of a text, with lines that cannot be missed where something is left out.

    `more`: how to see it. Work is bounded by what is shown, but for counting lines.
    """
    lines = text.split("\n", _MAX_LINES)
    parts: list[Content] = []
    whole: list[str] = []  # empty lines are counted over several lines
    for line in lines[:_MAX_LINES]:
        whole.append(line[:_MAX_LINE])
        if len(line) > _MAX_LINE:
            parts += [Content(exact("\n".join(whole))), _more(len(line) - _MAX_LINE, "character", more)]
            whole.clear()
    if whole:
        parts.append(Content(exact("\n".join(whole))))
    if len(lines) > _MAX_LINES:
        parts.append(_more(lines[_MAX_LINES].count("\n") + 1, "line", more))
    return Content("\n").join(parts)


def _more(count: int, what: str, more: str) -> Content:
    words = f" ▼ {count:,} more {what}{'s' if count > 1 else ''}: {more} "
    return Content.styled(words, "bold reverse $text-error")
