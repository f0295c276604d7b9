"""What servers say of the contexts of their models."""

import asyncio
import time

import pytest

from assistants_tui.engine.models.base import StatedContext
from assistants_tui.engine.models.context_limits import ContextLimits
from assistants_tui.engine.models.endpoint import EndpointModel
from assistants_tui.engine.models.provider import ModelProvider, Provider
from assistants_tui.engine.models.router import ModelRouter
from assistants_tui.engine.tutor.tutor import Tutor
from support.model_endpoint import ModelEndpoint, Reply
from support.zoo.contexts import SERVERS, ContextServer


@pytest.mark.parametrize("server", SERVERS, ids=str)
async def test_a_server_is_asked_what_its_model_reads(server: ContextServer) -> None:
    async with ModelEndpoint(models=[server.model]) as endpoint:
        endpoint.model_fields, endpoint.own_api = server.model_fields, server.own_api
        model = EndpointModel(endpoint.url, api_key="sk-canary")
        stated = await model.context(server.model)
        await model.close()
        assert (stated.tokens if stated else None) == server.tokens
        assert {request.headers["authorization"] for request in endpoint.requests} == {"Bearer sk-canary"}


async def test_a_server_that_is_not_there_or_refuses_says_nothing() -> None:
    async with ModelEndpoint() as endpoint:
        endpoint.refused = Reply([b"<html>Sign in</html>"], 403, {"content-type": "text/html"})
        refusing = EndpointModel(endpoint.url)
        assert await refusing.context("served") is None
        await refusing.close()
    gone = EndpointModel(endpoint.url)
    assert await gone.context("served") is None
    await gone.close()


async def test_models_are_asked_for_at_their_own_provider() -> None:
    async with ModelEndpoint(models=["small"]) as one, ModelEndpoint(models=["large"]) as other:
        one.model_fields, other.model_fields = {"max_model_len": 2048}, {"context_length": 200_000}
        providers = [ModelProvider(one.url, name="one"), ModelProvider(other.url, name="other")]
        router = ModelRouter(
            [Provider(provider, EndpointModel(provider.url)) for provider in providers], Tutor(), None
        )
        found = {
            name: await router.context(name) for name in ("default", "one/small", "other/large", "large")
        }
        assert {name: stated.tokens if stated else None for name, stated in found.items()} == {
            "default": 2048,
            "one/small": 2048,
            "other/large": 200_000,
            "large": 200_000,
        }
        assert await router.context("offline-tutor") is None
        await router.close()


async def test_limits_are_asked_for_once_and_again_when_they_are_old() -> None:
    async with ModelEndpoint() as endpoint:
        endpoint.own_api["/props"] = {"default_generation_settings": {"n_ctx": 2048}}
        model = EndpointModel(endpoint.url)
        limits = ContextLimits(model, lambda name: 100_000)
        assert limits.of("served", 0.0) == 100_000
        limits.ask("served", 0.0)
        limits.ask("served", 0.0)
        await limits.answered("served")
        assert limits.of("served", 0.0) == 2048  # the server knows better than the user
        asked = len(endpoint.requests)
        limits.ask("served", 30.0)
        await limits.answered("served")
        assert len(endpoint.requests) == asked
        endpoint.own_api["/props"] = {"default_generation_settings": {"n_ctx": 4096}}
        limits.ask("served", 61.0)
        await limits.answered("served")
        assert limits.of("served", 61.0) == 4096
        await limits.close()
        await model.close()


def test_a_refusal_that_states_less_counts_for_an_hour() -> None:
    limits = ContextLimits(declared=lambda name: 8000)
    limits.learn("served", 5000, 10.0)
    assert limits.of("served", 3000.0) == 5000
    assert limits.of("served", 3700.0) == 8000
    limits.learn("served", 1, 3700.0)  # a mistake of the server
    assert limits.of("served", 3700.0) == 8000


async def test_a_question_without_an_answer_is_left_at_the_end() -> None:
    class Silent(Tutor):
        async def context(self, model: str) -> StatedContext | None:
            await asyncio.Event().wait()
            return None

    limits = ContextLimits(Silent())
    limits.ask("served", time.time())
    await limits.close()
    await limits.answered("served")
