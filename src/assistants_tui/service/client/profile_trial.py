"""Whether a profile or a provider of models works, found out by using it once, before it is kept."""

import asyncio
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from assistants_tui.protocol.names import OFFLINE_TUTOR
from assistants_tui.protocol.objects import ListAnswer
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import Profile
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.secrets import KeyOwner, Secret, declared_headers

_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A profile or provider that works."""

    settings: KeyOwner
    """As it was given, or with the part of its address that was missing."""
    words: str
    """What was found, as a sentence."""
    models: tuple[str, ...] = ()
    """What can be asked for, where it is known."""


async def try_profile(settings: KeyOwner, key: Secret | None) -> Trial:
    """Ask a server of the Assistants API, or a model endpoint, for a list; nothing is changed.

    Raises `ServiceError` with advice where that fails.
    """
    if settings.kind == "embedded" and not settings.address:
        return Trial(settings, "Its engine needs no server.", (OFFLINE_TUTOR,))
    try:
        async with asyncio.timeout(_SECONDS):
            if isinstance(settings, Profile) and settings.kind != "embedded":
                return await _try_server(settings, key)
            return await _try_endpoint(settings, key)
    except TimeoutError:
        raise ServiceError(
            f"There was no answer within {_SECONDS:.0f} seconds.",
            "Check the address and the network connection.",
            kind="timeout",
        ) from None


async def _try_endpoint(settings: KeyOwner, key: Secret | None) -> Trial:
    """The model endpoint; an address without a path is also tried with `/v1`, where nearly all serve."""
    url = settings.address.rstrip("/")
    try:
        models = await _models(settings, url, key)
    except ServiceError as error:
        if error.kind not in {"not_found", "protocol"} or urlsplit(url).path:
            if error.kind in {"not_found", "protocol"}:
                error.advice = "Check the address: it is the part before “/chat/completions”."
            raise
        url = f"{url}/v1"
        models = await _models(settings, url, key)
    count = f"{len(models)} model{'' if len(models) == 1 else 's'}"
    found: KeyOwner = (
        replace(settings, model_url=url) if isinstance(settings, Profile) else replace(settings, url=url)
    )
    return Trial(found, f"It answers, and lists {count}.", models)


async def _try_server(profile: Profile, key: Secret | None) -> Trial:
    client = await _client(profile, key)
    try:
        await client.fetch(ListAnswer, "assistants", {"limit": 1})
    except ServiceError as error:
        from assistants_tui.service.client.model_servers import explained  # as late as what it imports

        raise await explained(client, error) from None
    finally:
        await client.close()
    return Trial(profile, "It answers, and lists its assistants.")


async def _models(settings: KeyOwner, url: str, key: Secret | None) -> tuple[str, ...]:
    server = Profile(settings.name, "openai", base_url=url, allow_plain_http=settings.allow_plain_http)
    headers, secrets = {}, []
    if isinstance(settings, ProviderSettings):
        headers = declared_headers(settings)
        secrets = [Secret(value) for name, value in headers.items() if value != settings.headers[name]]
    client = await _client(server, key, headers=headers, secrets=secrets)
    try:
        listed = await client.get("models")
    finally:
        await client.close()
    entries = listed.get("data")
    if not isinstance(entries, list):
        raise ServiceError("It answers, but with no list of models.", kind="protocol")
    return tuple(one["id"] for one in entries if isinstance(one, dict) and isinstance(one.get("id"), str))


async def _client(profile: Profile, key: Secret | None, **more: Any) -> Any:
    # takes most of a second to import: in a thread, so that keys are still heard
    module = await asyncio.to_thread(import_module, "assistants_tui.service.client.profile_client")
    return module.remote_client(profile, key, **more)
