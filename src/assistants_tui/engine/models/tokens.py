"""How many tokens a text has, roughly: endpoints tell only afterwards, and each model counts differently."""

import json
from collections.abc import Iterable
from typing import Any

# English has about 4 characters per token, Chinese about 1 (3 bytes of UTF-8); per byte both are near this.
BYTES_PER_TOKEN = 4
_PER_MESSAGE = 4  # role and separators
_PER_IMAGE = 765  # a 1024 x 1024 image in high detail, as OpenAI counts it


def of_text(text: str) -> int:
    """An estimate, never less than 1 for a text that is not empty."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def of_message(message: dict[str, Any]) -> int:
    """An estimate for one message of a chat-completions request."""
    content = message.get("content")
    tokens = _PER_MESSAGE
    if isinstance(content, str):
        tokens += of_text(content)
    elif isinstance(content, list):
        tokens += sum(of_text(part["text"]) if part["type"] == "text" else _PER_IMAGE for part in content)
    for call in message.get("tool_calls", ()):
        tokens += _PER_MESSAGE + of_text(call["function"]["name"]) + of_text(call["function"]["arguments"])
    return tokens


def of_messages(messages: Iterable[dict[str, Any]]) -> int:
    return sum(of_message(message) for message in messages)


def of_tools(tools: Iterable[dict[str, Any]]) -> int:
    return sum(of_text(json.dumps(tool, ensure_ascii=False)) for tool in tools)
