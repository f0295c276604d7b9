"""The installed command in a pseudo-terminal, as benchmarks drive it: key to paint, CPU, memory."""

import asyncio
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from support.model_endpoint import DONE, ModelEndpoint, Reply, chunk, usage
from support.terminal import Terminal

READY = "is ready."
"""Painted once the profile is connected."""
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_megabytes(pid: int) -> float:
    """Memory of a process that is in RAM now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


@contextmanager
def machine() -> Iterator[dict[str, str]]:
    """An empty home directory and the environment of a terminal."""
    home = tempfile.mkdtemp(prefix="bench-")
    try:
        yield {
            "HOME": home,
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
        }
    finally:
        shutil.rmtree(home, ignore_errors=True)


def data_folder(env: dict[str, str]) -> Path:
    """Where the app keeps the thread history and the engine's data on such a machine."""
    folder = Path(env["HOME"]) / ".local/share/assistants-tui"
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    return folder


def use_endpoint(env: dict[str, str], url: str) -> None:
    """Let the default profile ask a model endpoint."""
    folder = Path(env["HOME"]) / ".config/assistants-tui"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        f'[profiles.local]\nkind = "embedded"\nmodel_url = "{url}"\ndefault_model = "served"\n'
    )


def until_painted(terminal: Terminal, marker: str, *, seconds: float = 30, since: int | None = None) -> float:
    """Read until the terminal has been sent `marker`; the wall time from now.

    Only what comes from now on counts, or what came after the first `since` bytes. The marker has to be drawn
    in one go: the app repaints changed cells only, so take a text that was not on the screen before.
    """
    begin = time.perf_counter()
    wanted = marker.encode()
    looked = len(terminal.raw) if since is None else since
    while wanted not in terminal.raw[looked:]:
        looked = max(looked, len(terminal.raw) - len(wanted))
        if not terminal.read(begin + seconds - time.perf_counter()):
            raise TimeoutError(f"{marker!r} was not painted")
    return time.perf_counter() - begin


def press(terminal: Terminal, keys: str, marker: str) -> float:
    """Seconds from a key to the paint of `marker`."""
    begin, since = time.perf_counter(), len(terminal.raw)
    terminal.send(keys)
    until_painted(terminal, marker, since=since)
    return time.perf_counter() - begin


class Endpoint:
    """A model endpoint in a thread of its own, so that reading the terminal does not hold it up."""

    def __init__(self, reply: Callable[[], Reply]) -> None:
        self._reply = reply
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self.url = ""
        threading.Thread(target=self._run, daemon=True).start()
        self._ready.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        async with ModelEndpoint() as endpoint:
            endpoint.otherwise = lambda _: self._reply()
            self.url = endpoint.url
            self._ready.set()
            await asyncio.Event().wait()


def spoken(pieces: list[str], *, pace: float = 0.0, at_once: int = 1) -> Reply:
    """An answer in pieces: as fast as it is read, or with a pause after every `at_once` of them."""

    def body() -> Iterator[dict[str, object] | bytes | asyncio.Event]:
        yield chunk({"role": "assistant", "content": ""})
        for number, piece in enumerate(pieces):
            if pace and number % at_once == 0:
                tick = asyncio.Event()
                asyncio.get_running_loop().call_later(pace, tick.set)
                yield tick
            yield chunk({"content": piece})
        yield chunk(finish_reason="stop")
        yield usage(10, len(pieces))
        yield DONE

    return Reply(body())


@contextmanager
def app_on(url: str) -> Iterator[Terminal]:
    """The app, connected, on a model endpoint."""
    with machine() as env:
        use_endpoint(env, url)
        with Terminal(env=env, columns=120, lines=40) as terminal:
            until_painted(terminal, READY, since=0)
            yield terminal
