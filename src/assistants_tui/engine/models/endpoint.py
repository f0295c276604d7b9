"""Any OpenAI-compatible chat-completions endpoint over HTTP, as a source of answers."""

import json
import time
from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream

from assistants_tui import network
from assistants_tui.engine.models import faults
from assistants_tui.engine.models.base import (
    JSON,
    ChatRequest,
    ContextOverflowError,
    Delta,
    ErrorCode,
    ModelError,
)
from assistants_tui.engine.models.chunks import ChunkReader

_MAX_RETRIES = 4  # after 429, 5xx and lost connections, each after the delay that the server asks for
# A model that runs on this computer may read a long prompt for minutes before its first token.
_TIMEOUT = httpx2.Timeout(600, connect=10)
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
        self, base_url: str, *, api_key: str | None = None, default_model: str | None = None
    ) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._default = default_model
        self._api: AsyncOpenAI | None = None
        self._no_way = ""
        try:
            self._api = AsyncOpenAI(
                # The SDK insists on a key; servers that want none ignore it.
                api_key=api_key or "none",
                base_url=base_url,
                max_retries=_MAX_RETRIES,
                http_client=network.http_client(base_url, timeout=_TIMEOUT),
            )
        except network.NetworkSettingsError as error:
            self._no_way = str(error)  # for the run that needs it; everything else works without
        self._unknown: dict[str, float] = {}  # model name -> when to try it again
        self._refused: dict[str, set[str]] = {}  # model name -> parameters to leave out

    def __repr__(self) -> str:
        return f"EndpointModel({self._base_url!r})"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        reader = ChunkReader()
        try:
            async with await self._open(request) as stream:
                if stream.response.headers.get("content-type", "").startswith("application/json"):
                    # A server that does not stream sends its answer in one piece.
                    whole: object = json.loads(await stream.response.aread())
                    for delta in reader.read(whole):
                        yield delta
                else:
                    async for chunk in stream:
                        for delta in reader.read(chunk):
                            yield delta
        except openai.APIError as error:
            raise self._fault(error) from None
        except (ValueError, httpx2.HTTPError) as error:
            raise ModelError(f"The model endpoint {self._base_url} sent no valid answer: {error}") from None
        yield reader.finish()

    async def models(self) -> list[JSON]:
        try:
            page: Any = await self._client.get("/models", cast_to=object, options={"max_retries": 1})
        except openai.APIError as error:
            raise self._fault(error) from None
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

    async def close(self) -> None:
        if self._api is not None:
            await self._api.close()

    @property
    def _client(self) -> AsyncOpenAI:
        if self._api is None:
            raise ModelError(f"The model endpoint {self._base_url} cannot be reached. {self._no_way}")
        return self._api

    async def _open(self, request: ChatRequest) -> AsyncStream[object]:
        """The answer's stream, after as many attempts as the endpoint has objections we can meet."""
        model = await self._known_name(request.model)
        while True:
            body = self._body(request, model)
            try:
                return await self._client.post(
                    "/chat/completions",
                    cast_to=object,
                    body=body,
                    stream=True,
                    stream_cls=AsyncStream[object],
                )
            except openai.APIStatusError as error:
                message = faults.text(error.body, error.message)
                if faults.is_overflow(error.body, message):
                    raise
                if model == request.model and faults.is_unknown_model(error.status_code, error.body, message):
                    self._unknown[model] = time.monotonic() + _ALIAS_SECONDS
                    fallback = await self._known_name(model)
                    if fallback == model:
                        raise
                    model = fallback
                elif error.status_code in {400, 422} and (
                    name := faults.refused_parameter(message, _DISPENSABLE.keys() & body.keys())
                ):
                    self._refused.setdefault(model, set()).add(name)
                else:
                    raise

    async def _known_name(self, name: str) -> str:
        """The name to ask for: the requested one, unless the endpoint refused it lately."""
        if self._unknown.get(name, 0.0) < time.monotonic():
            return name
        if self._default is None:
            self._default = next((model["id"] for model in await self.models()), None)
        return self._default or name

    def _body(self, request: ChatRequest, model: str) -> JSON:
        body: JSON = {
            "model": model,
            "messages": list(request.messages),
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": request.temperature,
            "top_p": request.top_p,
        }
        if request.tools:
            body["tools"] = list(request.tools)
            if request.tool_choice != "auto":
                body["tool_choice"] = request.tool_choice
            if not request.parallel_tool_calls:
                body["parallel_tool_calls"] = False
        if request.response_format is not None:
            body["response_format"] = request.response_format
        if request.max_completion_tokens is not None:
            body["max_tokens"] = request.max_completion_tokens
        if request.reasoning_effort is not None:
            body["reasoning_effort"] = request.reasoning_effort
        for name, successor in _DISPENSABLE.items():
            if name in self._refused.get(model, ()) and name in body:
                value = body.pop(name)
                if successor is not None:
                    body[successor] = value
        return body

    def _fault(self, error: openai.APIError) -> ModelError:
        where = f"The model endpoint {self._base_url}"
        message = self._without_key(faults.text(error.body, error.message))
        if faults.is_overflow(error.body, message):
            return ContextOverflowError(message, faults.context_limit(error.body, message))
        code: ErrorCode = "server_error"
        match error:
            case openai.APITimeoutError():
                message = f"{where} did not answer in time."
            case openai.APIConnectionError():
                cause = self._without_key(str(error.__cause__ or error.message))
                message = f"{where} cannot be reached: {cause}. {network.way_to(self._base_url)}".strip()
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                message = f"{where} does not accept the API key: {message}"
            case openai.BadRequestError() | openai.UnprocessableEntityError():
                code, message = "invalid_prompt", f"{where} cannot use this input: {message}"
            case _ if isinstance(error, openai.RateLimitError) or "rate_limit" in faults.code(error.body):
                code, message = "rate_limit_exceeded", f"{where} refuses more requests for now: {message}"
            case _:
                # what looks like an answer of the endpoint may be one of the proxy on the way
                message = f"{where} failed: {message} {network.way_to(self._base_url)}".strip()
        return ModelError(message, code)

    def _without_key(self, message: str) -> str:
        return message.replace(self._api_key, "…") if self._api_key else message
