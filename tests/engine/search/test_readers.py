"""Reading in worker processes: what they may use, and what happens to those that use more."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from assistants_tui.engine.search.chunking import Chunk, Chunking
from assistants_tui.engine.search.errors import IngestError
from assistants_tui.engine.search.workers.readers import ReaderLimits, Readers
from support import documents
from support.patience import until
from support.processes import running

ENDLESS = b"<p>a" * 4_000_000  # half a minute of work


def workers() -> list[psutil.Process]:
    return running("engine.search.workers.reader")


@pytest.fixture
async def readers() -> AsyncIterator[Readers]:
    readers = Readers(ReaderLimits(memory=200 << 20, processor_seconds=5))
    yield readers
    await readers.close()
    assert workers() == []


async def read(readers: Readers, path: Path, data: bytes, filename: str = "") -> list[Chunk]:
    path.write_bytes(data)
    batches = readers.read(path, filename or path.name, Chunking())
    return [chunk async for batch in batches for chunk in batch.chunks]


async def test_documents_come_back_in_chunks(readers: Readers, tmp_path: Path) -> None:
    assert workers() == []  # none before there is work
    (chunk,) = await read(readers, tmp_path / "opaque", documents.pdf([["page one"], ["two"]]), "a.pdf")
    assert chunk.text.split() == ["page", "one", "two"]
    assert chunk.page == 1
    text = "".join(f"line {number}\n" for number in range(200_000))
    found = await read(readers, tmp_path / "long.txt", text.encode())
    assert len(found) > 1000
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in found)


async def test_the_same_process_reads_the_next_file(readers: Readers, tmp_path: Path) -> None:
    await read(readers, tmp_path / "a.txt", b"one")
    (worker,) = workers()
    with pytest.raises(IngestError, match="binary"):
        await read(readers, tmp_path / "b.txt", bytes(range(256)))
    await read(readers, tmp_path / "c.txt", b"three")
    assert workers() == [worker]


async def test_refused_without_a_process(readers: Readers, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="code interpreter") as caught:
        await read(readers, tmp_path / "table.csv", b"a,b")
    assert caught.value.code == "unsupported_file"
    assert workers() == []


async def test_a_missing_file(readers: Readers, tmp_path: Path) -> None:
    with pytest.raises(IngestError) as caught:
        _ = [batch async for batch in readers.read(tmp_path / "gone.txt", "gone.txt", Chunking())]
    assert caught.value.code == "server_error"


async def test_memory_is_limited(readers: Readers, tmp_path: Path) -> None:
    await read(readers, tmp_path / "a.txt", b"one")
    before = workers()
    with pytest.raises(IngestError, match="memory") as caught:
        await read(readers, tmp_path / "large.txt", b"x\n" * (30 << 20))
    assert caught.value.code == "server_error"
    assert workers() == []
    assert await read(readers, tmp_path / "a.txt", b"one")
    assert workers() != before


async def test_time_on_the_processor_is_limited(tmp_path: Path) -> None:
    readers = Readers(ReaderLimits(processor_seconds=1))
    with pytest.raises(IngestError, match="too long") as caught:
        await read(readers, tmp_path / "endless.html", ENDLESS)
    assert caught.value.code == "server_error"
    assert workers() == []
    await readers.close()


async def test_time_on_the_clock_is_limited(tmp_path: Path) -> None:
    readers = Readers(ReaderLimits(seconds=0.5))
    await read(readers, tmp_path / "a.txt", b"one")
    (worker,) = workers()
    worker.suspend()
    with pytest.raises(IngestError, match="too long"):
        await read(readers, tmp_path / "b.txt", b"two")
    assert workers() == []
    await readers.close()


async def test_an_innocent_victim_is_read_again(readers: Readers, tmp_path: Path) -> None:
    """Linux ends the largest process when memory is short, whatever it is doing."""
    await read(readers, tmp_path / "a.txt", b"one")
    (worker,) = workers()
    worker.suspend()
    reading = asyncio.create_task(read(readers, tmp_path / "b.txt", b"two"))
    await asyncio.sleep(0)
    worker.send_signal(signal.SIGKILL)
    assert [chunk.text for chunk in await reading] == ["two"]


async def test_cancelled_reading_leaves_no_process_behind(readers: Readers, tmp_path: Path) -> None:
    await read(readers, tmp_path / "a.txt", b"one")
    (worker,) = workers()
    before = worker.cpu_times().user
    reading = asyncio.create_task(read(readers, tmp_path / "endless.html", ENDLESS))
    await until("it is being read", lambda: worker.cpu_times().user >= before + 0.2)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert workers() == []


async def test_idle_processes_end(tmp_path: Path) -> None:
    readers = Readers(ReaderLimits(idle_seconds=0.05))
    await read(readers, tmp_path / "a.txt", b"one")
    (worker,) = workers()
    await asyncio.to_thread(worker.wait, 10)
    await readers.close()


async def test_as_many_processes_as_allowed(tmp_path: Path) -> None:
    readers = Readers(ReaderLimits(processes=2))
    paths = [tmp_path / f"{number}.txt" for number in range(20)]
    found = await asyncio.gather(*(read(readers, path, path.name.encode()) for path in paths))
    assert [chunk.text for (chunk,) in found] == [path.name for path in paths]
    assert len(workers()) == 2
    await readers.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel holds processes to it on Linux only")
async def test_a_reader_can_open_neither_connections_nor_files(tmp_path: Path) -> None:
    """What hostile code in a reader would try, run in the place where it would run."""
    (tmp_path / "secret").write_text("secret")
    attempt = f"""
from assistants_tui.engine.search.workers import confinement
import ctypes, os
confinement.limit(1 << 30)
print(confinement.isolate())
libc = ctypes.CDLL(None, use_errno=True)
print(libc.socket(2, 1, 0), libc.socket(10, 2, 0))
try:
    os.open({str(tmp_path / "secret")!r}, os.O_RDONLY)
except PermissionError:
    print("refused")
try:
    os.open({str(tmp_path / "new")!r}, os.O_CREAT | os.O_WRONLY)
except PermissionError:
    print("refused")
print(os.system("true") != 0)
import socket
try:
    socket.create_connection(("127.0.0.1", 1))
except PermissionError:
    print("refused")
"""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", attempt), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    isolated, sockets, *rest = out.decode().splitlines()
    if isolated == "False":
        pytest.skip("this kernel is older than Linux 6.2")
    assert sockets == "-1 -1"
    assert rest == ["refused", "refused", "True", "refused"]
