"""Asks a model server how many tokens one of its models reads.

vLLM, OpenRouter and others say it in the list of models; llama.cpp, Ollama and LM Studio in an API of their
own, beside `/v1`, where it is the context that is in force now, not the longest that the model could have.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx2
import openai
from openai import AsyncOpenAI

from assistants_tui.engine.models.base import StatedContext
from assistants_tui.engine.models.client import whole_answer
from assistants_tui.engine.models.length_refusals import SMALLEST_CONTEXT

_TIMEOUT = 5  # seconds for all questions together
_LOADED_SECONDS = 60  # a local server may load its model again with another context
_LISTED_SECONDS = 3600
_UNLOADED_SECONDS = 2  # what a model would get; the next answer loads it
# Ollama's default without much video memory. It cuts longer prompts without a word.
_OLLAMA_DEFAULT = 4096
_LISTED = ("max_model_len", "context_length", "context_window", "max_context_length")
_PARAMETER = re.compile(r"^num_ctx\s+(\d+)\s*$", re.MULTILINE)


async def ask(api: AsyncOpenAI, model: str) -> StatedContext | None:
    """The context of a model; None where the server does not say it, or cannot be asked."""
    root = str(api.base_url).rstrip("/").removesuffix("/v1")
    try:
        async with asyncio.timeout(_TIMEOUT):
            entry = _named((await _get(api, "/models")).get("data"), model)
            if (tokens := _first_number(entry, *_LISTED)) is not None:
                # At OpenRouter, the provider may serve less than the model could read.
                most = _first_number(entry.get("top_provider"), "context_length")
                return StatedContext(min(tokens, most or tokens), _LISTED_SECONDS)
            found = await asyncio.gather(
                _llama_cpp(api, root, model), _ollama(api, root, model), _lm_studio(api, root, model)
            )
            stated = next((one for one in found if one is not None), None)
            if stated is None and (tokens := _first_number(entry.get("meta"), "n_ctx", "n_ctx_train")):
                stated = StatedContext(tokens, _LOADED_SECONDS)
            return stated
    except TimeoutError:
        return None


async def _llama_cpp(api: AsyncOpenAI, root: str, model: str) -> StatedContext | None:
    # A server with several models must not load one because it was asked about it.
    props = await _get(api, f"{root}/props?model={quote(model, safe='')}&autoload=false")
    tokens = _first_number(props.get("default_generation_settings"), "n_ctx")
    return StatedContext(tokens, _LOADED_SECONDS) if tokens else None


async def _ollama(api: AsyncOpenAI, root: str, model: str) -> StatedContext | None:
    running = (await _get(api, f"{root}/api/ps")).get("models")
    if not isinstance(running, list):
        return None
    if tokens := _first_number(_named(running, model), "context_length"):
        return StatedContext(tokens, _LOADED_SECONDS)
    shown = await _get(api, f"{root}/api/show", {"model": model})
    declared = _PARAMETER.search(str(shown.get("parameters") or ""))
    info = shown.get("model_info")
    longest = next(
        (
            number
            for key in (info if isinstance(info, dict) else {})
            if key.endswith(".context_length") and (number := _first_number(info, key))
        ),
        None,
    )
    if declared is None and longest is None:
        return None
    tokens = int(declared[1]) if declared else _OLLAMA_DEFAULT
    return StatedContext(min(tokens, longest or tokens), _UNLOADED_SECONDS)


async def _lm_studio(api: AsyncOpenAI, root: str, model: str) -> StatedContext | None:
    entry = _named((await _get(api, f"{root}/api/v0/models")).get("data"), model)
    if tokens := _first_number(entry, "loaded_context_length"):
        return StatedContext(tokens, _LOADED_SECONDS)
    return None


async def _get(api: AsyncOpenAI, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The JSON object at an address, empty where there is none."""
    try:
        answer = await whole_answer(api, path, body=body, max_retries=0)
    except (openai.APIError, ValueError, RecursionError, httpx2.HTTPError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _named(entries: object, model: str) -> dict[str, Any]:
    """The entry of a model. Ollama calls `llama3.2` also `llama3.2:latest`."""
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        if {model, f"{model}:latest"} & {str(entry.get(key)) for key in ("id", "name", "model")}:
            return entry
    return {}


def _first_number(entry: object, *keys: str) -> int | None:
    """The first of these fields of an object that can be a context."""
    for key in keys:
        value = entry.get(key) if isinstance(entry, dict) else None
        if isinstance(value, int) and not isinstance(value, bool) and value >= SMALLEST_CONTEXT:
            return value
    return None
