"""What a refusal of a model server says about lengths.

Either the prompt is too long, or the answer was allowed more tokens than there is room for. Servers word both
much alike ("maximum context length" stands in either), so the numbers decide where there are any.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

SMALLEST_CONTEXT = 512
"""Tokens. A server that states less for a model's context has made a mistake (vllm-project/vllm#33418)."""

_NUMBER = r"[`'\"]?(\d[\d,]*)"
# The prompt's and the answer's tokens, side by side.
_BOTH = (
    rf"\({_NUMBER} (?:in|of|from) (?:the |your )?(?:messages|prompt|text input)\b.*?"
    rf"{_NUMBER} (?:in|for|of)\s+the (?:completion|output)",
    rf"{_NUMBER} tokens from the input messages and {_NUMBER} tokens for the completion",
    rf"has {_NUMBER} input tokens plus {_NUMBER} 'max_",
    rf"exceed context limit: {_NUMBER} \+ {_NUMBER} >",
    rf"Given: {_NUMBER} `inputs` tokens and {_NUMBER} `max_new_tokens`",
)
_PROMPT = (
    rf"your request has {_NUMBER} input tokens",
    rf"messages resulted in {_NUMBER} tokens",
    rf"prompt is too long: {_NUMBER}",
    rf"input token count \({_NUMBER}\)",
    rf"request contains {_NUMBER} tokens",
    rf"prompt token count of {_NUMBER}",
    rf"request \({_NUMBER} tokens\) exceeds",
    rf"keep the first {_NUMBER} tokens",
    rf"current length is {_NUMBER}",
)
_CONTEXT = (
    rf"exceed context limit: \d+ \+ \d+ > {_NUMBER}",
    rf"(?:context|prompt) (?:length|window|size|limit)(?: of| is|:)?(?: only)? \(?{_NUMBER}",
    rf"maximum number of tokens allowed \({_NUMBER}",
    rf"prompt is too long: \d+(?: tokens)? > {_NUMBER}",
    rf"must be <= {_NUMBER}",
    rf"(?:inputs` must have less than|cannot exceed|limit of|limit is|token limit:|Max size:) {_NUMBER}",
    rf"Range of input length should be \[\d+, ?{_NUMBER}",
)
# The most that the answer may have, whatever the prompt.
_CAP = (
    rf"supports at most {_NUMBER} completion tokens",
    rf"range of max_tokens (?:is|should be) \[\d+, ?{_NUMBER}",
    rf"max_tokens[`'\"]?:? (?:\d+ > |must be less than or equal to |should be at most |must be <= ){_NUMBER}",
    rf"maxOutputTokens value of \d+ but the supported range is from \d+ \(inclusive\) to {_NUMBER}",
)
_TOO_LONG = re.compile(
    r"maximum (?:context|prompt) length|(?:prompt|input|request) is too long|too many (?:input )?tokens"
    r"|exceed\w*\b.{0,60}\b(?:context|tokens?|limit|maximum|n_ctx)"
    r"|context (?:length|window|size|limit).{0,20}\bexceed"
    r"|(?:greater|longer|larger|more) than the .{0,20}context"
    r"|context length of only|context the overflows|reduce the length|range of input length|body too large"
    r"|must have less than \d+ tokens|must be <= \d+|max_tokens must be at least 1",
    re.IGNORECASE | re.DOTALL,
)
_TOO_MANY_FOR_THE_ANSWER = re.compile(
    r"max_(?:completion_|output_|new_)?tokens['\"`]?(?: or 'max_completion_tokens')?"
    r" (?:value )?is too (?:large|high)"
    r"|you requested \d+ output tokens",
    re.IGNORECASE,
)
# Refusals that mention lengths and have another reason.
_OTHER = re.compile(
    r"out of memory|\bOOM\b|allocat|rate.?limit|quota|per[ -](?:minute|hour|day)|\bTPM\b|\bRPM\b|balance",
    re.IGNORECASE,
)
_CODES = ("context_length", "context_size", "max_prompt_tokens", "tokens_limit_reached", "string_above_max")


@dataclass(frozen=True, slots=True)
class PromptTooLong:
    """The prompt has to be shortened. `context`: what the model can read in tokens, where the server said."""

    context: int | None


@dataclass(frozen=True, slots=True)
class AnswerTooLong:
    """The answer was allowed too many tokens. `most`: how many it may have; None where nothing tells."""

    most: int | None
    context: int | None = None


def read(status: int | None, code: str, message: str) -> PromptTooLong | AnswerTooLong | None:
    """What a refusal means for the lengths of a request; None if it is about something else.

    `status` is None for an error inside of a stream. `code` is the machine-readable one, in lower case.
    """
    named = any(name in code for name in _CODES)
    if status in (401, 403, 429) or (not named and _OTHER.search(message)):
        return None
    cap, context = _first(_CAP, message), _first(_CONTEXT, message)
    if cap is not None:
        return AnswerTooLong(cap)
    both = next((found for pattern in _BOTH if (found := _search(pattern, message))), None)
    prompt = _number(both[1]) if both else _first(_PROMPT, message)
    about_the_answer = bool(both or _TOO_MANY_FOR_THE_ANSWER.search(message))
    if about_the_answer and context is not None and prompt is not None:
        return AnswerTooLong(context - prompt, context) if prompt < context else PromptTooLong(context)
    if about_the_answer:
        return AnswerTooLong(None, context)
    if named or _TOO_LONG.search(message):
        return PromptTooLong(context)
    return None


def _first(patterns: Sequence[str], message: str) -> int | None:
    found = next((found for pattern in patterns if (found := _search(pattern, message))), None)
    return _number(found[1]) if found else None


def _search(pattern: str, message: str) -> re.Match[str] | None:
    return re.search(pattern, message, re.IGNORECASE | re.DOTALL)


def _number(text: str) -> int:
    return int(text.replace(",", ""))
