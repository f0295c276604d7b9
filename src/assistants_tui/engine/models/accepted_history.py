"""The history of a conversation in the form that a model accepts.

Servers refuse what others send: two turns of one role in a row, images, calls of tools, a system message,
`null` as the content. What a model refuses is learnt from its refusals. Some things no server needs to see,
and some refuse: empty texts, and arguments of calls that are no JSON object.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistants_tui.protocol import bounded_json
from assistants_tui.protocol.objects import Json

_NO_OUTPUT = "(no output)"
_BEGIN = "(The conversation begins.)"
_NO_ANSWER = "(No answer.)"
_GO_ON = "(Go on.)"


@dataclass(slots=True)
class ModelProfile:
    """What a model takes, as far as its server has not refused it."""

    tools: bool = True
    images: bool = True
    system_role: bool = True
    null_content: bool = True
    """Beside calls, an assistant's turn may have `null` as its content."""
    any_order: bool = True
    """Turns may follow each other in any order; else users and assistants alternate, and a user begins."""
    returned_fields: bool = True
    """Turns and calls may have the fields with which they came."""


# In this order: a refusal that names more than one thing means the first.
_REFUSALS = {
    "tools": r"does not support (?:tools?|function)|tools? (?:use |calling )?(?:is|are) not supported"
    r"|requires? --jinja|tools param requires|does not support tool|no endpoints found that support tool"
    r"|function calling is not (?:enabled|supported)|enable-auto-tool-choice",
    "images": r"(?:does not|doesn't|do not|not|no endpoints found that) (?:support|accept|allow)\w* "
    r"(?:the )?(?:image|vision|multi-?modal)|image\w*(?: input)? (?:is|are) not supported|not a multimodal"
    r"|image_url.{0,60}(?:not supported|unsupported)|unknown variant `image_url`"
    r"|image input is not supported|missing mmproj",
    "system_role": r"system role not supported|(?:does not|doesn't) support (?:the )?system (?:role|message)"
    r"|developer instruction is not enabled",
    "any_order": r"roles must alternate|must alternate between|alternat\w+ user/assistant"
    r"|expected last role|last message must|first message must|multiple consecutive|after the optional system"
    r"|unexpected role",
    "null_content": r"content.{0,60}(?:null|None\b|should be a valid string|must be a string)",
    "returned_fields": r"(?:extra|unknown|unrecognized|unexpected|not permitted|unsupported).{0,80}"
    r"(?:reasoning|extra_content)"
    r"|(?:reasoning|extra_content).{0,80}(?:extra|unknown|unrecognized|not permitted|not supported)",
}


def refused(status: int, message: str, profile: ModelProfile) -> str | None:
    """The name of the field of the profile that a refusal says is false, if the profile says otherwise."""
    if status not in {400, 404, 415, 422, 500, 501}:
        return None
    for name, pattern in _REFUSALS.items():
        if getattr(profile, name) and re.search(pattern, message, re.IGNORECASE | re.DOTALL):
            return name
    return None


def adapted(messages: Sequence[Json], profile: ModelProfile) -> list[Json]:
    """The messages as the model accepts them."""
    shaped: list[Json] = []
    for message in messages:
        shaped += _shaped(message, profile)
    if not profile.system_role:
        shaped = [{**turn, "role": "user"} if turn["role"] == "system" else turn for turn in shaped]
    return shaped if profile.any_order else list(_alternating(shaped))


def _shaped(message: Json, profile: ModelProfile) -> Iterator[Json]:
    turn, calls = dict(message), message.get("tool_calls")
    content = _content(message.get("content"), profile)
    if message["role"] == "tool":
        content = content or _NO_OUTPUT
        if not profile.tools:
            turn = {"role": "user"}
            content = f"[Result of {message['tool_call_id']}]\n{content}"
    if calls and profile.tools:
        turn["tool_calls"] = [_call(call, profile) for call in calls]
    elif calls:
        made = (_call(call, profile) for call in calls)
        told = [
            f"[Called {call['function']['name']}({call['function']['arguments']}) as {call['id']}]"
            for call in made
        ]
        content = "\n\n".join([*([content] if isinstance(content, str) and content else []), *told])
    if calls and not (profile.tools and profile.returned_fields):
        kept = ("role", "content", "tool_calls") if profile.tools else ("role", "content")
        turn = {key: turn[key] for key in kept if key in turn}
    if content:
        yield {**turn, "content": content}
    elif "tool_calls" in turn:
        yield {**turn, "content": None if profile.null_content else ""}


def _content(content: str | Sequence[Json] | None, profile: ModelProfile) -> str | list[Json]:
    """Without what is empty; images by their names if the model takes none."""
    if content is None or isinstance(content, str):
        return content if content and content.strip() else ""
    parts = [
        _image(part, profile) if part["type"] == "image_url" else part
        for part in content
        if part["type"] != "text" or part["text"].strip()
    ]
    if all(part["type"] == "text" for part in parts):
        return "\n\n".join(part["text"] for part in parts)
    return parts


def _image(part: Json, profile: ModelProfile) -> Json:
    if profile.images:
        return {"type": "image_url", "image_url": part["image_url"]}
    return {"type": "text", "text": f"[Image {part['name']}, which this model cannot see]"}


def _call(call: Json, profile: ModelProfile) -> Json:
    function = {**call["function"], "arguments": _object_or_nothing(call["function"]["arguments"])}
    extra = call if profile.returned_fields else {"id": call["id"], "type": call["type"]}
    return {**extra, "function": function}


def _object_or_nothing(arguments: str) -> str:
    """The arguments, or none if they are no JSON object: servers that read them refuse the whole history."""
    try:
        return arguments if isinstance(bounded_json.parse(arguments), dict) else "{}"
    except (ValueError, RecursionError):
        return "{}"


def _alternating(turns: Sequence[Json]) -> Iterator[Json]:
    """System first, then users and assistants by turns. Results of tools belong to the turn before them."""
    last: Json | None = None
    for turn in turns:
        if last is None:
            if turn["role"] == "assistant":
                yield {"role": "user", "content": _BEGIN}
            last = turn
        elif last["role"] == turn["role"] != "tool" and not last.get("tool_calls"):
            last = {**last, **turn, "content": _together(last["content"], turn["content"])}
        elif last["role"] == "tool" and turn["role"] == "user":
            yield last
            yield {"role": "assistant", "content": _NO_ANSWER}
            last = turn
        else:
            if last["role"] == "system" and turn["role"] == "assistant":
                yield last
                last = {"role": "user", "content": _BEGIN}
            yield last
            last = turn
    if last is not None:
        yield last
        if last["role"] in {"assistant", "system"}:
            yield {"role": "user", "content": _GO_ON if last["role"] == "assistant" else _BEGIN}


def _together(first: str | list[Json] | None, second: str | list[Json] | None) -> str | list[Json] | None:
    if not (first and second):
        return first or second
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: str | list[Json]) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
