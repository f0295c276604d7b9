"""What one run may have different from its assistant: checked, described, and put into words."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict, cast

from assistants_tui.protocol.objects import Assistant, Json, Metadata, Tool

BUILT_IN_TOOLS = ("code_interpreter", "file_search")


class RunOptions(TypedDict, total=False):
    """Names and limits are those of the API; `assistant_id` is another assistant than the chosen one."""

    assistant_id: str
    model: str
    instructions: str
    additional_instructions: str
    additional_messages: list[Json]
    tools: list[Tool]
    metadata: Metadata
    temperature: float
    top_p: float
    max_prompt_tokens: int
    max_completion_tokens: int
    truncation_strategy: Json
    tool_choice: str | Json
    parallel_tool_calls: bool
    response_format: str | Json
    reasoning_effort: str


def merged(*layers: RunOptions) -> RunOptions:
    """The options of several layers in one; later layers win."""
    whole: dict[str, Any] = {}
    for layer in layers:
        whole.update(layer)
    return cast(RunOptions, whole)


def without(options: RunOptions, names: Iterable[str]) -> RunOptions:
    """The options but for these."""
    gone = set(names)
    return cast(RunOptions, {key: value for key, value in options.items() if key not in gone})


def tool_choice(name: str) -> str | Json:
    """A tool by name as the API wants it: `auto`, `none`, `required`, a built-in tool, or a function."""
    if name in {"auto", "none", "required"}:
        return name
    if name in BUILT_IN_TOOLS:
        return {"type": name}
    return {"type": "function", "function": {"name": name}}


def tool_name(choice: str | Json | None) -> str:
    """What `tool_choice` made, turned back; empty for none."""
    if choice is None or isinstance(choice, str):
        return choice or ""
    if choice.get("type") == "function":
        return str((choice.get("function") or {}).get("name") or "")
    return str(choice.get("type") or "")


def summary(options: RunOptions, names: Mapping[str, str]) -> str:
    """The options in a few words for a badge; empty without any. `names` are assistants' names by ID."""
    words: list[str] = []
    for key, value in options.items():
        match key:
            case "assistant_id":
                words.append(names.get(str(value), str(value)))
            case "model":
                words.append(str(value))
            case "tool_choice":
                words.append(f"tool {tool_name(cast(Json, value))}")
            case "response_format":
                words.append(str(value.get("type")) if isinstance(value, dict) else f"format {value}")
            case "truncation_strategy":
                last = cast(Json, value).get("last_messages")
                words.append(f"last {last} messages" if last else "truncation auto")
            case "instructions" | "additional_instructions" | "metadata":
                words.append(key.replace("_", " "))
            case "parallel_tool_calls":
                words.append("parallel calls" if value else "one call at a time")
            case _:
                words.append(f"{key.replace('_', ' ')} {value}")
    return ", ".join(words)


def json_warning(options: RunOptions, assistant: Assistant | None, texts: Iterable[str]) -> str | None:
    """A sentence if the run answers in JSON mode and nothing that the model reads asks for JSON.

    Models that are not told to write JSON then write white space until the token limit is reached, and
    servers may refuse such runs (https://platform.openai.com/docs/guides/structured-outputs#json-mode).
    """
    wanted: object = options.get("response_format", assistant and assistant.get("response_format"))
    if not isinstance(wanted, dict) or wanted.get("type") != "json_object":
        return None
    instructions = options.get("instructions", assistant and assistant.get("instructions"))
    told = (instructions or "", options.get("additional_instructions", ""))
    if any("json" in text.casefold() for text in (*told, *texts)):
        return None
    return "The answer must be JSON, but neither the instructions nor the message say so: mention JSON."


def stored(options: RunOptions) -> str:
    """The options as one line of JSON; empty without any."""
    return json.dumps(options, ensure_ascii=False) if options else ""


def restored(text: str) -> RunOptions:
    """What `stored` gave; without options if it is anything else, or from a version that knew others."""
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    if not isinstance(value, dict):
        return {}
    return cast(RunOptions, {key: value[key] for key in value if key in RunOptions.__annotations__})


# Reading what somebody typed


def number(text: str, least: float, most: float) -> float:
    """A number between two limits. Raises `ValueError` with a sentence."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise ValueError(f"A number from {least:g} to {most:g} is needed here.")
    return value


def whole_number(text: str, least: int) -> int:
    """A whole number of at least `least`. Raises `ValueError` with a sentence."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
        raise ValueError(f"A whole number of at least {least} is needed here.")
    return int(text)


def response_format(text: str) -> str | Json:
    """`auto`, `text`, `json_object`, or a JSON Schema, bare or in the API's own wrapping.

    Raises `ValueError` with a sentence.
    """
    if text == "auto":
        return "auto"
    if text in {"text", "json_object"}:
        return {"type": text}
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise ValueError(f"Write auto, text, json_object or a JSON Schema: {error}.") from None
    if not isinstance(schema, dict):
        raise ValueError("A JSON Schema is an object: {…}.")
    if schema.get("type") in {"json_schema", "json_object", "text"}:
        return schema
    if "schema" not in schema:
        schema = {"name": "answer", "schema": schema}
    return {"type": "json_schema", "json_schema": schema}
