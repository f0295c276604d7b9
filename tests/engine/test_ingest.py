"""What becomes of files between being attached and being found, whatever happens meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from assistants_tui.engine.app import EngineSettings
from assistants_tui.protocol.objects import Json
from support.documents import pdf
from support.engine import error_of, make, open_engine, settled, turn_of_another_engine, upload
from support.engine_process import nursery
from support.engines import BETA
from support.patience import until
from support.processes import running

SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
WORKERS = "engine.search.workers"  # in the command lines of what reads and indexes files for an engine
TEXT = "".join(f"Line {number} says something of its own.\n" for number in range(60))


def counts(**numbers: int) -> Json:
    every = dict.fromkeys(("in_progress", "completed", "failed", "cancelled"), 0) | numbers
    return every | {"total": sum(numbers.values())}


@contextmanager
def frozen_readers() -> Iterator[None]:
    """Readers that exist do not go on meanwhile."""
    readers = running("engine.search.workers.reader")
    assert readers
    for process in readers:
        process.suspend()
    try:
        yield
    finally:
        for process in readers:
            with suppress(psutil.NoSuchProcess):
                process.resume()


async def being_read(http: httpx2.AsyncClient) -> tuple[str, str]:
    """A store and a file in it that a frozen reader has in hand. Call it inside `frozen_readers`."""
    file = await upload(http, "slow.txt", TEXT.encode())
    store = await make(http, "/vector_stores", file_ids=[file["id"]])
    return f"/vector_stores/{store['id']}", file["id"]


async def get(http: httpx2.AsyncClient, path: str) -> Any:
    response = await http.get(path)
    assert response.status_code == 200, response.text
    return response.json()


async def found(http: httpx2.AsyncClient, path: str, query: str) -> list[str]:
    page = await make(http, f"{path}/search", query=query, max_num_results=50)
    return [result["filename"] for result in page["data"]]


@pytest.fixture
async def warm(http: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """An engine that has read a file, so that its reader is there."""
    file = await upload(http, "first.txt", b"First.")
    store = await make(http, "/vector_stores", file_ids=[file["id"]])
    await settled(http, f"/vector_stores/{store['id']}")
    return http


async def test_what_cannot_be_read_fails_alone(http: httpx2.AsyncClient) -> None:
    files = {
        "good.md": (b"# Fine\n\nText.", None),
        "empty.txt": (b"", "invalid_file"),
        "broken.pdf": (b"%PDF-1.7 and no more", "invalid_file"),
        "secret.pdf": (pdf([["Secret."]], user_password="open sesame"), "invalid_file"),
        "picture.txt": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "invalid_file"),
        "old.doc": (b"\xd0\xcf\x11\xe0", "unsupported_file"),
        "fine.py": (b"def rent():\n    return 5\n", None),
    }
    ids = {name: (await upload(http, name, data))["id"] for name, (data, _) in files.items()}
    store = await make(http, "/vector_stores")
    path = f"/vector_stores/{store['id']}"
    batch = await make(http, f"{path}/file_batches", file_ids=list(ids.values()))
    done = await settled(http, f"{path}/file_batches/{batch['id']}")
    assert (done["status"], done["file_counts"]) == ("completed", counts(completed=2, failed=5))
    for name, (data, code) in files.items():
        file = await get(http, f"{path}/files/{ids[name]}")
        if code is None:
            assert (file["status"], file["last_error"]) == ("completed", None)
            assert file["usage_bytes"] == len(data)
        else:
            assert (file["status"], file["last_error"]["code"]) == ("failed", code)
            assert file["last_error"]["message"].endswith(".")
            assert file["usage_bytes"] == 0
    assert (await get(http, path))["usage_bytes"] == sum(
        len(files[name][0]) for name in ("good.md", "fine.py")
    )


async def test_counts_at_every_moment(http: httpx2.AsyncClient) -> None:
    ids = [(await upload(http, f"{number}.txt", TEXT.encode()))["id"] for number in range(12)]
    store = await make(http, "/vector_stores", file_ids=ids, chunking_strategy=SMALL)
    path = f"/vector_stores/{store['id']}"
    seen: list[Json] = [store]
    while seen[-1]["status"] == "in_progress":
        seen.append(await get(http, path))
        names = await found(http, path, "says something")
        assert len(set(names)) <= 12
    numbers = [now["file_counts"]["completed"] for now in seen]
    assert numbers == sorted(numbers) and numbers[-1] == 12
    sizes = [now["usage_bytes"] for now in seen]
    assert sizes == sorted(sizes) and sizes[-1] == 12 * len(TEXT)
    for now in seen:
        assert now["file_counts"]["total"] == 12
        open_files = now["file_counts"]["in_progress"]
        assert (now["status"] == "in_progress") == bool(open_files)
        assert open_files + now["file_counts"]["completed"] == 12


async def test_cancelling_a_batch(warm: httpx2.AsyncClient) -> None:
    """What is being read and what waits is cancelled; what is read too late changes nothing."""
    store = await make(warm, "/vector_stores")
    path = f"/vector_stores/{store['id']}"
    with frozen_readers():
        ids = [(await upload(warm, f"{number}.txt", TEXT.encode()))["id"] for number in range(9)]
        batch = await make(warm, f"{path}/file_batches", file_ids=ids)
        cancelled = await make(warm, f"{path}/file_batches/{batch['id']}/cancel")
        assert cancelled["status"] == "cancelled"
        assert cancelled["file_counts"]["in_progress"] == 0
    other = await upload(warm, "other.txt", b"Something else.")
    await make(warm, f"{path}/files", file_id=other["id"])
    await settled(warm, path)  # by then the cancelled ones have come back from the readers, too
    later = await get(warm, f"{path}/file_batches/{batch['id']}")
    assert later == cancelled
    assert "other.txt" in await found(warm, path, "something")
    assert len(await found(warm, path, "says something")) == 1 + cancelled["file_counts"]["completed"]


async def test_file_that_leaves_while_it_is_read(warm: httpx2.AsyncClient) -> None:
    with frozen_readers():
        first, file = await being_read(warm)
        second, other = await being_read(warm)
        third, _ = await being_read(warm)
        assert (await warm.delete(f"{first}/files/{file}")).status_code == 200
        assert (await warm.delete(f"/files/{other}")).status_code == 200
        assert (await warm.delete(third)).status_code == 200
    fourth, _ = await being_read(warm)
    assert (await settled(warm, fourth))["file_counts"] == counts(completed=1)
    for path in (first, second):
        assert (await get(warm, path))["file_counts"] == counts()
        assert await found(warm, path, "something") == []
    assert await found(warm, fourth, "something") == ["slow.txt"]


async def test_file_that_is_attached_anew_while_it_is_read(warm: httpx2.AsyncClient) -> None:
    """What counts is how it was attached last."""
    with frozen_readers():
        path, file = await being_read(warm)
        await make(warm, f"{path}/files", file_id=file, chunking_strategy=SMALL, attributes={"new": True})
    done = await settled(warm, f"{path}/files/{file}")
    assert (done["status"], done["chunking_strategy"]) == ("completed", SMALL)
    pieces = (await get(warm, f"{path}/files/{file}/content"))["data"]
    assert "".join(piece["text"] for piece in pieces) == TEXT and len(pieces) > 4
    assert len(await found(warm, path, "something")) == len(pieces)


async def test_bytes_that_are_gone(http: httpx2.AsyncClient, engine_settings: EngineSettings) -> None:
    file = await upload(http)
    for blob in (engine_settings.data_dir / "files").glob("*/*"):
        blob.unlink()
    store = await make(http, "/vector_stores", file_ids=[file["id"]])
    done = await settled(http, f"/vector_stores/{store['id']}/files/{file['id']}")
    assert (done["status"], done["last_error"]["code"]) == ("failed", "server_error")
    assert (await http.get(f"/vector_stores/{store['id']}/files/{file['id']}/content")).status_code == 400


async def test_what_waits_is_said_to_wait(http: httpx2.AsyncClient, engine_settings: EngineSettings) -> None:
    """Engines on the same data take turns, and who waits takes over when the other has ended."""
    file = await upload(http)
    async with turn_of_another_engine(engine_settings.data_dir):
        store = await make(http, "/vector_stores", file_ids=[file["id"]])
        path = f"/vector_stores/{store['id']}"
        refused = await http.get(f"{path}/files/{file['id']}/content")
        assert "is still being read" in error_of(refused)["message"]
        assert (await get(http, path))["status"] == "in_progress"
    assert (await settled(http, path))["file_counts"] == counts(completed=1)


async def until_read(http: httpx2.AsyncClient, path: str, count: int, *, pause: float = 0.02) -> None:
    """Wait until so many files of a vector store have been read."""

    async def read() -> bool:
        completed: int = (await get(http, path))["file_counts"]["completed"]
        return completed >= count

    await until(f"{count} files have been read", read, seconds=60, pause=pause)


async def test_closing_leaves_no_process_and_loses_nothing(engine_settings: EngineSettings) -> None:
    async with open_engine(engine_settings) as http:
        ids = [(await upload(http, f"{number}.txt", TEXT.encode()))["id"] for number in range(8)]
        store = await make(http, "/vector_stores", file_ids=ids)
        path = f"/vector_stores/{store['id']}"
        await until_read(http, path, 1, pause=0)
        assert running(WORKERS)
    assert running(WORKERS) == []
    async with open_engine(engine_settings) as http:
        assert (await settled(http, path))["file_counts"] == counts(completed=8)
        assert sorted(await found(http, path, "something")) == sorted(f"{number}.txt" for number in range(8))


@pytest.fixture
async def data_dir(tmp_path: Path) -> AsyncIterator[Path]:
    yield tmp_path / "data"


async def test_killed_engine_goes_on_where_it_was(data_dir: Path) -> None:
    """Killed again and again while it reads: no chunk is lost, none is there twice, no process stays."""
    files = 24
    async with nursery() as engines:
        engine = await engines.start(data_dir, None)
        async with _client(engine.url) as http:
            ids = [(await upload(http, f"{number}.txt", TEXT.encode()))["id"] for number in range(files)]
            store = await make(http, "/vector_stores", file_ids=ids, chunking_strategy=SMALL)
        path = f"/vector_stores/{store['id']}"
        for done in (1, 5, 9, 14):
            async with _client(engine.url) as http:
                await until_read(http, path, done)
            left = running(WORKERS, below=engine.pid)
            engine.kill()
            _, alive = await asyncio.to_thread(psutil.wait_procs, left, 20)
            assert alive == []
            engine = await engines.start(data_dir, None)
        async with _client(engine.url) as http:
            assert (await settled(http, path))["file_counts"] == counts(completed=files)
            for file in ids:
                pieces = (await get(http, f"{path}/files/{file}/content"))["data"]
                assert "".join(piece["text"] for piece in pieces) == TEXT
            names = await found(http, path, "Line 3 says something of its own")
            assert set(names) == {f"{number}.txt" for number in range(files)}
            results = (await make(http, f"{path}/search", query="59", max_num_results=50))["data"]
            places = [(result["file_id"], result["content"][0]["start"]) for result in results]
            assert len(places) == len(set(places)) == files
        engine.kill()


def _client(url: str) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_keepalive_connections=0)
    return httpx2.AsyncClient(base_url=f"{url}/v1", headers=BETA, timeout=60, limits=limits)
