"""The columns at every width, the keys of the panes, and the pages over them."""

import pytest

from support.app import open_app


async def test_wide_terminals_show_three_columns() -> None:
    async with open_app((140, 40)) as driver:
        for pane in ("#sidebar", "#conversation", "#inspector"):
            assert driver.chat.query_one(pane).region.width > 20
        await driver.press("f4", "f2")
        assert not driver.chat.query_one("#inspector").display
        assert driver.chat.query_one("#conversation").region.width == 140


async def test_the_inspector_takes_the_place_of_the_conversation_where_two_columns_fit() -> None:
    async with open_app((80, 24)) as driver:
        sidebar, conversation, inspector, composer = (
            driver.chat.query_one(one) for one in ("#sidebar", "#conversation", "#inspector", "#composer")
        )
        assert not inspector.display
        await driver.press("f4")
        await driver.pilot.pause()
        assert [sidebar.region.x, sidebar.region.right, inspector.region.x, inspector.region.right] == [
            0,
            28,
            28,
            80,
        ]
        assert not conversation.display, "what it would show of its lines would be cut"
        assert driver.app.focused is driver.chat.query_one("#run-tree")
        await driver.press("f2")
        await driver.pilot.pause()
        assert inspector.region.width == 80
        await driver.press("f2", "escape")
        await driver.pilot.pause()
        assert not inspector.display
        assert driver.app.focused is composer
        # a question of a run takes the keys, and so it is seen
        await driver.press("f4")
        await driver.pilot.pause()
        composer.focus()
        await driver.until(lambda: conversation.display and not inspector.display)


async def test_narrow_terminals_show_one_pane_at_a_time() -> None:
    async with open_app((60, 20)) as driver:
        assert driver.chat.query_one("#conversation").region.width == 60
        await driver.press("f2")
        await driver.pilot.pause()
        assert driver.chat.query_one("#sidebar").region.width == 60
        assert not driver.chat.query_one("#conversation").display
        await driver.press("f4")
        await driver.pilot.pause()
        assert driver.chat.query_one("#inspector").region.width == 60
        assert not driver.chat.query_one("#sidebar").display
        await driver.press("escape")
        await driver.pilot.pause()
        assert driver.chat.query_one("#conversation").region.width == 60


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (300, 100)])
async def test_no_terminal_is_too_small_or_too_large(size: tuple[int, int]) -> None:
    async with open_app(size) as driver:
        await driver.press("f2", "f4", "f1", "escape", "escape", "ctrl+n", "tab", "tab", "tab")
        await driver.pilot.resize_terminal(100, 30)
        await driver.until_shown("Math Tutor is ready")


async def test_choosing_an_assistant_addresses_the_next_message() -> None:
    async with open_app() as driver:
        driver.chat.query_one("#assistant-list").focus()
        await driver.press("down", "enter")
        await driver.until_shown("Data Visualizer is ready")
        assert driver.app.focused is driver.chat.query_one("#composer")


async def test_the_key_line_shows_the_keys_of_the_focused_pane_and_always_the_help() -> None:
    async with open_app((80, 24)) as driver:

        def keys() -> str:
            return driver.screen.splitlines()[-1]

        assert "Enter Send" in keys()
        for pane in ("#messages", "#thread-list", "#assistant-list", "#composer"):
            driver.chat.query_one(pane).focus()
            await driver.pilot.pause()
            assert keys().endswith("F1 Help"), pane
        await driver.pilot.resize_terminal(100, 30)
        await driver.until(lambda: "^P Commands" in keys())
        driver.chat.query_one("#thread-list").focus()
        await driver.until_shown("/ Filter")
        assert "Enter Send" not in keys()
        # what belongs to the composer works from everywhere
        await driver.press("ctrl+o")
        await driver.until_shown("Attach files")
        await driver.press("escape")
        await driver.press("f1", "end")
        await driver.until_shown("Find any command")


async def test_a_chosen_theme_is_remembered() -> None:
    async with open_app() as driver:
        driver.app.theme = "Paper"
        await driver.quit()
    async with open_app() as driver:
        assert driver.app.theme == "Paper"
