"""The HTTP client for an endpoint of models, whichever of its operations is used."""

from collections.abc import Mapping
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI

from assistants_tui import network
from assistants_tui.addresses import is_openai
from assistants_tui.protocol import bounded_json

_MAX_BYTES = 128 << 20  # of an answer that is read as a whole


def endpoint_client(
    base_url: str,
    api_key: str | None,
    *,
    timeout: httpx2.Timeout,
    max_retries: int,
    headers: Mapping[str, str] | None = None,
) -> AsyncOpenAI:
    """A client for one endpoint. `headers` go with every request. Raises `network.NetworkSettingsError`."""
    with network.without_openai_variables(keep=is_openai(base_url)):
        return AsyncOpenAI(
            api_key=api_key or "none",  # the SDK insists on a key; servers that want none ignore it
            base_url=base_url,
            max_retries=max_retries,
            default_headers=headers,
            http_client=network.http_client(base_url, timeout=timeout, headers=headers),
        )


async def whole_answer(
    api: AsyncOpenAI,
    path: str,
    *,
    body: Mapping[str, object] | None = None,
    max_retries: int | None = None,
    most_values: int = bounded_json.MAX_VALUES,
) -> object:
    """The JSON that a GET, or a POST of a body, is answered with; text if the server says that it is none.

    Raises `openai.APIError`, `ValueError` for what is no JSON or has too many bytes or values, and
    `RecursionError` for what is nested too deeply.
    """
    options: Any = {"headers": {"X-Stainless-Raw-Response": "stream"}}  # leave the body unread
    if max_retries is not None:
        options["max_retries"] = max_retries
    if body is None:
        response = await api.get(path, cast_to=httpx2.Response, options=options)
    else:
        response = await api.post(path, cast_to=httpx2.Response, body=body, options=options)
    data = bytearray()
    try:
        async for piece in response.aiter_bytes():
            data += piece
            if len(data) > _MAX_BYTES:
                raise ValueError(f"more than {_MAX_BYTES >> 20} MiB")
    except httpx2.TransportError as error:
        raise openai.APIConnectionError(request=response.request) from error
    finally:
        await response.aclose()
    if not response.headers.get("content-type", "").partition(";")[0].strip().endswith("json"):
        return data.decode("utf-8", "replace")
    return bounded_json.parse(bytes(data), most_values)


def no_key(key_advice: str) -> str:
    """What is said of an endpoint that asks for a key and got none; `key_advice` helps then."""
    return f"asks for an API key, and none is sent to it. {key_advice}".rstrip()
