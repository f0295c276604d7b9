"""An embedding endpoint that knows little, or as much as a benchmark tells it."""

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
from numpy.typing import NDArray

from assistants_tui.engine.search.analysis import terms
from benchmarks.corpus import Text
from support.model_endpoint import ModelEndpoint, Reply, Request

DIMENSIONS = 256
HINT = 0.5  # how much it hears of what is asked about a document


class VectorEndpoint:
    """Embeds texts by the average of random vectors, one for each word."""

    def __init__(self, texts: Sequence[Text], *, knowing: bool) -> None:
        self._words: dict[str, NDArray[np.float32]] = {}
        # A chunk is recognised by its beginning: these are the documents' own.
        self._hints = {text.text[:200]: text.question for text in texts if knowing and text.question}

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """The base URL of the endpoint while it is there."""
        async with ModelEndpoint() as endpoint:
            endpoint.otherwise = self._answer
            yield endpoint.url

    def vector(self, text: str) -> NDArray[np.float32]:
        """The vector of a text."""
        average = self._average(text)
        hint = self._hints.get(text[:200])
        return average if hint is None else average + HINT * self._average(hint)

    def _answer(self, request: Request) -> Reply:
        data = [
            {"object": "embedding", "index": index, "embedding": self.vector(text).round(4).tolist()}
            for index, text in enumerate(request.body["input"])
        ]
        body = json.dumps({"object": "list", "data": data, "model": request.body["model"]}).encode()
        return Reply([body], headers={"content-type": "application/json"})

    def _average(self, text: str) -> NDArray[np.float32]:
        total = np.zeros(DIMENSIONS, np.float32)
        for word in terms(text):
            if word not in self._words:
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
                dice = np.random.default_rng(seed)
                self._words[word] = dice.standard_normal(DIMENSIONS).astype(np.float32)
            total += self._words[word]
        length = float(np.linalg.norm(total))
        return total / length if length else total
