"""Calls the functions that an assistant declares, when a question is about what one of them does."""

import json
import re
from collections.abc import Iterator
from typing import Any

from assistants_tui.engine.tutor import reading
from assistants_tui.engine.tutor.conversation import Call, Conversation, Reply, Result, Say
from assistants_tui.protocol import bounded_json
from assistants_tui.protocol.objects import Json

# Words that say nothing about what a function is for
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        a an and are at by current do does fetch find for from function get gets give given how i in is it
        list look lookup me my of on or query request return returns search show tell that the this to today
        up use what which with your you
        """,
    )
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
_QUOTED = re.compile(r"[\"“'`]([^\"”'`]+)[\"”'`]")
_NAME = r"[A-ZÀ-ÖØ-Þ][\w’'.-]*(?:\s+(?:de|del|la|le|of|the|am|upon|[A-ZÀ-ÖØ-Þ][\w’'.-]*))*(?:,\s*[A-Z]{2}\b)?"
_PLACES = re.compile(
    rf"\b(?:in|for|of|at|from|to|near|about)\s+({_NAME}(?:\s*(?:,|and|or|&)\s+(?:in\s+)?{_NAME})*)"
)
_LATER = re.compile(r"(?<!^)(?<![.?!]\s)\b" + _NAME)
_TAIL = re.compile(
    r"\b(?:in|for|of|at|from|to|near|about)\s+(?:the\s+)?([^?.!,]+?)\s*(?:today|now|tomorrow|please)?[?.!]*$"
)


def reply(talk: Conversation, forced: str | None = None) -> Reply | None:
    """The calls that the question asks for, or the answer from their outputs; None if it is about none.

    `forced`: the function to call whatever the question is.
    """
    chosen = [function for function in talk.functions if _fits(function, talk.question, forced)]
    if not chosen:
        return None
    own = {function["name"] for function in talk.functions}
    made = [result for result in talk.results if result.name in own]
    wanted: list[Call] = []
    for function in chosen:
        calls = list(_calls(function, talk.question, must=function["name"] == forced))
        if not calls and not made:
            return Say(_missing(function, talk.question))
        wanted += calls
    done = [(result.name, result.arguments) for result in made]
    if open_calls := [call for call in wanted if (call.name, call.arguments) not in done]:
        return open_calls
    return Say("\n\n".join(_told(result) for result in made)) if made else None


def _fits(function: Json, question: str, forced: str | None) -> bool:
    if forced is not None:
        return bool(function["name"] == forced)
    asked = _stems(question)
    by_name = _stems(function["name"]) & asked
    by_description = _stems(function.get("description") or "") & asked
    return bool(by_name) or len(by_description) >= 2


def _stems(text: str) -> set[str]:
    words = (word.lower() for word in _WORD.findall(text))
    return {word.removesuffix("s") for word in words if word not in _COMMON}


def _calls(function: Json, question: str, *, must: bool) -> Iterator[Call]:
    """One call, or one for each of several values that the question names for the same parameter."""
    schema = function.get("parameters") or {}
    properties: Json = schema.get("properties") or {}
    required = schema.get("required") or []
    fixed: Json = {}
    free: list[str] = []
    numbers = _NUMBER.findall(question)
    for name, kind in properties.items():
        value = _value(name, kind, question, numbers)
        if value is not None:
            fixed[name] = value
        elif _type(kind) == "string" and not kind.get("enum"):
            free.append(name)
    listed = " ".join(
        f"{kind.get('description')} {kind['enum']}" for kind in properties.values() if kind.get("enum")
    )
    phrases = [phrase for phrase in _phrases(question) if phrase.lower() not in listed.lower()]
    if free and not phrases and must:
        phrases = [question.strip() or "?"]
    choices: list[Json] = [{}]
    if free and phrases:
        # Several parameters take one phrase each; a single one takes all of them, in a call for each.
        choices = (
            [{free[0]: phrase} for phrase in phrases]
            if len(free) == 1
            else [dict(zip(free, phrases, strict=False))]
        )
    for choice in choices:
        arguments = {name: (fixed | choice)[name] for name in properties if name in fixed | choice}
        if must:
            for name in required:
                arguments.setdefault(name, _filler(properties.get(name, {})))
        if all(name in arguments for name in required):
            yield Call(function["name"], arguments)


def _value(name: str, kind: Json, question: str, numbers: list[str]) -> Any:
    """A value that can be told by its form: one of a list, a number, yes or no."""
    if kind.get("enum"):
        return _one_of(kind, question)
    match _type(kind):
        case "integer" | "number" if numbers:
            number = numbers.pop(0)
            return int(float(number)) if _type(kind) == "integer" else float(number)
        case "boolean" if re.search(rf"\b{re.escape(name.replace('_', ' '))}\b", question, re.IGNORECASE):
            return True
    return kind.get("default")


def _one_of(kind: Json, question: str) -> Any:
    words = {word.lower() for word in _WORD.findall(question)}
    described = kind.get("description") or ""
    for value in kind["enum"]:
        text = str(value).lower()
        # A short value is explained in the description, as in "Degrees Celsius (c) or Fahrenheit (f)".
        meaning = re.search(rf"(\w+)\s*\(\W*{re.escape(text)}\W*\)", described, re.IGNORECASE)
        if (len(text) > 1 and text in words) or (meaning and meaning[1].lower() in words):
            return value
    return kind.get("default")


def _phrases(question: str) -> list[str]:
    """What the question names: in quotes, as places, with capitals, or at its end."""
    if quoted := _QUOTED.findall(question):
        return list(dict.fromkeys(quoted))
    listed = [name for group in _PLACES.findall(question) for name in _parts(group)]
    if not listed:
        listed = [found[0] for found in _LATER.finditer(question) if found[0] not in ("I", "I'm")]
    if not listed and (tail := _TAIL.search(reading.in_few_words(question, end=True))):
        listed = [part.strip() for part in re.split(r"\s+and\s+", tail[1])]
    return list(dict.fromkeys(name.strip().rstrip(".,") for name in listed))


def _parts(group: str) -> list[str]:
    whole = re.sub(r",\s*([A-Z]{2})\b", r"\0\1", group)  # "San Francisco, CA" is one place
    names = re.split(r"\s*(?:,|\band\b|\bor\b|&)\s+(?:in\s+)?", whole)
    return [name.replace("\0", ", ") for name in names if name.strip()]


def _type(kind: Json) -> str:
    stated = kind.get("type", "string")
    return next((t for t in stated if t != "null"), "string") if isinstance(stated, list) else str(stated)


def _filler(kind: Json) -> Any:
    if kind.get("enum"):
        return kind["enum"][0]
    return {"integer": 0, "number": 0.0, "boolean": False, "array": [], "object": {}}.get(_type(kind), "")


def _missing(function: Json, question: str) -> str:
    schema = function.get("parameters") or {}
    described = [
        f"`{name}`"
        + (
            f" ({kind['description']})"
            if (kind := schema["properties"].get(name, {})).get("description")
            else ""
        )
        for name in schema.get("required") or []
        if name in (schema.get("properties") or {})
    ]
    return (
        f"I can ask `{function['name']}` about this, but it needs {' and '.join(described)}. Please name it."
    )


def _told(result: Result) -> str:
    given = ", ".join(str(value) for value in result.arguments.values())
    head = f"**{result.name}**" + (f" ({given})" if given else "")
    output = result.output.strip()
    if not output:
        return f"{head} gave no output."
    try:
        value: object = bounded_json.parse(output)
    except (ValueError, RecursionError):
        value = output
    if isinstance(value, dict) and value:
        return f"{head}:\n\n" + "\n".join(f"- {key}: {_plain(item)}" for key, item in value.items())
    if isinstance(value, list) and value:
        return f"{head}:\n\n" + "\n".join(f"- {_plain(item)}" for item in value)
    return f"{head}: {_plain(value)}"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
