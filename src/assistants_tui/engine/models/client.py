"""The HTTP client for an endpoint of models, whichever of its operations is used."""

import httpx2
from openai import AsyncOpenAI

from assistants_tui import network
from assistants_tui.addresses import is_openai


def endpoint_client(
    base_url: str, api_key: str | None, *, timeout: httpx2.Timeout, max_retries: int
) -> AsyncOpenAI:
    """A client for one endpoint. Raises `network.NetworkSettingsError`."""
    with network.without_openai_variables(keep=is_openai(base_url)):
        return AsyncOpenAI(
            api_key=api_key or "none",  # the SDK insists on a key; servers that want none ignore it
            base_url=base_url,
            max_retries=max_retries,
            http_client=network.http_client(base_url, timeout=timeout),
        )


def no_key(key_advice: str) -> str:
    """What is said of an endpoint that asks for a key and got none; `key_advice` helps then."""
    return f"asks for an API key, and none is sent to it. {key_advice}".rstrip()
