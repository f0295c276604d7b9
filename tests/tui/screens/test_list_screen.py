"""The frame of the screens that manage something, tried on that of the files: filter, help, leaving."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.protocol.objects import Page
from assistants_tui.tui.dialogs.help import HelpScreen
from assistants_tui.tui.screens.files import FilesScreen
from assistants_tui.tui.screens.list_screen import renewed
from support.app import Driver, open_app

IDS = st.lists(st.sampled_from("abcdefgh"), unique=True)


def listed(keys: list[str], state: str = "old") -> dict[str, dict[str, Any]]:
    return {key: {"id": key, "state": state} for key in keys}


@given(known=IDS, first=IDS, more=st.booleans())
def test_the_newest_part_of_a_list_is_renewed(known: list[str], first: list[str], more: bool) -> None:
    """The first page is as the server has it; what follows its last one stays, and nothing is there twice."""
    page: Page[Any] = Page(list(listed(first, "new").values()), "next" if more else None)
    result = renewed(listed(known), page)
    assert list(result)[: len(first)] == first
    assert all(result[key]["state"] == "new" for key in first)
    kept = list(result)[len(first) :]
    if more and first and first[-1] in known:
        after = known[known.index(first[-1]) + 1 :]
        assert kept == [key for key in after if key not in first]
    else:
        assert kept == []


async def opened(driver: Driver, folder: Path) -> FilesScreen:
    backend = await driver.chat.workspace.session.backend()
    for name in ("rules.txt", "tides.txt"):
        (folder / name).write_text(name)
        await backend.files.upload(folder / name)
    await driver.press("f7")
    await driver.until_shown("rules.txt")
    assert isinstance(driver.app.screen, FilesScreen)
    return driver.app.screen


async def test_esc_closes_the_filter_and_then_the_screen(tmp_path: Path) -> None:
    async with open_app((100, 30)) as driver:
        screen = await opened(driver, tmp_path)
        await driver.press("slash", *"tid")
        await driver.until(lambda: "rules.txt" not in driver.screen)
        await driver.press("enter")
        assert screen.rows.has_focus
        await driver.press("escape")
        await driver.until(lambda: "rules.txt" in driver.screen)
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)


async def test_help_is_that_of_the_screen(tmp_path: Path) -> None:
    async with open_app((100, 40)) as driver:
        screen = await opened(driver, tmp_path)
        await driver.press("f1")
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
        await driver.until_shown("Filter the list")
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is screen)


async def test_list_and_details_stand_below_each_other_in_a_narrow_terminal(tmp_path: Path) -> None:
    async with open_app((60, 24)) as driver:
        screen = await opened(driver, tmp_path)
        await driver.until(lambda: screen.detail.region.y > screen.rows.region.y)
        assert screen.detail.region.x == screen.rows.region.x
        await driver.pilot.resize_terminal(100, 24)
        await driver.until(lambda: screen.detail.region.x > screen.rows.region.x)
