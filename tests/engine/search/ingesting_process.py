"""A process that is meant to be killed: it reads the files of a vector store until all are read.

    python ingesting_process.py DATA_DIR FILES

Prints `begun` when it works and `done` when it is done.
"""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from assistants_tui.engine.search.chunking import Chunking
from assistants_tui.engine.store import vector_store_files
from assistants_tui.engine.store.database import Database
from support.search import Library


async def main(data: Path, count: int) -> None:
    database = await Database.open(data)
    library = Library(data, database)
    known = data / "store.json"
    if known.exists():
        library.store = json.loads(known.read_text())
    await library.open()
    if not known.exists():
        for number in range(count):
            marker = "marker" + "abcdefghij"[number // 10] + "abcdefghij"[number % 10]
            words = f"{marker} stands in a line of its own, among others\n"
            await library.attach(f"file{number}.txt", words * (20 + 400 * (number % 10 == 0) * 10))
        known.write_text(json.dumps(library.store))
    print("begun", flush=True)
    async with database.read() as connection:
        waiting = await vector_store_files.waiting(connection)
    turn = asyncio.Semaphore(4)

    async def read(file_id: str) -> None:
        async with turn:
            await library.ingest(file_id, chunking=Chunking(100, 50))

    await asyncio.gather(*(read(row.file_id) for row in waiting))
    print("done", flush=True)
    await asyncio.sleep(3600)


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
