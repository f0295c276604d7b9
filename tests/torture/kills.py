"""Kills the app, its engine or both at random moments, and checks that nothing which had been seen is gone.

    python tests/torture/kills.py [--count 1000] [--seed 1] [--installed] [--keep]

Each life of the app does some of what users do: it asks, begins threads, renames them, attaches files to be
read by code or to be searched. What the screen has confirmed is noted. Then something is killed with SIGKILL,
and afterwards everything noted must be on the disk, no file damaged, no run stuck, and no process left over.
A life depends on its seed alone, which a failure names: `--count 1 --seed N` repeats it. `--installed` starts
the installed command each time rather than a copy of this process, which has imported it already.
"""

import argparse
import contextlib
import os
import random
import shutil
import socket
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.threads import ThreadIndex, ThreadReference
from support.engine_process import EngineProcess
from support.terminal import Terminal
from torture.world import World, world

_BETA = {"OpenAI-Beta": "assistants=v2"}
_ACTIVE = ("queued", "in_progress", "requires_action", "cancelling")
_SETTLING_SECONDS = 30.0


@dataclass
class Promise:
    """What the screen has confirmed of one thread."""

    thread_id: str
    title: str
    next_title: str | None = None
    """A title that was asked for when the kill came: either is right."""
    questions: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


class Machine:
    """A home with two profiles: `local`, whose engine lives in the app, and `team`, which is served."""

    def __init__(self, home: Path, outside: World) -> None:
        self.home = home
        self._world = outside
        self.team_dir = home / "team"
        # Bound and never listening, it keeps the port of an engine that is killed from everybody else.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self.restart_team()
        self.config = home / ".config/assistants-tui/config.toml"
        self.data = home / ".local/share/assistants-tui"
        self.state = home / ".local/state/assistants-tui/state.toml"
        self.config.parent.mkdir(parents=True)
        self.config.write_text(
            f'[profiles.local]\nkind = "embedded"\nmodel_url = "{outside.model_url}"\n'
            'default_model = "served"\n'
            f'[profiles.team]\nkind = "openai"\nbase_url = "{self.team.url}/v1"\n'
            "[runs]\npoll_interval = 0.2\n"
        )
        for name, tool in (("HR Helper", "file_search"), ("Math Tutor", "code_interpreter")):
            body = {"model": "served", "name": name, "tools": [{"type": tool}]}
            with self.api("team") as http:
                assert http.post("/assistants", json=body).status_code == 200

    @property
    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        return kept | {
            "HOME": str(self.home),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.team.kill()
        self._reserved.close()

    def restart_team(self) -> None:
        self.team = self._world.engine(self.team_dir, port=self._reserved.getsockname()[1])

    @contextlib.contextmanager
    def api(self, profile: str) -> Iterator[httpx2.Client]:
        """The engine of a profile. That of `local` is opened on the data that the app has left."""
        engine: EngineProcess | None = None
        if profile == "local":
            engine = self._world.engine(self.data / "engines/local")
        url = (engine or self.team).url
        try:
            with httpx2.Client(base_url=f"{url}/v1", headers=_BETA, timeout=60) as http:
                yield http
        finally:
            if engine is not None:
                engine.kill()


class Life:
    """One start of the app up to the kill. All choices come from `chance`."""

    def __init__(self, machine: Machine, profile: str, chance: random.Random, number: int) -> None:
        self._machine = machine
        self._chance = chance
        self._number = number * 100
        self._index = ThreadIndex(machine.data / "threads.toml")
        self.profile = profile
        self.searches = chance.random() < 0.5
        """Whether the assistant searches its files; else it reads them with code."""
        self.promises: dict[str, Promise] = {}
        self._thread: Promise | None = None

    @property
    def arguments(self) -> list[str]:
        """The command line of this life."""
        assistant = "HR Helper" if self.searches else "Math Tutor"
        return ["--profile", self.profile, "--assistant", assistant]

    def run(self, terminal: Terminal, acts: int) -> None:
        """Do so many things, each up to its confirmation."""
        life_name = self.arguments[-1]
        terminal.wait_for(lambda text: life_name in text.splitlines()[0], seconds=60)
        self._new(terminal)
        for _ in range(acts):
            self._chance.choice([self._ask, self._new, self._rename, self._attach, self._attach])(terminal)

    def begin_something(self, terminal: Terminal) -> None:
        """Do one more thing and do not wait for it."""
        act = self._chance.choice(["ask", "new", "rename", "attach"])
        number = self._next()
        if act == "new":
            terminal.send("\x0e")  # Ctrl+N
        if act == "attach":
            terminal.send(f"/attach {self._file()[0]}\r")
        if act == "rename" and self._thread is not None:
            self._thread.next_title = f"title {number}"
        terminal.send(f"/rename title {number}\r" if act == "rename" else f"note {number}\r")

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _ask(self, terminal: Terminal, file: tuple[Path, bytes] | None = None) -> None:
        number = self._next()
        terminal.send(f"note {number}\r")
        terminal.wait_for(f"Echo {number}.", seconds=60)
        promise = self._thread
        if promise is None:
            found = [one for one in self._index.list(self.profile) if one.title == f"note {number}"]
            assert found, f"the thread of “note {number}” is on the screen and not in threads.toml"
            promise = self._thread = Promise(found[0].id, found[0].title)
            self.promises[promise.thread_id] = promise
        promise.questions.append(f"note {number}")
        if file is not None:
            promise.files[file[0].name] = file[1]
        if self._chance.random() < 0.7:
            # what streams in may be half a second ahead of the disk; its end is confirmed in the headline
            end = f"End {number}."
            terminal.wait_for(lambda text: end in text and "✓" in text.splitlines()[0], seconds=60)
            promise.answers.append(end)

    def _new(self, terminal: Terminal) -> None:
        terminal.send("\x0e")  # Ctrl+N
        self._thread = None
        self._ask(terminal)

    def _rename(self, terminal: Terminal) -> None:
        title = f"title {self._next()}"
        terminal.send(f"/rename {title}\r")
        terminal.wait_for(title)  # once typed, then in the list and the headline
        terminal.wait_for(lambda text: title in text.splitlines()[0], seconds=60)
        assert self._thread is not None
        self._thread.title = title

    def _attach(self, terminal: Terminal) -> None:
        file = self._file()
        terminal.send(f"/attach {file[0]}\r")
        terminal.wait_for(f"⎘ {file[0].name}")
        self._ask(terminal, file)

    def _file(self) -> tuple[Path, bytes]:
        path = self._machine.home / f"file{self._next()}.{'md' if self.searches else 'csv'}"
        data = f"a,b\n1,{self._number}\n".encode() * self._chance.choice([1, 500])
        path.write_bytes(data)
        return path, data


def live_and_die(machine: Machine, number: int, seed: int, *, installed: bool) -> tuple[str, Life]:
    """One life. Returns what was killed, and what the life had been promised."""
    chance = random.Random(seed)
    profile = chance.choice(["local", "team"])
    victim = "app" if profile == "local" else chance.choice(["app", "engine", "both"])
    life = Life(machine, profile, chance, number)
    early = chance.random() < 0.15
    with Terminal(
        life.arguments,
        env=machine.env,
        columns=140,
        lines=40,
        program=None if installed else lambda: main_of_app(life.arguments),
    ) as terminal:
        if early:
            terminal.watch(chance.random() * 1.5)
            victim = "app"
        else:
            life.run(terminal, chance.randrange(3))
            life.begin_something(terminal)
            terminal.watch(chance.random() * 0.5)
        family = terminal.family
        if victim in ("engine", "both"):
            machine.team.kill()
        if victim in ("app", "both"):
            terminal.kill()
        if victim in ("engine", "both"):
            terminal_alive = victim == "engine"
            if terminal_alive:
                terminal.watch(chance.random() * 0.5)
            machine.restart_team()
        if victim == "engine":
            _goes_on(terminal, life)
            terminal.kill()
    _, alive = psutil.wait_procs(family, timeout=_SETTLING_SECONDS)
    assert not alive, f"these live on: {alive}"
    return f"{profile} {victim}{' at start' if early else ''}", life


def main_of_app(arguments: list[str]) -> int:
    from assistants_tui.cli import main

    return main(arguments)


def _goes_on(terminal: Terminal, life: Life) -> None:
    """The app finds its engine again and can be used."""
    terminal.send("\x0e")  # Ctrl+N
    number = life._next()
    terminal.send(f"note {number}\r")
    terminal.wait_for(f"Echo {number}.", seconds=60)


def check(machine: Machine, profile: str, promises: dict[str, Promise]) -> None:
    """Everything promised is there, whole and at rest."""
    loaded = load_config(machine.config)
    assert not loaded.problems, loaded.problems
    if machine.state.exists():
        tomllib.loads(machine.state.read_text())
    index = ThreadIndex(machine.data / "threads.toml")
    references = {reference.id: reference for reference in index.list(profile)}
    assert not index.problems, index.problems
    damaged = [path.name for path in machine.data.glob("*damaged*")]
    assert not damaged, damaged
    if not (promises or references):
        return
    with machine.api(profile) as http:
        for promise in promises.values():
            _check_thread(http, promise, references.get(promise.thread_id))


def _check_thread(http: httpx2.Client, promise: Promise, reference: ThreadReference | None) -> None:
    assert reference is not None, f"{promise} is not in threads.toml"
    assert reference.title in (promise.title, promise.next_title), (reference, promise)
    promise.title, promise.next_title = reference.title, None
    path = f"/threads/{promise.thread_id}"
    _until_at_rest(http, path)
    messages = _listed(http, f"{path}/messages")
    texts = ["".join(part["text"]["value"] for part in message["content"]) for message in messages]
    for question in promise.questions:
        assert texts.count(question) == 1, (question, texts)
    for answer in promise.answers:
        assert sum(answer in text for text in texts) == 1, (answer, texts)
    files = {attachment["file_id"] for message in messages for attachment in message.get("attachments") or ()}
    kept = {
        http.get(f"/files/{file}").json()["filename"]: http.get(f"/files/{file}/content").content
        for file in files
    }
    for name, data in promise.files.items():
        assert kept.get(name) == data, (name, sorted(kept))


def _until_at_rest(http: httpx2.Client, path: str) -> None:
    """Wait until nothing of the thread is in progress, which must not take long."""
    deadline = time.monotonic() + _SETTLING_SECONDS
    while True:
        runs, messages = _listed(http, f"{path}/runs"), _listed(http, f"{path}/messages")
        resources = http.get(path).json()["tool_resources"] or {}
        stores = [
            http.get(f"/vector_stores/{store}").json()["status"]
            for store in (resources.get("file_search") or {}).get("vector_store_ids", [])
        ]
        busy = [run["id"] for run in runs if run["status"] in _ACTIVE]
        busy += [message["id"] for message in messages if message["status"] == "in_progress"]
        busy += [status for status in stores if status == "in_progress"]
        if not busy:
            return
        assert time.monotonic() < deadline, f"stuck: {busy}"
        time.sleep(0.05)


def _listed(http: httpx2.Client, path: str) -> list[Any]:
    response = http.get(path, params={"order": "asc", "limit": 100})
    assert response.status_code == 200, (path, response.text)
    found: list[Any] = response.json()["data"]
    return found


def torture(count: int, seed: int, *, installed: bool, home: Path, say: bool = False) -> Counter[str]:
    """So many lives, one after the other on one machine. Returns what was killed how often.

    Raises `AssertionError` with the seed of the life after which something was missing.
    """
    kills: Counter[str] = Counter()
    promised: dict[str, dict[str, Promise]] = {"local": {}, "team": {}}
    with world() as outside:
        machine = Machine(home, outside)
        try:
            for number in range(seed, seed + count):
                try:
                    what, life = live_and_die(machine, number, number, installed=installed)
                    check(machine, life.profile, life.promises)
                except AssertionError as error:
                    raise AssertionError(f"seed {number}: {error}") from error
                promised[life.profile] |= life.promises
                kills[what] += 1
                if say:
                    print(f"\r{sum(kills.values())} {dict(kills)}", end="", flush=True)
            for profile, promises in promised.items():
                check(machine, profile, promises)
        finally:
            machine.close()
    return kills


def _import_all() -> None:
    """What the app imports while it starts, so that its copies need not."""
    import assistants_tui.cli.log
    import assistants_tui.service.client.embedded
    import assistants_tui.service.client.files
    import assistants_tui.service.client.profile_client
    import assistants_tui.service.client.runs
    import assistants_tui.service.client.vector_stores
    import assistants_tui.service.workspace
    import assistants_tui.tui.app
    import assistants_tui.tui.screens.chat.screen  # noqa: F401


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--installed", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the home directory for a look")
    options = parser.parse_args()
    if not options.installed:
        _import_all()
    home = Path(tempfile.mkdtemp(prefix="kills-"))
    try:
        kills = torture(options.count, options.seed, installed=options.installed, home=home, say=True)
    finally:
        if options.keep:
            print(f"\nthe home directory: {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)
    print(f"\n{sum(kills.values())} kills, nothing lost: {dict(kills)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
