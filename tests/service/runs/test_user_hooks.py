"""The user's own hooks, on the real engine: told in order, and never in the way."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistants_tui.service.drafts import Draft
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.config import LOCAL, Config, RunSettings
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState

RECORDING = """
import json, pathlib

def note(*things):
    with pathlib.Path({log!r}).open("a") as file:
        print(json.dumps(things), file=file)

def on_tokens_validated(ok, balance, required): note("validated", ok, balance, required)
def on_tokens_consumed(usage): note("consumed", usage["total_tokens"])
def on_exception(error): note("exception", error)
def on_run_cancel(run): note("cancelled", run["id"])
"""


async def told(paths: Paths, source: str, runs: RunSettings, *, cancel: bool = False) -> Workspace:
    """Ask a question with these hooks, to the end of everything. Returns the closed workspace."""
    file = paths.config_file.parent / "hooks.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)
    workspace = Workspace(replace(LOCAL, runs=runs), paths=paths, config=Config(hooks=file), state=AppState())
    await workspace.session.connect()
    workspace.messages.send(Draft("Tell me what you can do"))
    if cancel:
        while workspace.conversations.shown.active_run is None:
            changed = asyncio.Event()
            forget = workspace.conversations.shown.subscribe(changed.set)
            await changed.wait()
            forget()
        await workspace.conversations.shown.cancel()
    await workspace.conversations.shown.settled()
    await workspace.close()
    return workspace


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def noted(log: Path) -> list[Any]:
    return [json.loads(line) for line in log.read_text().splitlines()]


async def test_a_run_is_validated_before_and_consumed_after(paths: Paths, log: Path) -> None:
    runs = RunSettings(token_balance=1000, min_tokens_per_request=10)
    workspace = await told(paths, RECORDING.format(log=str(log)), runs)
    used = workspace.conversations.shown.run_pages.usage.tokens
    assert noted(log) == [["validated", True, 1000, 10], ["consumed", used]]


async def test_a_spent_balance_and_a_cancelled_run_are_told(paths: Paths, log: Path) -> None:
    await told(paths, RECORDING.format(log=str(log)), RunSettings(token_balance=5, min_tokens_per_request=10))
    assert noted(log) == [["validated", False, 5, 10]]
    log.unlink()
    workspace = await told(paths, RECORDING.format(log=str(log)), RunSettings(), cancel=True)
    (run_id,) = workspace.conversations.shown.runs
    assert ["cancelled", run_id] in noted(log)


async def test_a_failed_request_is_told_and_survived(paths: Paths, log: Path) -> None:
    file = paths.config_file.parent / "hooks.py"
    file.parent.mkdir(parents=True)
    file.write_text(RECORDING.format(log=str(log)))
    workspace = Workspace(LOCAL, paths=paths, config=Config(hooks=file), state=AppState())
    await workspace.session.connect()
    await workspace.conversations.open("thread_gone")
    error = workspace.conversations.shown.error
    assert error is not None
    workspace.conversations.new()
    workspace.messages.send(Draft("2 + 3"))
    await workspace.conversations.shown.settled()
    state = workspace.conversations.shown.latest_run
    assert state is not None
    assert state.status == "completed"
    await workspace.close()
    assert ["exception", str(error)] in noted(log)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "def on_tokens_consumed(usage): raise ValueError('mine')",
            "on_tokens_consumed raised ValueError: mine",
        ),
        ("def on_tokens_consumed(): pass", "on_tokens_consumed raised TypeError"),
        ("import sys; sys.exit(3)", "cannot be read: SystemExit: 3"),
        ("this is no Python", "cannot be read: SyntaxError"),
    ],
)
async def test_mistakes_in_hooks_are_told_and_break_nothing(paths: Paths, source: str, said: str) -> None:
    workspace = await told(paths, source, RunSettings())
    state = workspace.conversations.shown.latest_run
    assert state is not None
    assert state.status == "completed"
    assert any(said in problem for problem in workspace.problems.take())


def test_the_file_is_named_in_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('hooks = "mine/hooks.py"\n')
    assert load_config(path).config.hooks == tmp_path / "mine" / "hooks.py"
    path.write_text('hooks = "hooks.sh"\n')
    loaded = load_config(path)
    assert loaded.config.hooks is None
    assert "Python file" in str(loaded.problems[0])
