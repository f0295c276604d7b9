"""Tokens in the shape in which runs and run steps show them.

The service sends two counts that its reference does not describe, under names that are not those of chat
completions: `prompt_token_details` (sic) and `completion_tokens_details`.
"""

from collections.abc import Mapping
from typing import Any

from assistants_tui.engine.models.base import Usage
from assistants_tui.protocol.objects import Json


def to_wire(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_token_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def from_wire(shown: Mapping[str, Any] | None) -> Usage:
    """What a stored object says; nothing where it says nothing, as those of older versions."""
    if shown is None:
        return Usage()
    return Usage(
        shown["prompt_tokens"],
        shown["completion_tokens"],
        shown.get("prompt_token_details", {}).get("cached_tokens", 0),
        shown.get("completion_tokens_details", {}).get("reasoning_tokens", 0),
    )
