"""What is left after a kill, damage and deletion behind the index's back, and what becomes of it."""

import asyncio
import contextlib
import json
import shutil
import signal
import sys
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from assistants_tui.engine.store import files
from assistants_tui.engine.store.database import Database
from support.patience import until
from support.processes import running, status
from support.search import OWNER, Library

PROGRAM = Path(__file__).parent / "ingesting_process.py"
FILES = 40


async def settled(library: Library) -> None:
    """Wait until the work in the background is done."""

    async def done() -> bool:
        progress = await library.search.progress()
        return progress.with_words == progress.chunks

    await until("the words of all chunks are in the index", done, seconds=60)


def marker(number: int) -> str:
    """The word that only one of the files has."""
    return "marker" + "abcdefghij"[number // 10] + "abcdefghij"[number % 10]


async def count(database: Database, statement: str) -> int:
    async with database.read() as connection:
        return int((await connection.execute(text(statement))).scalar_one())


async def index_chunks(library: Library) -> int:
    index = library.search._index
    await asyncio.to_thread(index.refresh)
    return index.chunk_count()


async def test_killed_while_reading(tmp_path: Path) -> None:
    """A process that reads files is killed again and again, later each time, until it is done."""
    data = tmp_path / "data"
    done = False
    for attempt in range(20):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(PROGRAM), str(data), str(FILES)), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"begun\n"
        children = psutil.Process(process.pid).children
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3 + attempt * 0.4):
                done = await process.stdout.readline() == b"done\n"
        helpers = children() if process.returncode is None else []
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()
        # they notice the end of their pipes
        await asyncio.to_thread(psutil.wait_procs, helpers, 20)
        assert {status(helper) for helper in helpers} <= {psutil.STATUS_ZOMBIE}
        if done:
            break
    assert done
    database = await Database.open(data)
    library = Library(data, database)
    library.store = json.loads((data / "store.json").read_text())
    await library.open()
    assert await count(database, "SELECT count(*) FROM documents WHERE complete") == FILES
    assert await count(database, "SELECT count(*) FROM documents WHERE NOT complete") == 0
    total = await count(database, "SELECT count(*) FROM chunks")
    assert total == await count(database, "SELECT sum(chunk_count) FROM documents")
    await settled(library)
    assert await index_chunks(library) == total
    for number in (0, 17, FILES - 1):
        hits = await library.find(marker(number), max_results=50)
        assert {hit.filename for hit in hits} == {f"file{number}.txt"}
        assert len({(hit.file_id, hit.start) for hit in hits}) == len(hits)
    await library.close()
    await database.close()


async def test_a_killed_indexer_is_replaced(library: Library) -> None:
    await library.add("one.txt", "a storm")
    assert await library.found("storm") == ["one.txt"]
    (indexer,) = running("workers.indexer")
    indexer.kill()
    await library.add("two.txt", "another storm")
    found: list[str] = []
    while len(found) < 2:
        found = await library.found("storm")
    assert set(found) == {"one.txt", "two.txt"}


@pytest.mark.parametrize("damage", ["deleted", "meta", "segments", "name", "older format"])
async def test_a_damaged_index_is_made_anew(library: Library, damage: str) -> None:
    for number in range(5):
        await library.add(f"{number}.txt", f"storm number{number}")
    assert len(await library.find("storm")) == 5
    await library.close()
    index = library.data_dir / "word-index"
    match damage:
        case "deleted":
            shutil.rmtree(index)
        case "meta":
            (index / "meta.json").write_bytes(b"{]")
        case "segments":
            for path in index.glob("*.term"):
                path.unlink()
        case "name":
            (index / "name").unlink()
        case "older format":
            (index / "name").write_text("0-abc")
    await library.reopen()
    assert len(await library.find("storm")) == 5
    await library.add("new.txt", "a new storm")
    assert len(await library.find("storm")) == 6
    assert sorted(path.name for path in library.data_dir.glob("word-index*")) == ["word-index"]


async def test_an_index_replaced_by_another_engine(library: Library) -> None:
    await library.add("one.txt", "storm")
    assert await library.found("storm") == ["one.txt"]
    shutil.rmtree(library.data_dir / "word-index")
    other = Library(library.data_dir, library.database)
    other.store = library.store
    await other.open()
    assert await other.found("storm") == ["one.txt"]
    assert await library.found("storm") == ["one.txt"]
    await other.close()


async def test_deleted_documents_leave_the_index(library: Library) -> None:
    kept = [await library.add(f"kept{number}.txt", "storm") for number in range(3)]
    gone = [await library.add(f"gone{number}.txt", "storm") for number in range(3)]
    assert len(await library.find("storm")) == 6
    await library.close()
    async with library.database.write() as connection:
        for file_id in gone:
            await files.remove(connection, OWNER, file_id)  # from everywhere, and nobody tells
    assert await index_chunks(library) == 6
    await library.reopen()

    async def forgotten() -> bool:
        return await index_chunks(library) <= len(kept)

    await until("what was deleted has left the index", forgotten)
    assert {hit.file_id for hit in await library.find("storm")} == set(kept)


async def test_removed_documents_leave_the_index(library: Library) -> None:
    gone = await library.add("gone.txt", "storm")
    assert await library.found("storm") == ["gone.txt"]
    await library.detach(gone)

    async def empty() -> bool:
        return await index_chunks(library) == 0

    await until("the index is empty", empty)


async def test_something_in_the_place_of_the_index(library: Library) -> None:
    await library.find("anything")
    await library.close()
    index = library.data_dir / "word-index"
    shutil.rmtree(index)
    index.write_text("in the way")
    await library.reopen()
    await library.add("one.txt", "storm")
    assert await library.found("storm") == ["one.txt"]
    assert sorted(path.name for path in library.data_dir.glob("word-index*")) == ["word-index"]
