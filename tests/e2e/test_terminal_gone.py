"""The terminal goes away, or the system tells the app to end: it ends, and so does all it has started."""

import asyncio
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.threads import ThreadIndex
from support.app import use_model
from support.model_endpoint import ModelEndpoint, Reply, Request, calls, chunk, says
from support.terminal import COMMAND, Terminal

SECONDS = 40
"""Far more than it takes, for a busy machine: what is wrong lasts for ever."""
STUBBORN = """
import signal, time
from mcp.server import MCPServer

signal.signal(signal.SIGTERM, signal.SIG_IGN)
server = MCPServer("stubborn")

@server.tool()
def tide() -> str:
    return "low"

server.run()
while True:
    time.sleep(600)
"""


def unfinished(_: Request) -> Reply:
    """An answer that stops in the middle, and the connection stays."""
    return Reply([*(chunk({"content": f"word{number} "}) for number in range(5)), asyncio.Event()])


def close_window(terminal: Terminal) -> None:
    os.close(terminal.fd)
    terminal.fd = os.open(os.devnull, os.O_RDWR)  # which the end of the test closes


def told(number: signal.Signals) -> Callable[[Terminal], None]:
    return lambda terminal: os.kill(terminal.pid, number)


def exit_code(terminal: Terminal, family: Sequence[psutil.Process] = (), *, read: bool = True) -> int:
    """Wait for the end of the app and of all that it has started."""
    deadline = time.monotonic() + SECONDS
    pid = status = 0
    while not pid:
        assert time.monotonic() < deadline, "the app is still there"
        if not read or not terminal.read(0.05):
            time.sleep(0.05)
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
    terminal.exit_code = os.waitstatus_to_exitcode(status)
    _, alive = psutil.wait_procs(family, timeout=SECONDS)
    assert not alive
    return terminal.exit_code


@pytest.mark.parametrize(
    ("end", "code"),
    [(close_window, 129), (told(signal.SIGTERM), 143), (told(signal.SIGINT), 130)],
    ids=["window closed", "SIGTERM", "SIGINT"],
)
async def test_the_app_ends_in_the_middle_of_an_answer(end: Callable[[Terminal], None], code: int) -> None:
    def use() -> None:
        with Terminal(env=os.environ) as terminal:
            terminal.wait_for("is ready")
            terminal.send("Tell me a long story\r")
            terminal.wait_for("word4")
            terminal.send("A draft that stays")
            terminal.wait_for("A draft that stays")
            end(terminal)
            assert exit_code(terminal) == code
            assert b"Traceback" not in terminal.raw
        with Terminal(env=os.environ) as terminal:
            terminal.wait_for("A draft that stays")
            terminal.wait_for("word4")  # what was written of the answer is kept
            terminal.send("\x11")
            assert terminal.wait_for_exit() == 0

    async with ModelEndpoint() as model:
        model.otherwise = unfinished
        use_model(model.url)
        await asyncio.to_thread(use)


async def test_nothing_outlives_it(tmp_path: Path) -> None:
    """Neither a kernel in the middle of code, nor a server that does not want to end."""

    def runs_code(request: Request) -> Reply:
        name = request.body["tools"][0]["function"]["name"]
        return calls((name, json.dumps({"code": "print('it runs')\nimport time; time.sleep(600)"})))

    def use() -> None:
        with Terminal(env=os.environ, lines=50, columns=140) as terminal:
            terminal.wait_for("is ready")
            terminal.send("\x1b[20~")  # F9
            terminal.wait_for("tide")
            terminal.send("\x1b")
            terminal.wait_for("is ready")
            terminal.send("Run it\r")
            terminal.wait_for(lambda text: "it runs" in text or "Run this code" in text)
            family = terminal.family
            assert any(str(server) in process.cmdline() for process in family)
            close_window(terminal)
            assert exit_code(terminal, family) == 129

    server = tmp_path / "server.py"
    server.write_text(STUBBORN)
    async with ModelEndpoint() as model:
        model.otherwise = runs_code
        use_model(model.url)
        with user_paths().config_file.open("a") as config:
            command, argument = json.dumps(sys.executable), json.dumps(str(server))
            config.write(f"[mcp.sea]\ncommand = {command}\nargs = [{argument}]\n")
        await asyncio.to_thread(use)


async def test_ask_ends_in_the_middle_of_an_answer() -> None:
    def use() -> None:
        for end, code in ((close_window, 129), (told(signal.SIGINT), 130)):
            with Terminal(["ask", "Tell me a long story"], env=os.environ) as terminal:
                terminal.wait_for("word4")
                end(terminal)
                assert exit_code(terminal) == code
                assert b"Traceback" not in terminal.raw
        paths = user_paths()
        threads = ThreadIndex(paths.threads_file).list("local")
        assert len(threads) == 2
        model.replies.append(says("And so it ended."))  # no run is left that would keep it out
        with Terminal(["ask", "--thread", threads[0].id, "Go on"], env=os.environ) as terminal:
            terminal.wait_for("And so it ended.")
            assert terminal.wait_for_exit() == 0

    async with ModelEndpoint() as model:
        model.otherwise = unfinished
        use_model(model.url)
        await asyncio.to_thread(use)


def test_serve_ends_with_its_window_unless_it_is_told_to_stay(tmp_path: Path) -> None:
    arguments = ["serve", "--port", "0", "--data-dir", str(tmp_path)]
    with Terminal(arguments, env=os.environ) as terminal:
        terminal.wait_for("Ctrl-C stops it")
        close_window(terminal)
        assert exit_code(terminal) == 129
    script = f"trap '' HUP; exec {shlex.join([str(COMMAND), *arguments])}"  # what nohup does
    with Terminal(["-c", script], command=Path("/bin/sh"), env=os.environ) as terminal:
        terminal.wait_for("Ctrl-C stops it")
        close_window(terminal)
        os.kill(terminal.pid, signal.SIGTERM)
        assert exit_code(terminal) == -signal.SIGTERM  # it was this that has ended it


def test_a_terminal_that_does_not_read_keeps_nobody_from_ending() -> None:
    with Terminal(env=os.environ, columns=200, lines=60) as terminal:
        terminal.wait_for("is ready")
        for _ in range(40):
            terminal.send("\x1bOQ\x1bOS")  # F2 and F4: much to paint, and nobody reads it
        os.kill(terminal.pid, signal.SIGTERM)
        assert exit_code(terminal, read=False) == 143


def test_an_app_that_was_stopped_ends_with_its_window() -> None:
    with Terminal(env=os.environ) as terminal:
        terminal.wait_for("is ready")
        os.kill(terminal.pid, signal.SIGTSTP)
        pid = 0
        while not pid:
            terminal.watch(0.02)
            pid, _ = os.waitpid(terminal.pid, os.WUNTRACED | os.WNOHANG)
        close_window(terminal)
        os.kill(terminal.pid, signal.SIGCONT)  # as the system does to whoever is stopped then
        assert exit_code(terminal) == 129


def test_an_app_that_has_lent_its_terminal_ends_with_its_window(tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\ntrap '' HUP\necho the editor\nwhile :; do sleep 1; done\n")
    editor.chmod(0o700)
    with Terminal(env={**os.environ, "VISUAL": str(editor)}) as terminal:
        terminal.wait_for("is ready")
        terminal.send("\x05")
        terminal.wait_for("the editor")
        family = terminal.family
        close_window(terminal)
        assert exit_code(terminal, family) == 129
