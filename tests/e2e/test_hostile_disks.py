"""Full disks, homes that cannot be written, links that lie in wait, and who may read what is written."""

import asyncio
import io
import logging
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assistants_tui.cli import main
from assistants_tui.cli.log import log_to_file
from assistants_tui.settings.config_template import create_config
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.state import AppState, update_state
from assistants_tui.settings.threads import ThreadIndex, ThreadReference
from support.terminal import COMMAND, Terminal


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


async def test_what_is_written_is_the_users_alone(
    empty_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the system would let everybody read: with a umask that takes nothing away."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setattr("assistants_tui.cli.ask.log_to_file", lambda _: None)
    with umask(0):
        create_config(user_paths().config_file)
        update_state(user_paths().state_file, lambda state: AppState(theme="ink"))
        assert await asyncio.to_thread(main, ["ask", "Hello"]) == 0
        assert os.umask(0) == 0  # that of editors, functions and MCP servers, which is the user's own
    written = [path for path in empty_machine.rglob("*") if not path.is_symlink()]
    assert len(written) > 12
    open_to_others = [
        f"{path.relative_to(empty_machine)} {stat.filemode(path.stat().st_mode)}"
        for path in written
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and not path.is_socket()
    ]
    assert open_to_others == []


@pytest.mark.parametrize("trap", ["{}", ".{}.tmp", ".{}.lock", "previous"])
def test_links_that_lie_in_wait_change_nothing_elsewhere(tmp_path: Path, trap: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    paths = user_paths()
    thread = ThreadReference("local", "thread_1", "Title")
    for file in (paths.threads_file, paths.state_file, paths.config_file):
        file.parent.mkdir(parents=True, exist_ok=True)
        name = f"{file.stem}.previous.toml" if trap == "previous" else trap.format(file.name)
        file.with_name(name).symlink_to(victim)
    for write in (
        lambda: ThreadIndex(paths.threads_file).add(thread),
        lambda: update_state(paths.state_file, lambda state: AppState(theme="ink")),
        lambda: create_config(paths.config_file),
    ):
        try:
            write()
        except SettingsError as error:
            assert "symbolic link" in str(error) or "cannot be written" in str(error)
    assert victim.read_text() == "precious"


def test_a_log_that_is_a_link_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim, log = tmp_path / "victim", tmp_path / "own.log"
    victim.write_text("precious")
    log.symlink_to(victim)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers[:])
    log_to_file(log)
    logging.getLogger("any").error("secret words")
    assert victim.read_text() == "precious"


HISTORY = '[[threads]]\nprofile = "local"\nid = "thread_1"\ntitle = "My old thread"\n'


def test_a_full_disk_costs_nothing_that_was_there() -> None:
    """The system lets no file grow beyond forty blocks, as on a disk that gets full."""
    paths = user_paths()
    paths.threads_file.parent.mkdir(parents=True)
    paths.threads_file.write_text(HISTORY)
    paths.config_file.parent.mkdir(parents=True)
    paths.config_file.write_text("# mine\n")
    limited = ["-c", f"ulimit -f 40; exec {COMMAND}"]
    # Python would leave halves of the files that it caches for the next start of everything
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with Terminal(limited, command=Path("/bin/sh"), env=env, columns=140) as terminal:
        terminal.wait_for("My old thread")
        terminal.wait_for(lambda text: "cannot" in text or "full" in text or "large" in text, seconds=60)
        terminal.send("typed")
        terminal.wait_for("typed")
        terminal.send("\x11")
        assert terminal.wait_for_exit() == 0
    assert paths.threads_file.read_text() == HISTORY
    assert paths.config_file.read_text() == "# mine\n"


def test_a_home_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("no directory")
    with Terminal(env={**os.environ, "HOME": str(home)}, columns=140) as terminal:
        terminal.wait_for("cannot be", seconds=60)
        terminal.send("typed")
        terminal.wait_for("typed")
        terminal.send("\x11")
        assert terminal.wait_for_exit() == 0
    assert home.read_text() == "no directory"
