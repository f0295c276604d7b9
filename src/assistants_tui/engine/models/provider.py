"""A provider of models: an endpoint under a name of its own, with what the user has said about it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from assistants_tui.addresses import without_password
from assistants_tui.engine.models.base import (
    AnsweredBy,
    ChatModel,
    ChatRequest,
    Delta,
    ModelError,
    StatedContext,
)
from assistants_tui.protocol.error_codes import RunErrorCode
from assistants_tui.protocol.objects import Json

_LISTED_SECONDS = 60  # how long a list of models is taken to be true
_FAILED_SECONDS = (
    10  # how long an endpoint that gave none is not asked for each name; it may take as long to fail
)


@dataclass(frozen=True)
class ModelProvider:
    """What the engine is told about a provider."""

    url: str
    """The base URL of an OpenAI-compatible endpoint."""
    name: str = ""
    """Comes before its models' names, as in `ollama/llama3.2`; empty: they go by their own names."""
    kind: Literal["chat", "responses"] = "chat"
    api_key: str | None = field(default=None, repr=False)
    key_advice: str = ""
    """What users are told, as a sentence, where the endpoint asks for a key and there is none."""
    default_model: str | None = None
    """Answers for names that the endpoint does not know. None: the first model that it lists."""
    context: int | None = None
    """Tokens that its models read, where they do not say it."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Go with every request."""
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of every chat request."""
    allow: tuple[str, ...] = ()
    """The only models that may be used; empty: all."""
    embeddings: str | None = None
    """Its embedding model. None: file search looks for words alone."""
    embeddings_url: str | None = None
    """The base URL for embeddings where it is another one."""

    @property
    def declared_default(self) -> str | None:
        """What answers for unknown names, as far as it is known without asking."""
        return self.default_model or next(iter(self.allow), None)

    @property
    def embeddings_key(self) -> str | None:
        """The key for embeddings: the provider's own, unless they are at another host or less protected."""
        other = self.embeddings_url is not None and (
            urlsplit(self.embeddings_url)[:2] != urlsplit(self.url)[:2]  # scheme, and host with port
        )
        return None if other else self.api_key


class Provider:
    """An open provider. Its methods take and give the models' own names, without that of the provider."""

    def __init__(self, settings: ModelProvider, endpoint: ChatModel) -> None:
        self.name = settings.name
        self.declared_context = settings.context
        self.declared_default = settings.declared_default
        self._settings = settings
        self._endpoint = endpoint
        self._listed: tuple[float, list[Json]] | None = None
        self._listing = asyncio.Lock()
        self._failed: tuple[float, str, RunErrorCode] | None = None

    def full_name(self, model: str) -> str:
        """The name by which one of its models is asked for."""
        return f"{self.name}/{model}" if self.name else model

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """As `ChatModel.stream`. A model that is not allowed is replaced like one that does not exist."""
        if self._settings.kind == "responses":
            raise ModelError(
                f"The provider {self.name} ({without_password(self._settings.url)}) is of kind “responses”, "
                'which this version cannot use yet. Set `kind = "chat"` if it has chat completions, too.'
            )
        asked = request.model
        if not self.allows(asked) and (allowed := await self.default_model()) is not None:
            request = replace(request, model=allowed)
            yield AnsweredBy(self.full_name(allowed))
        async with aclosing(self._endpoint.stream(request)) as deltas:
            async for delta in deltas:
                yield AnsweredBy(self.full_name(delta.model)) if isinstance(delta, AnsweredBy) else delta

    def allows(self, model: str) -> bool:
        return not self._settings.allow or model in self._settings.allow

    def is_known_for(self, model: str) -> bool:
        """Whether it has listed this model last time."""
        return self._listed is not None and any(one["id"] == model for one in self._listed[1])

    async def default_model(self) -> str | None:
        """What answers for unknown names; None where the endpoint lists nothing. Raises `ModelError`."""
        if self.declared_default is not None:
            return self.declared_default
        return next((model["id"] for model in await self.listed()), None)

    async def models(self) -> list[Json]:
        """Those that may be used, as the endpoint lists them now. Raises `ModelError`."""
        try:
            listed = [model for model in await self._endpoint.models() if self.allows(model["id"])]
        except ModelError as error:
            self._failed = time.monotonic(), str(error), error.code
            raise
        self._listed, self._failed = (time.monotonic(), listed), None
        return listed

    async def listed(self) -> list[Json]:
        """As `models`, perhaps up to a minute old, or a failure some seconds old. Raises `ModelError`."""
        async with self._listing:  # several ask at once, and one question is enough
            now = time.monotonic()
            if self._listed is not None and now - self._listed[0] <= _LISTED_SECONDS:
                return self._listed[1]
            if self._failed is not None and now - self._failed[0] <= _FAILED_SECONDS:
                raise ModelError(*self._failed[1:])
            return await self.models()

    async def context(self, model: str) -> StatedContext | None:
        """As `ChatModel.context`."""
        return await self._endpoint.context(model)

    async def close(self) -> None:
        await self._endpoint.close()
