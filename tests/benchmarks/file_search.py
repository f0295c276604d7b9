"""How well file search finds, how fast, and how fast it reads: over HTTP, from `assistants-tui serve`.

    python tests/benchmarks/file_search.py [--files N] [--questions N] [--half HALF] [--vectors KIND]

The documents and questions are those of `corpus.py`. A question is answered when its document is among
those of the 20 chunks found. Half of the questions (`tuning`) had a say in the weights of `ranking.py`; the
other half (`held-out`) had none, so it is the one to quote.

`--vectors averaged` adds an embedding endpoint with averages of random word vectors, which is less than any
real model knows: it must do no harm. `--vectors knowing` is one that also knows, faintly, what was asked
about each document, as a model that understands it would.
"""

import argparse
import asyncio
import json
import random
import secrets
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import psutil
from sqlalchemy import insert

sys.path.insert(0, str(Path(__file__).parent.parent))

from assistants_tui.engine.http.api_keys import LOCAL_OWNER
from assistants_tui.engine.store import ids
from assistants_tui.engine.store.blobs import BlobStore
from assistants_tui.engine.store.database import Database
from assistants_tui.engine.store.schema import files
from assistants_tui.protocol.objects import Json
from benchmarks.corpus import Text, corpus
from benchmarks.figures import Figure, percentile
from benchmarks.vectors import VectorEndpoint
from support.serve_command import ServeCommand, serve_command

BATCH = 500  # files of one batch, as the SDKs send them
UPLOADS = 4  # at the same time
BEST_LEXICAL = {"recall_20": 0.88, "mrr": 0.67}
SEARCH_BUDGET_MS = 50
MEMORY_BUDGET = 1.1  # of the end to the beginning of reading many files: it does not grow with them
ROW_FILES = 10_000
ROW_LENGTH = 1_500  # characters of a file: with longer ones the row would take too long
ROW_TEXTS = 1_500  # that these files are cut from
ROW_QUESTIONS = 150  # for each sample asked for


class Memory:
    """What the engine and its processes take while something goes on."""

    def __init__(self, server: ServeCommand) -> None:
        self._process = psutil.Process(server.pid)
        self.engine: list[int] = []
        self.largest_of_all = 0

    def cpu_ms(self) -> float:
        """Time on the processor that the engine has had."""
        times = self._process.cpu_times()
        return 1000 * (times.user + times.system)

    async def watch(self) -> None:
        while True:
            self.engine.append(self._process.memory_info().rss >> 20)
            total = self.engine[-1]
            for child in self._process.children():
                try:
                    total += child.memory_info().rss >> 20
                except psutil.NoSuchProcess:
                    continue
            self.largest_of_all = max(self.largest_of_all, total)
            await asyncio.sleep(0.5)

    def figures(self) -> Json:
        """The engine's own, in the second and in the last tenth of the time: they differ if it grows."""
        tenth = max(1, len(self.engine) // 10)
        return {
            "engine_mib_early": round(statistics.mean(self.engine[tenth : 2 * tenth] or self.engine)),
            "engine_mib_late": round(statistics.mean(self.engine[-tenth:])),
            "with_workers_mib_most": self.largest_of_all,
        }


class Client:
    """The HTTP side of the benchmark."""

    def __init__(self, server: ServeCommand) -> None:
        self.http = httpx2.AsyncClient(base_url=f"{server.url}/v1", timeout=600)
        self.store = ""

    async def post(self, path: str, **body: Any) -> Json:
        response = await self.http.post(path, json=body)
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    async def upload(self, texts: Sequence[Text]) -> list[str]:
        turn = asyncio.Semaphore(UPLOADS)

        async def one(text: Text) -> str:
            async with turn:
                form = {"purpose": "assistants"}
                content = {"file": (text.name, text.text.encode())}
                response = await self.http.post("/files", files=content, data=form)
                assert response.status_code == 200, response.text
                return str(response.json()["id"])

        return await asyncio.gather(*map(one, texts))

    async def ingest(self, ids: Sequence[str]) -> Json:
        """Put all files into a store, and wait until each of them can be found."""
        self.store = (await self.post("/vector_stores", name="benchmark"))["id"]
        begun = time.perf_counter()
        for start in range(0, len(ids), BATCH):
            files = [
                {"file_id": file_id, "attributes": {"number": start + number, "even": number % 2 == 0}}
                for number, file_id in enumerate(ids[start : start + BATCH])
            ]
            await self.post(f"/vector_stores/{self.store}/file_batches", files=files)
        while (store := (await self.http.get(f"/vector_stores/{self.store}")).json())[
            "status"
        ] != "completed":
            await asyncio.sleep(0.2)
        await self.search("anything")
        seconds = time.perf_counter() - begun
        return {"seconds": round(seconds, 1), "counts": store["file_counts"], "bytes": store["usage_bytes"]}

    async def search(self, question: str, **how: Any) -> list[Json]:
        found = await self.post(
            f"/vector_stores/{self.store}/search", query=question, max_num_results=20, **how
        )
        hits: list[Json] = found["data"]
        return hits

    async def chunk_count(self, ids: Sequence[str]) -> int:
        """Roughly: that of some files, taken for all."""
        some = random.Random(3).sample(ids, min(200, len(ids)))
        answers = [await self.http.get(f"/vector_stores/{self.store}/files/{one}/content") for one in some]
        return round(sum(len(answer.json()["data"]) for answer in answers) / len(some) * len(ids))


async def measure(
    client: Client, questions: Sequence[tuple[Text, str]], how: Mapping[str, Any], in_flight: int = 1
) -> Json:
    """Ask all questions, each with the ID of the file that answers it."""
    ranks: list[int] = []
    times: list[float] = []
    waiting = iter(questions)

    async def ask() -> None:
        for text, file_id in waiting:
            begun = time.perf_counter()
            hits = await client.search(text.question or "", **how)
            times.append(1000 * (time.perf_counter() - begun))
            order = list(dict.fromkeys(hit["file_id"] for hit in hits))
            ranks.append(order.index(file_id) + 1 if file_id in order else 0)

    await asyncio.gather(*(ask() for _ in range(in_flight)))
    return {
        "recall_5": round(statistics.mean(0 < rank <= 5 for rank in ranks), 4),
        "recall_20": round(statistics.mean(rank > 0 for rank in ranks), 4),
        "mrr": round(statistics.mean(1 / rank if rank else 0 for rank in ranks), 4),
        "p50_ms": round(statistics.median(times), 1),
        "p99_ms": round(statistics.quantiles(times, n=100)[98], 1),
    }


async def remove(client: Client, questions: Sequence[tuple[Text, str]]) -> Json:
    """Take files out of the store: the very next search must not find them."""
    times: list[float] = []
    found_again = 0
    for text, _ in questions:
        [best, *_] = await client.search(text.question or "")
        begun = time.perf_counter()
        response = await client.http.delete(f"/vector_stores/{client.store}/files/{best['file_id']}")
        times.append(1000 * (time.perf_counter() - begun))
        assert response.status_code == 200, response.text
        after = await client.search(text.question or "")
        found_again += any(hit["file_id"] == best["file_id"] for hit in after)
    return {
        "removed": len(times),
        "found_again": found_again,
        "delete_p50_ms": round(statistics.median(times), 1),
    }


def search(runs: int) -> list[Figure]:
    """Ten thousand files in one vector store: reading, searching and removing them."""
    return asyncio.run(_row(runs))


async def _row(runs: int) -> list[Figure]:
    texts = corpus(ROW_TEXTS)
    pieces = list(_pieces(texts))[:ROW_FILES]
    questions = [text.question for text in texts if text.question]
    plain = _plain_index(pieces)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file_ids = await _seed(folder, pieces)
        server = await stack.enter_async_context(serve_command(folder))
        client = Client(server)
        stack.push_async_callback(client.http.aclose)
        memory = Memory(server)
        watching = asyncio.create_task(memory.watch())
        reading = (await client.ingest(file_ids))["seconds"]
        watching.cancel()
        times: list[float] = []
        work: list[float] = []
        for question in questions[:ROW_QUESTIONS]:  # warm
            await client.search(question)
        for number in range(runs):
            asked = random.Random(number).sample(questions, ROW_QUESTIONS)
            before = memory.cpu_ms()
            samples = [await _timed(client, question) for question in asked]
            times.append(percentile(samples, 0.99))
            work.append((memory.cpu_ms() - before) / len(asked))
        removed = await remove(client, [(text, "") for text in texts if text.question][:20])
    used = memory.figures()
    return [
        Figure(
            f"search: reading {ROW_FILES:,} files / writing them to a bare FTS5 table",
            "×",
            (reading / plain,),
        ),
        Figure("search: files read a second", "/s", (ROW_FILES / reading,)),
        Figure(
            "search: engine memory at the end of reading / in its first fifth",
            "×",
            (used["engine_mib_late"] / used["engine_mib_early"],),
            MEMORY_BUDGET,
        ),
        Figure(f"search: p99 over {ROW_FILES:,} files, warm", "ms", tuple(times), SEARCH_BUDGET_MS),
        Figure("search: the engine's time on the processor for one of these", "ms", tuple(work)),
        Figure("search: removed files that the next search finds", "", (removed["found_again"],), 0),
    ]


def _pieces(texts: Sequence[Text]) -> Iterator[tuple[str, str]]:
    """Names and contents of files, in turns from the beginnings and from later parts of the texts."""
    for start in range(0, max(len(text.text) for text in texts), ROW_LENGTH):
        for text in texts:
            if piece := text.text[start : start + ROW_LENGTH].strip():
                yield f"{start}-{text.name}", piece


def _plain_index(pieces: Sequence[tuple[str, str]]) -> float:
    """Seconds that SQLite alone takes to index the texts, with a commit for each."""
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "plain.db")
        database.executescript(
            "PRAGMA journal_mode = wal; PRAGMA synchronous = normal;"
            "CREATE VIRTUAL TABLE texts USING fts5 (name, text, tokenize = porter)"
        )
        begun = time.perf_counter()
        for piece in pieces:
            with database:
                database.execute("INSERT INTO texts VALUES (?, ?)", piece)
        seconds = time.perf_counter() - begun
        database.close()
    return seconds


async def _seed(folder: Path, pieces: Sequence[tuple[str, str]]) -> list[str]:
    """Files as if they had been uploaded, which is another matter. Returns their IDs."""
    blobs = BlobStore(folder / "files")
    rows = []
    for name, text in pieces:
        blob = blobs.path(secrets.token_hex(16))
        blob.parent.mkdir(exist_ok=True)
        blob.write_text(text, encoding="utf-8")
        rows.append(
            {
                "id": ids.new("file"),
                "owner": LOCAL_OWNER,
                "created_at": int(time.time()),
                "bytes": len(text.encode()),
                "filename": name,
                "purpose": "assistants",
                "status": "processed",
                "blob": blob.name,
            }
        )
    database = await Database.open(folder)
    async with database.write() as connection:
        await connection.execute(insert(files), rows)
    await database.close()
    return [str(row["id"]) for row in rows]


async def _timed(client: Client, question: str) -> float:
    begun = time.perf_counter()
    await client.search(question)
    return 1000 * (time.perf_counter() - begun)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=1_000)
    parser.add_argument("--half", choices=["tuning", "held-out"], default="held-out")
    parser.add_argument("--vectors", choices=["averaged", "knowing"])
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    texts = corpus(options.files)
    results: Json = {}

    def note(name: str, figures: Json) -> None:
        results[name] = figures
        print(f"{name}: {json.dumps(figures)}", flush=True)

    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        arguments: list[str] = []
        if options.vectors:
            endpoint = VectorEndpoint(texts, knowing=options.vectors == "knowing")
            url = await stack.enter_async_context(endpoint.served())
            arguments = ["--model-url", url, "--embedding-model", options.vectors]
        server = await stack.enter_async_context(serve_command(folder, *arguments))
        client = Client(server)
        stack.push_async_callback(client.http.aclose)
        file_ids = await client.upload(texts)
        memory = Memory(server)
        watching = asyncio.create_task(memory.watch())
        ingest = await client.ingest(file_ids)
        watching.cancel()
        ingest |= memory.figures()
        chunks = await client.chunk_count(file_ids)
        ingest |= {
            "files_per_second": round(len(file_ids) / ingest["seconds"], 1),
            "chunks": chunks,
            "chunks_per_second": round(chunks / ingest["seconds"], 1),
        }
        note("ingest", ingest)
        pairs = [
            (text, file_id)
            for text, file_id in zip(texts, file_ids, strict=True)
            if text.question and text.is_for_tuning == (options.half == "tuning")
        ]
        questions = random.Random(2).sample(pairs, min(options.questions, len(pairs)))
        for text, _ in questions[:50]:  # warm
            await client.search(text.question or "")
        note("as it is by default", await measure(client, questions, {}))
        for kind in sorted({text.kind for text, _ in questions}):
            of_kind = [(text, file_id) for text, file_id in questions if text.kind == kind]
            note(f"of those: {kind}, {len(of_kind)}", await measure(client, of_kind, {}))
        note("without reranking", await measure(client, questions, {"ranking_options": {"ranker": "none"}}))
        note("4 at the same time", await measure(client, questions, {}, in_flight=4))
        even = {"type": "eq", "key": "even", "value": True}
        few = {"type": "lt", "key": "number", "value": 100}
        note("among half of the files", await measure(client, questions[:300], {"filters": even}))
        note("among 100 files", await measure(client, questions[:300], {"filters": few}))
        note("deleting", await remove(client, questions[:20]))
    found = results["as it is by default"]
    print(f"p99 of a search: {found['p99_ms'] / SEARCH_BUDGET_MS:.2f} of its budget of {SEARCH_BUDGET_MS} ms")
    for figure, wanted in BEST_LEXICAL.items():
        print(f"{figure}: {found[figure] / wanted:.2f} of the {wanted} that is wanted")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
