"""Vectors of texts from an endpoint that speaks OpenAI's embeddings protocol.

Servers differ in how many texts they take in one request and in how long a text may be, and hardly any says
so before it refuses. A refused request is repeated in smaller ones until only the texts that the server does
not take are left; what it takes is remembered for the next requests.
"""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2
import openai
from openai import AsyncOpenAI

from assistants_tui import network
from assistants_tui.addresses import without_password
from assistants_tui.engine.models import faults
from assistants_tui.engine.models.client import endpoint_client, no_key, whole_answer

_MAX_DIMENSIONS = 16_384  # of a vector, and of what stands beside it; more is no embedding
MAX_TEXTS = 64
"""Texts in one request. OpenAI takes 2,048, other servers 32 or 10."""
_MAX_CHARACTERS = 200_000  # in one request: below the 300,000 tokens that OpenAI takes
_SHORTEST_PART = 200  # characters of a text that is not cut into smaller parts any more
_TIMEOUT = httpx2.Timeout(120, connect=10)  # a model on this computer may have to be loaded first
_TRIES = 4
_WAITED_FOR = 2  # texts that are refused alone, in one call, before a refusal is believed at once
_FIRST_PAUSE = 0.5  # seconds before the second try; twice as long before each further one
_LONGEST_PAUSE = 30.0
_PROBE = "text"
_MAX_TEXT = 500  # characters of a server's words that are kept and shown: some answer with a whole page

# Statuses that may mean these texts, and not the endpoint as such. Whether they do, other texts show.
_ABOUT_TEXTS = frozenset({400, 413, 422, 424, 500})
_TRIED_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
# llama.cpp: "input (1320 tokens) is too large to process. increase the physical batch size" (500), "input is
# larger than the max context size"; Ollama: "the input length exceeds the context length"; OpenAI: "This
# model's maximum context length is 8192 tokens, however you requested …", "max 300000 tokens per request";
# text-embeddings-inference: "`inputs` must have less than 512 tokens", "batch size 64 > maximum allowed batch
# size 32" (413, 422); others: "batch size is invalid, it should not be larger than 10".
_ABOUT_SIZE = re.compile(
    r"too (?:large|long|big|many)|larger than|less than \d+ tokens|batch[ _]size"
    r"|maximum (?:context|input|allowed)|context (?:length|size|window)"
    r"|exceed(?:s|ed)? .{0,60}(?:tokens?|length|limit|size)|tokens? per request",
    re.IGNORECASE,
)
# With the status 429 nearly all such words are about the pace: "Too Many Requests", "exceeded token rate
# limit", "Too many tokens, please wait". Only with "Request too large" (OpenAI) does no waiting help.
_LARGER_THAN_THE_PACE = re.compile(r"request (?:is )?too large", re.IGNORECASE)

Vector = list[float]


class EmbeddingError(Exception):
    """No vectors can be had now. The message is for the user, without keys."""


@dataclass(frozen=True, slots=True)
class Refused:
    """In the place of a vector: the endpoint does not take this text, although it takes others."""

    reason: str


class Embedder(Protocol):
    """A source of vectors."""

    @property
    def model(self) -> str:
        """Names what makes the vectors. Those of different names cannot be compared."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """The vectors of all the texts, in order. Raises `EmbeddingError`."""

    def embed_each(self, texts: Sequence[str]) -> AsyncIterator[Mapping[int, Vector | Refused]]:
        """The vectors of texts by their place, a request's worth at a time, as soon as they are here.

        A text that is refused costs no other its vector. Raises `EmbeddingError` when the endpoint gives none
        at all; what came before that is good.
        """

    async def close(self) -> None:
        """Lets go of connections."""


class _RefusedRequestError(Exception):
    """A request was refused, perhaps because of what is in it."""

    def __init__(self, reason: str, *, about_size: bool) -> None:
        super().__init__(reason)
        self.about_size = about_size


class EndpointEmbedder:
    """The embeddings of a base URL such as `http://localhost:11434/v1`, as OpenAI's API has them."""

    def __init__(
        self, base_url: str, model: str, *, api_key: str | None = None, key_advice: str = ""
    ) -> None:
        """`key_advice`: what to say where the endpoint asks for a key and there is none."""
        self.model = model
        self._base_url = base_url
        self._shown_url = without_password(base_url)
        self._api_key = api_key
        self._key_advice = key_advice
        self._api: AsyncOpenAI | None = None
        self._no_way = ""
        try:
            # no retries: what is worth another try depends on the answer, see `_request`
            self._api = endpoint_client(base_url, api_key, timeout=_TIMEOUT, max_retries=0)
        except network.NetworkSettingsError as error:
            self._no_way = str(error)  # for the search that needs it; words are found without
        # What the server takes, as far as it is known.
        self._most_texts = MAX_TEXTS
        self._most_characters = _MAX_CHARACTERS  # of one text
        self._longest_taken = 0  # characters

    def __repr__(self) -> str:
        return f"EndpointEmbedder({self._shown_url!r}, {self.model!r})"

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        found: dict[int, Vector | Refused] = {}
        async for part in self.embed_each(texts):
            found |= part
        vectors: list[Vector] = []
        for place in range(len(texts)):
            vector = found[place]
            if isinstance(vector, Refused):
                raise EmbeddingError(vector.reason)
            vectors.append(vector)
        return vectors

    async def embed_each(self, texts: Sequence[str]) -> AsyncIterator[Mapping[int, Vector | Refused]]:
        start = 0
        size = self._most_texts
        refused = 0  # texts
        probed = (
            False  # the endpoint has given a vector after a refusal: it is about the texts, and will last
        )
        too_many = 0  # up to this text, requests are small because a larger one was refused
        while start < len(texts):
            if start >= too_many > 0:
                # Nothing in the refused request was refused by itself: it was too large.
                self._most_texts, too_many = min(self._most_texts, size), 0
            end = self._end(texts, start, size)
            batch = texts[start:end]
            if len(batch) == 1 and len(batch[0]) > self._most_characters:
                yield {start: await self._in_parts(batch[0])}
                start = end
                continue
            try:
                patient = not probed or (len(batch) == 1 and refused < _WAITED_FOR)
                vectors: Sequence[Vector | Refused] = await self._request(batch, patient=patient)
            except _RefusedRequestError as refusal:
                if not refusal.about_size:
                    await self._probe()
                    probed = True
                if len(batch) > 1:
                    size, too_many = len(batch) // 2, max(too_many, end)
                    continue
                vectors = [await self._after_refusal(batch[0], refusal)]
                if isinstance(vectors[0], Refused):
                    refused += 1
                    # it was this text: the others may go together again, more with each success
                    size, too_many = 1, 0
            else:
                if not too_many:
                    size = min(2 * size, self._most_texts)
            yield dict(enumerate(vectors, start))
            start = end
        if too_many:
            self._most_texts = min(self._most_texts, size)

    async def close(self) -> None:
        if self._api is not None:
            await self._api.close()

    def _end(self, texts: Sequence[str], start: int, size: int) -> int:
        """Where the next request ends: before a text too many, or one that has to be cut."""
        end, characters = start, 0
        while end < len(texts) and end - start < size:
            characters += len(texts[end])
            if end > start and (characters > _MAX_CHARACTERS or len(texts[end]) > self._most_characters):
                break
            end += 1
        return end

    async def _probe(self) -> None:
        """Whether the endpoint gives vectors at all. Raises `EmbeddingError` if it refuses any text."""
        try:
            await self._request([_PROBE])
        except _RefusedRequestError as refusal:
            raise EmbeddingError(str(refusal)) from None

    async def _after_refusal(self, text: str, refusal: _RefusedRequestError) -> Vector | Refused:
        """What becomes of a text that was refused alone."""
        if not refusal.about_size or len(text) < 2 * _SHORTEST_PART:
            return Refused(str(refusal))
        # A text of the usual length may have unusually many tokens: it says nothing about the others.
        self._most_characters = min(self._most_characters, max(len(text) * 6 // 10, self._longest_taken))
        return await self._in_parts(text)

    async def _in_parts(self, text: str) -> Vector | Refused:
        """The vector of a text that is too long for the model: the mean direction of its halves."""
        middle = len(text) // 2
        middle = text.find(" ", middle, middle + _SHORTEST_PART // 2) if " " in text[middle:] else middle
        middle = middle if middle > 0 else len(text) // 2
        vectors: list[Vector] = []
        found: Vector | Refused
        for part in (text[:middle], text[middle:]):
            try:
                if len(part) > self._most_characters:
                    found = await self._in_parts(part)
                else:
                    (found,) = await self._request([part])
            except _RefusedRequestError as refusal:
                found = await self._after_refusal(part, refusal)
            if isinstance(found, Refused):
                return found
            vectors.append(_unit(found))
        return [sum(values) for values in zip(*vectors, strict=True)]

    async def _request(self, texts: Sequence[str], *, patient: bool = True) -> list[Vector]:
        """One request, repeated where that may help. Raises `_RefusedRequestError` and `EmbeddingError`.

        `patient`: also where an answer may be about these texts, and would be the same again.
        """
        if self._api is None:
            raise EmbeddingError(self._without_key(f"cannot be reached. {self._no_way}"))
        body = {
            "model": self.model,
            "input": [text or " " for text in texts],  # an empty text is refused
            "encoding_format": "float",
        }
        pause = _FIRST_PAUSE
        for last_try in (*(False,) * (_TRIES - 1), True):
            try:
                most = len(texts) * _MAX_DIMENSIONS
                answer = await whole_answer(self._api, "/embeddings", body=body, most_values=most)
                vectors = _vectors(answer, len(texts))
            except openai.APIStatusError as error:
                said = faults.text(error.body, error.message)
                if error.status_code in {401, 403} and not self._api_key:
                    said = f"it {no_key(self._key_advice)}"
                said = network.refused_redirect(error.response) or said
                reason = self._without_key(f"answered {error.status_code}: {said}")
                about_size = _is_about_size(error.status_code, said)
                refused = error.status_code in _ABOUT_TEXTS or (error.status_code == 429 and about_size)
                if refused and (
                    about_size or last_try or not patient or error.status_code not in _TRIED_AGAIN
                ):
                    raise _RefusedRequestError(reason, about_size=about_size) from None
                if last_try or error.status_code not in _TRIED_AGAIN:
                    raise EmbeddingError(reason) from None
                wait = _retry_after(error) or pause
            except openai.APIConnectionError as error:
                if last_try:
                    why = f"{error.__cause__ or error.message}. {network.way_to(self._base_url)}"
                    raise EmbeddingError(self._without_key(f"cannot be reached: {why.strip()}")) from None
                wait = pause
            except (openai.APIError, ValueError, RecursionError, httpx2.HTTPError) as error:
                reason = self._without_key(f"sent no valid answer: {error}")
                raise _RefusedRequestError(reason, about_size=False) from None
            else:
                self._longest_taken = max(self._longest_taken, *map(len, texts))
                return vectors
            await asyncio.sleep(min(wait, _LONGEST_PAUSE))
            pause *= 2
        raise AssertionError("the last try returns or raises")

    def _without_key(self, message: str) -> str:
        """A sentence about the endpoint, short and without its key."""
        if self._api_key:
            message = message.replace(self._api_key, "…")
        message = message if len(message) <= _MAX_TEXT else f"{message[:_MAX_TEXT]}…"
        return f"The embedding endpoint {self._shown_url} {message}"


def _is_about_size(status: int, said: str) -> bool:
    words = _LARGER_THAN_THE_PACE if status == 429 else _ABOUT_SIZE
    return status == 413 or words.search(said) is not None


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds that the server asks to wait for."""
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None


def _unit(vector: Vector) -> Vector:
    length = math.hypot(*vector) or 1.0
    return [value / length for value in vector]


def _vectors(answer: Any, count: int) -> list[Vector]:
    """The vectors in an answer. Raises `ValueError` if it is not what was asked for."""
    entries = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(entries, list) or len(entries) != count:
        raise ValueError(f"{count} vectors were asked for")
    found: dict[int, Vector] = {}
    for place, entry in enumerate(entries):
        vector = entry.get("embedding") if isinstance(entry, dict) else None
        if not isinstance(vector, list) or not vector:
            raise ValueError("an entry has no vector")
        try:
            values = [float(part) for part in vector]
            number = int(entry.get("index", place))
        except (TypeError, OverflowError):
            raise ValueError("a vector is not made of numbers") from None
        if not all(map(math.isfinite, values)):
            raise ValueError("a vector is not made of numbers")
        found[number] = values
    if sorted(found) != list(range(count)):
        raise ValueError("its entries are not numbered from 0")
    return [found[place] for place in range(count)]
