"""Processes that hold keys: a crash leaves no copy of their memory, and other programs cannot read it."""

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assistants_tui.process_memory import NO_CORE_DUMP
from assistants_tui.settings.paths import user_paths
from support.terminal import COMMAND, Terminal

ALLOWED = ["-c", 'ulimit -c unlimited && exec "$@"', "sh"]
"""Arguments of a shell that starts a program as one whose cores are dumped."""


def crash(pid: int) -> bool:
    """End a process as a fault in it would. Returns whether its memory was written to disk."""
    os.kill(pid, signal.SIGSEGV)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGSEGV
    return os.WCOREDUMP(status)


@contextmanager
def started(folder: Path, *command: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        ["/bin/sh", *ALLOWED, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    ) as process:
        yield process
        process.returncode = -signal.SIGSEGV  # waited for by `crash`


@pytest.fixture(autouse=True)
def _cores_are_dumped_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where they go by default
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        pytest.skip("no program that is started here may dump its core")
    with started(tmp_path, sys.executable, "-c", "print(1, flush=True); input()") as process:
        assert process.stdout is not None
        process.stdout.readline()
        if not crash(process.pid):
            pytest.skip("this system dumps no cores")


def test_serve_leaves_no_core(tmp_path: Path) -> None:
    with started(tmp_path, str(COMMAND), "serve", "--port", "0", "--data-dir", str(tmp_path / "d")) as server:
        assert server.stdout is not None
        assert "http" in server.stdout.readline()
        assert not crash(server.pid)


def test_ask_leaves_no_core(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = user_paths().config_file
        config.parent.mkdir(parents=True)
        config.write_text(
            'default_profile = "silent"\n[profiles.silent]\nkind = "openai"\n'
            f'base_url = "http://127.0.0.1:{silent.getsockname()[1]}/v1"\n'
        )
        silent.settimeout(60)
        with started(tmp_path, str(COMMAND), "ask", "Are you there?") as asking:
            assert asking.stdin is not None
            asking.stdin.close()
            connection, _ = silent.accept()
            with connection:
                assert not crash(asking.pid)


def test_the_app_leaves_no_core() -> None:
    with Terminal([*ALLOWED, str(COMMAND)], command=Path("/bin/sh"), env=os.environ) as terminal:
        terminal.wait_for("is ready")
        dumped = crash(terminal.pid)
        terminal.exit_code = -signal.SIGSEGV
        assert not dumped


def test_what_it_starts_leaves_no_core_either(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys; from assistants_tui.cli import main; main(['completion', 'fish']);"
        "child = subprocess.Popen([sys.executable, '-c', 'import os; os.abort()']); import os;"
        "print(os.WCOREDUMP(os.waitpid(child.pid, 0)[1]))"
    )
    with started(tmp_path, sys.executable, "-c", program) as process:
        assert process.stdout is not None
        assert process.stdout.read().splitlines()[-1] == "False"
        process.wait()


def test_a_limit_that_was_lower_stays() -> None:
    program = (
        "from resource import RLIMIT_CORE as core, getrlimit, setrlimit; setrlimit(core, ({0}, {0}));"
        "from assistants_tui.process_memory import disable_core_dumps; disable_core_dumps();"
        "print(getrlimit(core))"
    )
    for before, after in ((0, 0), (4096, NO_CORE_DUMP)):
        told = subprocess.run(
            [sys.executable, "-c", program.format(before)], capture_output=True, text=True, check=True
        )
        assert told.stdout == f"({after}, {after})\n"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is for Linux")
def test_other_programs_cannot_read_the_memory_of_a_command() -> None:
    program = (
        "import ctypes; from assistants_tui.cli import main; prctl = ctypes.CDLL(None).prctl;"
        "before = prctl(3, 0, 0, 0, 0); main(['completion', 'fish']); print(before, prctl(3, 0, 0, 0, 0))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "1 0"
