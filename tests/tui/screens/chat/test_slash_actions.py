"""Slash commands that open screens or leave the thread, typed in the composer."""

import pytest

from support.app import open_app


@pytest.mark.parametrize(("command", "screen"), [("/guide", "GuideScreen"), ("/help", "HelpScreen")])
async def test_pages_open_by_their_command(command: str, screen: str) -> None:
    async with open_app() as driver:
        await driver.type(command)
        await driver.until(lambda: type(driver.app.screen).__name__ == screen)


async def test_a_thread_is_exported_in_the_named_format_and_left_for_a_new_one() -> None:
    async with open_app() as driver:
        await driver.type("2 + 3")
        await driver.until_answered()
        await driver.type("/export html")
        await driver.until(lambda: type(driver.app.screen).__name__ == "ExportDialog")
        assert ".html" in driver.screen
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.type("/new")
        await driver.until(lambda: driver.conversation.thread_id is None)


async def test_quit_leaves() -> None:
    async with open_app() as driver:
        await driver.type("/quit")
        await driver.until(lambda: not driver.app.is_running)
