"""A key that is pressed again before the first press has been acted on does once what it stands for."""

from typing import Any

import pytest
from textual import events
from textual.screen import Screen
from textual.widgets import Input

from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.dialogs.questions import ChoiceDialog, TextDialog
from assistants_tui.tui.keyboard import question_guard
from assistants_tui.tui.palette.screen import PaletteScreen
from assistants_tui.tui.panes.approvals.call_card import CallCard
from assistants_tui.tui.screens.vector_stores.screen import VectorStoresScreen
from support.app import Driver, open_app, open_app_with
from support.model_endpoint import calls


def press_at_once(driver: Driver, *keys: str) -> None:
    """Bring keys to the app as a terminal does that sends them together."""
    for key in keys:
        driver.app.post_message(events.Key(key, key if len(key) == 1 else None))


async def shows(driver: Driver, *screens: type[Screen[Any]]) -> None:
    """Wait until these are shown above the main screen, and see that nothing else comes."""

    def shown() -> bool:
        return tuple(type(one) for one in driver.app.screen_stack[2:]) == screens

    await driver.until(shown)
    await driver.pilot.pause()
    assert shown(), driver.app.screen_stack


async def test_each_screen_and_question_opens_once_and_closes_alone() -> None:
    async with open_app() as driver:
        press_at_once(driver, "ctrl+p", "ctrl+p")
        await shows(driver, PaletteScreen)
        await driver.press(*"hideinspector")
        await driver.until_shown("Show or hide the inspector")
        press_at_once(driver, *["enter"] * 4)
        await shows(driver)
        assert not driver.chat.query_one("#inspector").display, "the command ran once"

        driver.chat.query_one("#assistant-list").focus()
        await driver.pilot.pause()
        press_at_once(driver, "d", "d", "n", "e")
        await shows(driver, ChoiceDialog)
        await driver.press("escape")
        await shows(driver)

        press_at_once(driver, "f8", "f8")
        await shows(driver, VectorStoresScreen)
        press_at_once(driver, "n", "n")
        await shows(driver, VectorStoresScreen, TextDialog)
        await driver.until(lambda: isinstance(driver.app.focused, Input))
        await driver.press(*"Books")
        press_at_once(driver, *["enter"] * 4)
        await driver.until_shown("1 store")
        await shows(driver, VectorStoresScreen)


async def test_two_answers_to_one_card_ask_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_guard, "SECONDS", 0.0)
    folder = user_paths().functions_dir
    folder.mkdir(parents=True)
    (folder / "w.py").write_text("def getCurrentWeather(location: str) -> str:\n    return location\n")
    weather = calls(("getCurrentWeather", '{"location": "Oulu"}'))
    async with open_app_with(weather, assistant="Weather Bot") as driver:
        await driver.type("Go")
        await driver.until(lambda: [one.call.state for one in driver.chat.query(CallCard)] == ["waiting"])
        driver.chat.query_one(CallCard).focus()
        await driver.pilot.pause()
        press_at_once(driver, "d", "d", "N")
        await shows(driver, ChoiceDialog)
        await driver.press("escape")
        await shows(driver)
