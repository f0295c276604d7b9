"""Model servers that run on this computer, found by asking where they usually listen."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistants_tui.protocol import bounded_json

_SECONDS = 1.5
_EMBEDDING = ("embed", "bge-", "minilm")  # parts of the names of models that only make embeddings
_MAX_BYTES = 4 * 1024 * 1024  # whatever listens there may send anything


@dataclass(frozen=True, slots=True)
class KnownEndpoint:
    """Where a kind of model server listens unless told otherwise."""

    name: str
    url: str

    @property
    def provider(self) -> str:
        """A name for the provider in config.toml."""
        return self.name.partition(",")[0].lower().replace(" ", "-").replace(".", "")


KNOWN_ENDPOINTS = (
    KnownEndpoint("Ollama", "http://localhost:11434/v1"),
    KnownEndpoint("LM Studio", "http://localhost:1234/v1"),
    KnownEndpoint("vLLM", "http://localhost:8000/v1"),
    KnownEndpoint("llama.cpp, LocalAI", "http://localhost:8080/v1"),  # llamafile, too
    KnownEndpoint("llama.cpp, new port", "http://localhost:9931/v1"),
    KnownEndpoint("Jan", "http://localhost:1337/v1"),
    KnownEndpoint("KoboldCpp", "http://localhost:5001/v1"),
)


@dataclass(frozen=True, slots=True)
class FoundEndpoint:
    """A server that answered like a model server."""

    name: str
    url: str
    models: tuple[str, ...]
    provider: str
    """A name for the provider in config.toml."""

    @property
    def answering(self) -> tuple[str, ...]:
        """The models that answer."""
        return answering_models(self.models)


def answering_models(names: Sequence[str]) -> tuple[str, ...]:
    """Those that answer, as far as names tell: servers list models for embeddings beside them."""
    return tuple(name for name in names if not any(part in name.lower() for part in _EMBEDDING))


async def find_endpoints(candidates: Sequence[KnownEndpoint] | None = None) -> list[FoundEndpoint]:
    """Those of the candidates (`KNOWN_ENDPOINTS`) that list their models, asked all at once.

    Takes as long as the slowest answer, at most a second or two. Nothing raises; no key is sent.
    """
    asked = KNOWN_ENDPOINTS if candidates is None else candidates
    found = await asyncio.gather(*(_ask(candidate) for candidate in asked))
    return [endpoint for endpoint in found if endpoint is not None]


async def _ask(candidate: KnownEndpoint) -> FoundEndpoint | None:
    import httpx2  # not for the first frame

    body = bytearray()
    try:
        async with (
            asyncio.timeout(_SECONDS),
            httpx2.AsyncClient(timeout=_SECONDS, trust_env=False) as client,
            client.stream("GET", f"{candidate.url}/models") as response,
        ):
            if response.status_code != 200:
                return None
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_BYTES:
                    return None
    except (httpx2.HTTPError, OSError, TimeoutError):
        return None
    models = _model_names(bytes(body))
    return (
        None if models is None else FoundEndpoint(candidate.name, candidate.url, models, candidate.provider)
    )


def _model_names(body: bytes) -> tuple[str, ...] | None:
    """The models of a list; None if it is no list of models."""
    try:
        listed: Any = bounded_json.parse(body)
    except (ValueError, RecursionError):
        return None
    entries = listed.get("data") if isinstance(listed, dict) else None
    if not isinstance(entries, list):
        return None
    return tuple(one["id"] for one in entries if isinstance(one, dict) and isinstance(one.get("id"), str))
