"""Any OpenAI-compatible chat-completions endpoint over HTTP, as a source of answers."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream

from assistants_tui import network
from assistants_tui.addresses import without_password
from assistants_tui.engine.models import accepted_history, context_probe, faults, length_refusals
from assistants_tui.engine.models.accepted_history import ModelProfile
from assistants_tui.engine.models.answer_stream import AnswerBody, Item, NoAnswerError
from assistants_tui.engine.models.base import (
    AnsweredBy,
    ChatRequest,
    ContextOverflowError,
    Delta,
    ModelError,
    StatedContext,
)
from assistants_tui.engine.models.client import endpoint_client, no_key, whole_answer
from assistants_tui.engine.models.completion_chunks import ChunkReader
from assistants_tui.engine.models.length_refusals import AnswerTooLong
from assistants_tui.protocol.error_codes import RunErrorCode
from assistants_tui.protocol.objects import Json

_MAX_RETRIES = 4  # after 429, 5xx and lost connections, each after the delay that the server asks for
# A model that runs on this computer may read a long prompt for minutes before its first token.
_TIMEOUT = httpx2.Timeout(600, connect=10)
# Seconds. In the middle of an answer no prompt has to be read, but a call may be held back until it is whole.
_SILENCE = 300
_SHORTEST_ANSWER = 64  # tokens: rather than less, the prompt is shortened
_ALIAS_SECONDS = 300  # how long a name that the endpoint did not know is not tried again

# Parameters that some servers refuse: without them the answer is nearly as good. The older name of the token
# limit goes first because most servers know only that one and ignore what they do not know.
_DISPENSABLE = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": None,
    "stream_options": None,
    "parallel_tool_calls": None,
    "reasoning_effort": None,
    "temperature": None,
    "top_p": None,
}


class EndpointModel:
    """Models behind a base URL such as `http://localhost:11434/v1`.

    A model name that the endpoint does not know is answered by `default_model`, or by the first model that
    the endpoint lists if there is no default. A name or parameter that it refused once is remembered.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        key_advice: str = "",
        default_model: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra_body: Mapping[str, object] | None = None,
    ) -> None:
        """`key_advice`: what to say where the endpoint asks for a key and there is none.

        `headers` go with every request, the fields of `extra_body` with every chat.
        """
        self._base_url = base_url
        self._shown_url = without_password(base_url)
        self._api_key = api_key
        self._key_advice = key_advice
        self._default = default_model
        self._extra_body = dict(extra_body or {})
        self._api: AsyncOpenAI | None = None
        self._no_way = ""
        try:
            self._api = endpoint_client(
                base_url, api_key, timeout=_TIMEOUT, max_retries=_MAX_RETRIES, headers=headers
            )
        except network.NetworkSettingsError as error:
            self._no_way = str(error)  # for the run that needs it; everything else works without
        self._unknown: dict[str, float] = {}  # model name -> when to try it again
        self._profiles: dict[str, ModelProfile] = {}  # by model name
        self._refused: dict[str, set[str]] = {}  # model name -> parameters to leave out

    def __repr__(self) -> str:
        return f"EndpointModel({self._shown_url!r})"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        reader, body = ChunkReader(), AnswerBody()
        try:
            opened, model = await self._open(request)
            async with opened as stream:
                if model != request.model:
                    yield AnsweredBy(model)
                async for data in _until_silent(stream.response.aiter_bytes(), reader):
                    for delta in self._read(body.feed(data), reader):
                        yield delta
                    if body.done:
                        break
            for delta in self._read(body.finish(), reader):
                yield delta
            for delta in reader.held_back():
                yield delta
        except openai.APIError as error:
            raise self._fault(error) from None
        except NoAnswerError as error:
            raise ModelError(self._no_answer(error.sample)) from None
        except (httpx2.HTTPError, TimeoutError) as error:
            raise self._stopped(reader, self._without_key(str(error)) or type(error).__name__) from None
        if not (reader.is_whole or body.done) or (reader.has_half_a_call and not reader.is_whole):
            if reader.has_no_choice:
                raise ModelError(self._no_answer("its JSON has no entry in `choices`."))
            raise self._stopped(reader, "it did not say that this is the end")
        yield reader.finish()

    def _read(self, items: Iterable[Item], reader: ChunkReader) -> Iterator[Delta]:
        for item in items:
            error = item.value if item.is_error else faults.in_chunk(item.value)
            if error is not None:
                message = self._without_key(faults.text(error, "it did not say why."))
                raise self._refusal(None, error, message)
            yield from reader.read(item.value)

    def _stopped(self, reader: ChunkReader, cause: str) -> ModelError:
        if reader.has_begun:
            message = "The model server stopped in the middle of the answer"
        else:
            message = "The model server ended the connection without an answer"
        return ModelError(f"{message} ({self._shown_url}: {cause}).")

    def _no_answer(self, sample: str) -> str:
        where, shown = f"The model endpoint {self._shown_url}", self._without_key(sample)
        if not sample.lstrip().startswith("<"):
            return f"{where} sent no valid answer: {shown}"
        advice = "Is the address right, and is there a proxy or a login page before it?"
        page = f"{where} answered with a web page. {advice} {network.way_to(self._base_url)}".strip()
        return f"{page} The page begins: {shown}"

    async def models(self) -> list[Json]:
        try:
            page: Any = await whole_answer(self._client, "/models", max_retries=1)
        except openai.APIError as error:
            raise self._fault(error) from None
        except (ValueError, RecursionError, httpx2.HTTPError) as error:
            where = f"The model endpoint {self._shown_url}"
            raise ModelError(f"{where} sent no list of models: {error}") from None
        entries = page.get("data") if isinstance(page, dict) else None
        return [
            {
                "id": entry["id"],
                "object": "model",
                "created": entry["created"] if isinstance(entry.get("created"), int) else 0,
                "owned_by": str(entry.get("owned_by") or "unknown"),
                **({"shutdown_date": day} if isinstance(day := entry.get("shutdown_date"), str) else {}),
            }
            for entry in (entries if isinstance(entries, list) else ())
            if isinstance(entry, dict) and isinstance(entry.get("id"), str)
        ]

    async def context(self, model: str) -> StatedContext | None:
        return await context_probe.ask(self._client, await self._known_name(model))

    async def close(self) -> None:
        if self._api is not None:
            await self._api.close()

    @property
    def _client(self) -> AsyncOpenAI:
        if self._api is None:
            raise ModelError(f"The model endpoint {self._shown_url} cannot be reached. {self._no_way}")
        return self._api

    async def _open(self, request: ChatRequest) -> tuple[AsyncStream[object], str]:
        """The answer's stream and the model that gives it.

        Makes as many attempts as the endpoint has objections that we can meet.
        """
        model = await self._known_name(request.model)
        most, without = request.max_completion_tokens, set[str]()
        dispensable = {*_DISPENSABLE, *(["tool_choice"] if request.tool_choice == "none" else ())}
        while True:
            # Other requests may learn of the model meanwhile: what counts is how this one was made.
            profile = replace(self._profiles.get(model, ModelProfile()))
            body = self._body(request, model, profile, most, without)
            try:
                stream = await self._client.post(
                    "/chat/completions",
                    cast_to=object,
                    body=body,
                    stream=True,
                    stream_cls=AsyncStream[object],
                )
                return stream, model
            except openai.APIStatusError as error:
                message = faults.text(error.body, error.message)
                length = length_refusals.read(error.status_code, faults.code(error.body), message)
                if isinstance(length, AnswerTooLong):
                    most = _less(most, length)
                    if most is None:
                        raise
                elif length is not None:
                    raise
                elif what := accepted_history.refused(error.status_code, message, profile):
                    setattr(self._profiles.setdefault(model, ModelProfile()), what, False)
                elif model == request.model and faults.is_unknown_model(
                    error.status_code, error.body, message
                ):
                    self._unknown[model] = time.monotonic() + _ALIAS_SECONDS
                    fallback = await self._known_name(model)
                    if fallback == model:
                        raise
                    model = fallback
                elif error.status_code in {400, 422} and (
                    name := faults.refused_parameter(message, dispensable & body.keys())
                ):
                    without.add(name)
                    if name == "tool_choice":
                        continue
                    if not faults.is_about_a_value(message):
                        self._refused.setdefault(model, set()).add(name)
                else:
                    raise

    async def _known_name(self, name: str) -> str:
        """The name to ask for: the requested one, unless the endpoint refused it lately."""
        if self._unknown.get(name, 0.0) < time.monotonic():
            return name
        return await self.default_model() or name

    async def default_model(self) -> str | None:
        """What answers for unknown names; None if there is nothing. Raises `ModelError`."""
        if self._default is None:
            self._default = next((model["id"] for model in await self.models()), None)
        return self._default

    def _body(
        self, request: ChatRequest, model: str, profile: ModelProfile, most: int | None, without: set[str]
    ) -> Json:
        """`most`: how many tokens the answer may have; `without`: parameters that this request lacks."""
        body: Json = {
            "model": model,
            "messages": accepted_history.adapted(request.messages, profile),
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": request.temperature,
            "top_p": request.top_p,
        }
        if (
            request.tools and profile.tools and "tool_choice" not in without
        ):  # without tools, nothing can be called either
            body["tools"] = list(request.tools)
            if request.tool_choice != "auto":
                body["tool_choice"] = request.tool_choice
            if not request.parallel_tool_calls:
                body["parallel_tool_calls"] = False
        if request.response_format is not None:
            body["response_format"] = request.response_format
        if most is not None:
            body["max_tokens"] = most
        if request.reasoning_effort is not None:
            body["reasoning_effort"] = request.reasoning_effort
        for name, successor in _DISPENSABLE.items():
            if name in body and (name in without or name in self._refused.get(model, ())):
                value = body.pop(name)
                if successor is not None:
                    body[successor] = value
        return {**body, **self._extra_body}

    def _fault(self, error: openai.APIError) -> ModelError:
        """What an error of the client library means."""
        where = f"The model endpoint {self._shown_url}"
        message = self._without_key(faults.text(error.body, error.message))
        match error:
            case openai.APITimeoutError():
                return ModelError(f"{where} did not answer in time.")
            case openai.APIConnectionError():
                cause = self._without_key(str(error.__cause__ or error.message))
                message = f"{where} cannot be reached: {cause}. {network.way_to(self._base_url)}"
                return ModelError(message.strip())
            case openai.APIStatusError():
                if sentences := network.refused_redirect(error.response):
                    return ModelError(f"{where} cannot be used: {sentences}")
                return self._refusal(error.status_code, error.body, message)
        return ModelError(f"{where} failed: {message}")

    def _refusal(self, status: int | None, body: object, message: str) -> ModelError:
        """What an error that the server sent means. `status` is None for one inside of a stream."""
        where = f"The model endpoint {self._shown_url}"
        length = length_refusals.read(status, faults.code(body), message)
        if length is not None:
            return ContextOverflowError(message, length.context or faults.stated_context(body))
        code: RunErrorCode = "server_error"
        if status in {401, 403} and not self._api_key:
            message = f"{where} {no_key(self._key_advice)}"
        elif status in {401, 403}:
            message = f"{where} does not accept the API key: {message}"
        elif status in {400, 422}:
            code, message = "invalid_prompt", f"{where} cannot use this input: {message}"
        elif status == 429 or "rate_limit" in faults.code(body):
            code, message = "rate_limit_exceeded", f"{where} refuses more requests for now: {message}"
        else:
            # what looks like an answer of the endpoint may be one of the proxy on the way
            message = f"{where} failed: {message} {network.way_to(self._base_url)}".strip()
        return ModelError(message, code)

    def _without_key(self, message: str) -> str:
        return message.replace(self._api_key, "…") if self._api_key else message


def _less(most: int | None, refusal: AnswerTooLong) -> int | None:
    """How many tokens an answer may have after a refusal. None: too few, so the prompt is too long."""
    allowed = refusal.most if refusal.most is not None else (most or refusal.context or 0) // 2
    if most is not None and allowed >= most:
        # A bound may leave itself out. More than was asked for cannot be right, and tells nothing.
        allowed = most - 1 if allowed == most else most // 2
    return allowed if allowed >= _SHORTEST_ANSWER else None


async def _until_silent(pieces: AsyncIterator[bytes], reader: ChunkReader) -> AsyncIterator[bytes]:
    """The pieces of a body. Raises TimeoutError when the server is silent for long in the middle of them."""
    while True:
        async with asyncio.timeout(_SILENCE if reader.has_begun else None):
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                return
        yield piece
