"""Which provider answers for a model name."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace

from assistants_tui.engine.models.base import (
    AnsweredBy,
    ChatModel,
    ChatRequest,
    Delta,
    ModelError,
    StatedContext,
)
from assistants_tui.engine.models.provider import Provider
from assistants_tui.protocol.names import DEFAULT_MODEL, OFFLINE_TUTOR
from assistants_tui.protocol.objects import Json


class ModelRouter:
    """Sends each request to one of the providers, or to the offline tutor.

    `NAME/MODEL` goes to the provider NAME. Any other name goes to the provider that lists it: that of the
    default model first, then the others in their order. `default`, and a name that nobody lists, is answered
    by the default model. The tutor answers for its own name, and for every name where there is no provider.
    """

    def __init__(self, providers: Sequence[Provider], tutor: ChatModel, default_model: str | None) -> None:
        """`default_model`: a name as in a request. None: that of the first provider."""
        self._providers = list(providers)
        self._tutor = tutor
        self._default = default_model
        first = self._named(default_model)[0] if default_model is not None else None
        if first is not None:
            self._providers.sort(key=lambda provider: provider is not first)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """As `ChatModel.stream`; begins with `AnsweredBy` where another model answers than the named one."""
        provider, model = await self._route(request.model)
        if provider is None:
            source = self._tutor.stream(request)
            answers = OFFLINE_TUTOR
        else:
            if model is None:
                with suppress(ModelError):  # the request will say what is wrong, or needs no such list
                    model = await provider.default_model()
            model = model or request.model
            source = provider.stream(replace(request, model=model))
            answers = provider.full_name(model)
        if request.model not in (answers, model):
            yield AnsweredBy(answers)
        async with aclosing(source) as deltas:
            async for delta in deltas:
                yield delta

    def settled(self, name: str) -> str:
        """The name of the default model for `default`, as far as it is known without asking; else `name`."""
        return name if name != DEFAULT_MODEL else self._declared_default or name

    async def context(self, model: str) -> StatedContext | None:
        """As `ChatModel.context`."""
        provider, name = await self._route(model)
        if provider is not None and name is None:
            name = await provider.default_model()
        return await provider.context(name) if provider is not None and name is not None else None

    def declared_context(self, name: str) -> int | None:
        """The tokens that a model reads, as declared for its provider; None if nobody said."""
        provider, model = self._named(self.settled(name))
        if provider is None:
            first = model == DEFAULT_MODEL or len(self._providers) == 1
            provider = next((one for one in self._providers if first or one.is_known_for(model)), None)
        return provider.declared_context if provider is not None else None

    async def default_entry(self) -> Json:
        """The model `default` as an object of the Models API; `root` names the model that it stands for now.

        Raises `ModelError`.
        """
        return _default_entry(await self._default_name())

    async def models(self) -> list[Json]:
        """`default`, and the models of all providers that answer.

        Raises `ModelError` if there are providers and none of them answers.
        """
        lists = await asyncio.gather(*(_attempt(provider.models()) for provider in self._providers))
        found: list[Json] = []
        failed: list[ModelError] = []
        for provider, listed in zip(self._providers, lists, strict=True):
            if isinstance(listed, ModelError):
                failed.append(listed)
            else:
                found += [{**model, "id": provider.full_name(model["id"])} for model in listed]
        if failed and len(failed) == len(self._providers):
            raise failed[0]
        default = None
        with suppress(ModelError):  # its provider is one of those that do not answer
            default = await self._default_name()
        return [_default_entry(default), *found, *await self._tutor.models()]

    async def close(self) -> None:
        await asyncio.gather(*(provider.close() for provider in self._providers))

    @property
    def _declared_default(self) -> str | None:
        """The default model, as far as it is known without asking."""
        if not self._providers:
            return OFFLINE_TUTOR
        if self._default is not None:
            return self._default
        model = self._providers[0].declared_default
        return self._providers[0].full_name(model) if model is not None else None

    async def _default_name(self) -> str | None:
        """The default model; None if its provider has no model. Raises `ModelError`."""
        if (declared := self._declared_default) is not None:
            return declared
        model = await self._providers[0].default_model()
        return self._providers[0].full_name(model) if model is not None else None

    def _named(self, name: str) -> tuple[Provider | None, str]:
        """The provider that a name begins with, and the rest of the name."""
        prefix, slash, model = name.partition("/")
        if slash and model:
            for provider in self._providers:
                if provider.name and provider.name == prefix:
                    return provider, model
        return None, name

    async def _route(self, name: str) -> tuple[Provider | None, str | None]:
        """Who answers, None for the tutor, and with which model, None for the provider's default."""
        if not self._providers or name == OFFLINE_TUTOR:
            return None, None
        provider, model = self._named(name)
        if provider is not None:
            return provider, model
        if name != DEFAULT_MODEL:
            if len(self._providers) == 1:  # it knows itself what it has
                return self._providers[0], name
            lists = await asyncio.gather(*(_attempt(provider.listed()) for provider in self._providers))
            for provider, listed in zip(self._providers, lists, strict=True):
                if isinstance(listed, list) and any(one["id"] == name for one in listed):
                    return provider, name
        if self._default is not None and self._default != name:
            return await self._route(self._default)
        return self._providers[0], None


def _default_entry(root: str | None) -> Json:
    return {
        "id": DEFAULT_MODEL,
        "object": "model",
        "created": 0,
        "owned_by": "assistants-tui",
        "root": root or DEFAULT_MODEL,
    }


async def _attempt(listing: Awaitable[list[Json]]) -> list[Json] | ModelError:
    try:
        return await listing
    except ModelError as error:
        return error
