"""What is kept is written in order, and a failure costs only itself."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

from assistants_tui.service.state_keeper import StateKeeper
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.state import load_state


async def test_changes_are_on_the_disk_once_it_has_settled(tmp_path: Path) -> None:
    file, wrong = tmp_path / "state.toml", list[Exception]()
    keeper = StateKeeper(file, wrong.append)
    keeper.remember(lambda state: replace(state, theme="first"))
    keeper.remember(lambda state: replace(state, last_profile=f"after {state.theme}"))
    await keeper.settled()
    state = load_state(file)
    assert (state.theme, state.last_profile, wrong) == ("first", "after first", [])


async def test_what_fails_is_reported_and_what_comes_after_it_is_written(tmp_path: Path) -> None:
    wrong, written = list[Exception](), list[str]()

    def refuse() -> None:
        raise SettingsError("The disk is full.")

    keeper = StateKeeper(tmp_path / "state.toml", wrong.append)
    keeper.keep(refuse)
    keeper.keep(lambda: written.append("next"))
    await keeper.settled()
    assert (written, [str(error) for error in wrong]) == (["next"], ["The disk is full."])


async def test_giving_up_waiting_stops_no_write(tmp_path: Path) -> None:
    disk, written = threading.Event(), list[bool]()
    keeper = StateKeeper(tmp_path / "state.toml", lambda error: None)
    keeper.keep(lambda: written.append(disk.wait(60)))
    waiting = asyncio.create_task(keeper.settled())
    await asyncio.sleep(0)
    waiting.cancel()
    disk.set()
    await keeper.settled()
    assert written == [True]
