"""How well file search finds, how fast, and how fast it reads.

    python tests/benchmarks/file_search.py [--files N] [--questions N] [--vectors KIND] [--json FILE]

The documents are the Python modules of this machine, and their classes and functions where there are too few.
The questions are first lines of docstrings, and names of functions and classes, which were taken out of the
documents. A question is answered when its document is among the 20 chunks found.

`--vectors averaged` adds an embedding endpoint with averages of random word vectors, which is less
than any real model knows: it must do no harm. `--vectors knowing` is one that also knows, faintly, what was
asked about each document, as a model that understands it would.
"""

import argparse
import ast
import asyncio
import hashlib
import json
import random
import re
import statistics
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from assistants_tui.engine.store import files, vector_store_files
from assistants_tui.engine.store.database import Database
from assistants_tui.engine.store.vector_store_files import NewFile
from assistants_tui.engine.tools.file_search.analysis import terms
from assistants_tui.engine.tools.file_search.embeddings import EndpointEmbedder
from assistants_tui.engine.tools.file_search.interface import Chunking, Ranking
from support.model_endpoint import ModelEndpoint, Reply, Request
from support.search import NOW, OWNER, Library

READERS = 4  # files that are given to be read at the same time


@dataclass(frozen=True)
class Text:
    """A document of the corpus, and what can be asked about it."""

    name: str
    text: str
    question: str | None


def corpus(count: int, seed: int = 1) -> list[Text]:
    """`count` documents, the same ones each time on the same machine."""
    dice = random.Random(seed)
    paths = sorted(path for root in roots() for path in root.rglob("*.py") if "test" not in path.name)
    dice.shuffle(paths)
    found: list[Text] = []
    parts: list[Text] = []
    modules = min(count, int(0.6 * len(paths)))  # of the rest, the parts
    for path in paths:
        if len(found) + len(parts) >= count:
            break
        try:
            source = path.read_text(encoding="utf-8")
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError):
            continue
        if len(found) >= modules:
            parts += pieces(dice, path, source, tree)
        elif 800 <= len(source) <= 60_000:
            found.append(asked(dice, path.name, source, tree))
    return (found + parts)[:count]


def roots() -> list[Path]:
    return [Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))]


def pieces(dice: random.Random, path: Path, source: str, tree: ast.Module) -> Iterator[Text]:
    for node in tree.body:
        piece = ast.get_source_segment(source, node) if isinstance(node, DEFINITIONS) else None
        if piece is not None and len(piece) > 400:
            yield asked(dice, f"{path.stem}.{node.name}.py", piece, node)  # type: ignore[attr-defined] # has one


DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def asked(dice: random.Random, name: str, source: str, tree: ast.AST) -> Text:
    """A document without the words of its question."""
    lines: list[str] = []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, DEFINITIONS) and (docstring := ast.get_docstring(node)):
            line = docstring.strip().partition("\n")[0].strip()
            if 4 <= len(set(line.lower().split())) <= 25:
                lines.append(line)
            if len(re.findall(r"[A-Z]?[a-z]{2,}", node.name)) >= 2 and source.count(node.name) > 1:
                names.append(node.name)
    if names and dice.random() < 0.1:
        chosen = dice.choice(names)
        return Text(name, re.sub(rf"\b(def|class) {chosen}\b", r"\1 _", source), chosen)
    if lines:
        chosen = dice.choice(lines)
        return Text(name, source.replace(chosen, ""), chosen)
    return Text(name, source, None)


@dataclass(frozen=True)
class Quality:
    recall_5: float
    recall_20: float
    mrr: float
    p50_ms: float
    p99_ms: float


async def measure(library: Library, questions: Sequence[tuple[str, str]], how: Mapping[str, Any]) -> Quality:
    """Ask all questions, each with the ID of the file that answers it."""
    ranks, times = [], []
    for question, file_id in questions:
        begun = time.perf_counter()
        hits = await library.find(question, max_results=20, **how)
        times.append(1000 * (time.perf_counter() - begun))
        order = list(dict.fromkeys(hit.file_id for hit in hits))
        ranks.append(order.index(file_id) + 1 if file_id in order else 0)
    return Quality(
        recall_5=round(statistics.mean(0 < rank <= 5 for rank in ranks), 4),
        recall_20=round(statistics.mean(rank > 0 for rank in ranks), 4),
        mrr=round(statistics.mean(1 / rank if rank else 0 for rank in ranks), 4),
        p50_ms=round(statistics.median(times), 1),
        p99_ms=round(statistics.quantiles(times, n=100)[98], 1),
    )


class Vectors:
    """The model behind the embedding endpoint."""

    DIMENSIONS = 256

    def __init__(self, texts: Sequence[Text], *, knowing: bool) -> None:
        self._words: dict[str, NDArray[np.float32]] = {}
        # A chunk is recognised by its beginning: these are the documents' own.
        self._hints = {text.text[:200]: text.question for text in texts if knowing and text.question}

    def answer(self, request: Request) -> Reply:
        data = [
            {"object": "embedding", "index": index, "embedding": self._vector(text).round(4).tolist()}
            for index, text in enumerate(request.body["input"])
        ]
        body = json.dumps({"object": "list", "data": data, "model": request.body["model"]}).encode()
        return Reply([body], headers={"content-type": "application/json"})

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = self._average(text)
        hint = self._hints.get(text[:200])
        return vector if hint is None else vector + 0.5 * self._average(hint)

    def _average(self, text: str) -> NDArray[np.float32]:
        total = np.zeros(self.DIMENSIONS, np.float32)
        for word in terms(text):
            if word not in self._words:
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
                dice = np.random.default_rng(seed)
                self._words[word] = dice.standard_normal(self.DIMENSIONS).astype(np.float32)
            total += self._words[word]
        length = float(np.linalg.norm(total))
        return total / length if length else total


async def attach(library: Library, texts: Sequence[Text]) -> list[str]:
    """Put all files into the store at once, as batches do."""
    ids = []
    async with library.database.write() as connection:
        for number, text in enumerate(texts):
            data = text.text.encode()
            values = {"bytes": len(data), "filename": text.name, "purpose": "assistants", "blob": "none"}
            file = await files.create(connection, OWNER, NOW, values)
            library.path(file["id"]).write_bytes(data)
            new = NewFile(file["id"], {"number": number, "even": number % 2 == 0}, {"type": "auto"})
            await vector_store_files.attach(connection, OWNER, library.store, NOW, [new])
            ids.append(str(file["id"]))
    return ids


async def read_all(library: Library, texts: Sequence[Text], ids: Sequence[str]) -> dict[str, float]:
    """Read all files, several at a time, and settle them in one go at the end."""
    process = psutil.Process()
    memory = [process.memory_info().rss]
    turn = asyncio.Semaphore(READERS)
    done = 0

    async def one(file_id: str, name: str) -> None:
        nonlocal done
        async with turn:
            await library.search.ingest(library.store, file_id, library.path(file_id), name, Chunking())
            done += 1
            if done % 500 == 0:
                memory.append(process.memory_info().rss)

    begun = time.perf_counter()
    await asyncio.gather(*(one(file_id, text.name) for file_id, text in zip(ids, texts, strict=True)))
    read = time.perf_counter() - begun
    async with library.database.write() as connection:
        for row in await vector_store_files.waiting(connection):
            await vector_store_files.settle(connection, row, "completed")
    while (progress := await library.search.progress()).with_words < progress.chunks:
        await asyncio.sleep(0.1)
    indexed = time.perf_counter() - begun
    return {
        "files": len(ids),
        "chunks": progress.chunks,
        "files_per_second_read": round(len(ids) / read, 1),
        "chunks_per_second_searchable": round(progress.chunks / indexed, 1),
        "seconds_until_searchable": round(indexed, 1),
        "memory_mib_first": memory[1] >> 20 if len(memory) > 1 else memory[0] >> 20,
        "memory_mib_last": memory[-1] >> 20,
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--vectors", choices=["averaged", "knowing"])
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    texts = corpus(options.files)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        endpoint = await stack.enter_async_context(ModelEndpoint())
        endpoint.otherwise = Vectors(texts, knowing=options.vectors == "knowing").answer
        embedder = None
        if options.vectors:
            embedder = EndpointEmbedder(endpoint.url, options.vectors)
            stack.push_async_callback(embedder.close)
        database = await Database.open(Path(folder))
        library = Library(Path(folder), database, embedder=embedder)
        await library.open()
        ids = await attach(library, texts)
        results: dict[str, object] = {"ingest": await read_all(library, texts, ids)}
        print(json.dumps(results["ingest"], indent=1))
        pairs = [(text.question, file_id) for text, file_id in zip(texts, ids, strict=True) if text.question]
        questions = random.Random(2).sample(pairs, min(options.questions, len(pairs)))
        even = {"type": "eq", "key": "even", "value": True}
        few = {"type": "lt", "key": "number", "value": 100}
        for question, _ in questions[:50]:  # warm
            await library.find(question, max_results=20)
        ways: dict[str, dict[str, Any]] = {
            "bm25": {"ranking": Ranking(rerank=False)},
            "reranked": {},
            "half of the files": {"filters": even},
            "100 files": {"filters": few},
        }
        for name, how in ways.items():
            quality = await measure(library, questions, how)
            results[name] = asdict(quality)
            print(f"{name}: {json.dumps(results[name])}", flush=True)
        await library.close()
        await database.close()
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
