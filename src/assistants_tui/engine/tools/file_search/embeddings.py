"""Vectors of texts: texts that mean the like have vectors that point the same way."""

from collections.abc import Sequence
from typing import Any, Protocol

import httpx2
import openai
from openai import AsyncOpenAI

from assistants_tui import network

_BATCH_TEXTS = 64
_BATCH_CHARACTERS = 200_000
_TIMEOUT = httpx2.Timeout(120, connect=10)  # a model on this computer may have to be loaded first
_MAX_RETRIES = 4


class EmbeddingError(Exception):
    """Vectors that could not be had. The message is for the user, without keys."""


class Embedder(Protocol):
    """A source of vectors."""

    @property
    def model(self) -> str:
        """Names what makes the vectors. Those of different names cannot be compared."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The vectors of the texts, in order. Raises `EmbeddingError`."""

    async def close(self) -> None:
        """Lets go of connections."""


class EndpointEmbedder:
    """The embeddings of a base URL such as `http://localhost:11434/v1`, as OpenAI's API has them."""

    def __init__(self, base_url: str, model: str, *, api_key: str | None = None) -> None:
        self.model = model
        self._base_url = base_url
        self._api_key = api_key
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
            self._no_way = str(error)  # for the search that needs it; words are found without

    def __repr__(self) -> str:
        return f"EndpointEmbedder({self._base_url!r}, {self.model!r})"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        found: list[list[float]] = []
        for batch in _batches(texts):
            found += await self._embed(batch)
        return found

    async def close(self) -> None:
        if self._api is not None:
            await self._api.close()

    async def _embed(self, texts: list[str]) -> list[list[float]]:
        if self._api is None:
            raise self._fault(f"cannot be reached. {self._no_way}")
        body = {"model": self.model, "input": texts, "encoding_format": "float"}
        try:
            answer: object = await self._api.post("/embeddings", cast_to=object, body=body)
            return _vectors(answer, len(texts))
        except openai.APIStatusError as error:
            if error.status_code in {400, 413, 422} and len(texts) > 1:
                # Servers differ in how much they take at once.
                half = len(texts) // 2
                return await self._embed(texts[:half]) + await self._embed(texts[half:])
            raise self._fault(f"answered {error.status_code}: {error.message}") from None
        except openai.APIConnectionError as error:
            why = f"{error.__cause__ or error.message}. {network.way_to(self._base_url)}"
            raise self._fault(f"cannot be reached: {why.strip()}") from None
        except (openai.APIError, ValueError, httpx2.HTTPError) as error:
            raise self._fault(f"sent no valid answer: {error}") from None

    def _fault(self, message: str) -> EmbeddingError:
        if self._api_key:
            message = message.replace(self._api_key, "…")
        return EmbeddingError(f"The embedding endpoint {self._base_url} {message}")


def _batches(texts: Sequence[str]) -> list[list[str]]:
    batches: list[list[str]] = []
    size = 0
    for text in texts:
        if not batches or len(batches[-1]) >= _BATCH_TEXTS or size + len(text) > _BATCH_CHARACTERS:
            batches.append([])
            size = 0
        batches[-1].append(text or " ")  # an empty text is refused
        size += len(text)
    return batches


def _vectors(answer: Any, count: int) -> list[list[float]]:
    """The vectors in an answer. Raises `ValueError` if it is not what was asked for."""
    entries = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(entries, list) or len(entries) != count:
        raise ValueError(f"{count} vectors were asked for")
    found: dict[int, list[float]] = {}
    for place, entry in enumerate(entries):
        vector = entry.get("embedding") if isinstance(entry, dict) else None
        if not isinstance(vector, list) or not vector:
            raise ValueError("an entry has no vector")
        found[int(entry.get("index", place))] = [float(part) for part in vector]
    if sorted(found) != list(range(count)):
        raise ValueError("its entries are not numbered from 0")
    return [found[place] for place in range(count)]
