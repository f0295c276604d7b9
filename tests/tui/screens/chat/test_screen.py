"""The main screen: what keys and pastes do there, and what is the same again at the next start."""

from textual import events

from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.state import load_state
from assistants_tui.tui.screens.profiles import ProfilesScreen
from assistants_tui.tui.widgets.composer import Composer
from assistants_tui.tui.widgets.status_bar import StatusBar
from support.app import open_app


async def test_a_paste_outside_a_field_goes_to_the_composer() -> None:
    async with open_app() as driver:
        driver.chat.query_one("#assistant-list").focus()
        await driver.pilot.pause()
        driver.app.post_message(events.Paste("two\nlines"))
        composer = driver.chat.query_one(Composer)
        await driver.until(lambda: composer.text == "two\nlines")
        await driver.until(lambda: composer.has_focus)


async def test_esc_closes_the_filter_then_the_drawer() -> None:
    async with open_app((70, 24)) as driver:
        sidebar = driver.chat.query_one("#sidebar")
        await driver.press("f2")
        await driver.until(lambda: sidebar.display)
        driver.chat.query_one("#thread-list").focus()
        await driver.press("slash", "x")
        await driver.until_shown("No thread matches")
        await driver.press("escape")
        await driver.until(lambda: "No thread matches" not in driver.screen)
        assert driver.chat.has_class("-show-sidebar")
        await driver.press("escape")
        await driver.until(lambda: not sidebar.display and driver.chat.query_one(Composer).has_focus)


async def test_what_was_hidden_and_had_the_keys_is_so_again_at_the_next_start() -> None:
    async with open_app((140, 40)) as driver:
        await driver.press("f4")
        await driver.until(lambda: not driver.chat.query_one("#inspector").display)
        driver.chat.query_one("#thread-list").focus()
        await driver.quit()
    state = load_state(user_paths().state_file)
    assert (state.hidden_panes, state.focus) == (frozenset({"inspector"}), "thread-list")
    async with open_app((140, 40)) as driver:
        assert not driver.chat.query_one("#inspector").display
        assert driver.chat.query_one("#thread-list").has_focus


async def test_f3_connects_a_model_as_long_as_there_is_none() -> None:
    async with open_app() as driver:
        await driver.until_shown("F3 Connect")
        assert driver.chat.check_action("connect", ())
        await driver.press("f3")
        await driver.until(lambda: isinstance(driver.app.screen, ProfilesScreen))


async def test_the_top_line_says_where_one_is_and_what_the_run_did() -> None:
    async with open_app() as driver:
        status = driver.chat.query_one(StatusBar)
        assert (status.profile, status.assistant, status.title) == ("local", "Math Tutor", "New thread")
        await driver.type("2 + 3")
        await driver.until_answered()
        await driver.until(lambda: status.status == "completed" and status.title == "2 + 3")
        await driver.until_shown(" tok")
        await driver.press("ctrl+n")
        await driver.until(lambda: (status.title, status.status) == ("New thread", ""))
