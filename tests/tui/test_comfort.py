"""What makes the app one's own: sizes, colours and places, and that they are there again after a restart."""

from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.screens.profiles import ProfilesScreen
from support.app import Driver, open_app, open_app_with
from support.model_endpoint import says


def widths(driver: Driver) -> tuple[int, int]:
    return tuple(driver.chat.query_one(pane).outer_size.width for pane in ("#sidebar", "#inspector"))  # type: ignore[return-value]


async def test_everything_is_as_it_was_left() -> None:
    long = "\n\n".join(f"Paragraph {number} of a long answer." for number in range(60))
    async with open_app_with(says("First."), says(long), size=(120, 24)) as driver:
        await driver.type("One")
        await driver.until_answered()
        await driver.type("Two")
        await driver.until_answered(2)
        # borders
        left, right = widths(driver)
        await driver.press("alt+right", "alt+right")
        await driver.pilot.pause()
        assert widths(driver) == (left + 4, right)
        driver.chat.query_one("#run-tree").focus()
        await driver.press("alt+left")
        await driver.pilot.pause()
        assert widths(driver) == (left + 4, right + 2)
        height = driver.chat.query_one("#run-tree").outer_size.height
        await driver.press("alt+up", "alt+up", "alt+up")
        await driver.pilot.pause()
        assert driver.chat.query_one("#run-tree").outer_size.height == height - 3
        for _ in range(12):
            await driver.press("alt+left")
        await driver.pilot.pause()
        assert driver.chat.query_one("#conversation").size.width > 20
        # what is read, what is written, and where the keys go
        view = driver.chat.query_one("#messages", MessageView)
        view.focus()
        await driver.press("g", "j", "j", "j")
        await driver.pilot.pause()
        top = view.top_message
        assert top is not None
        driver.chat.query_one("#composer").focus()
        await driver.press(*"draft")
        sizes = widths(driver)
        await driver.press("f4")
        await driver.pilot.pause()
        driver.chat.query_one("#thread-list").focus()
        await driver.pilot.pause()
        await driver.quit()

    async with open_app_with(size=(120, 24)) as driver:
        await driver.until(lambda: len(driver.texts) == 4)
        view = driver.chat.query_one("#messages", MessageView)
        await driver.until(lambda: view.top_message == top)
        assert not driver.chat.query_one("#inspector").display
        assert driver.app.focused is driver.chat.query_one("#thread-list")
        await driver.press("f4")
        await driver.pilot.pause()
        assert widths(driver) == sizes
        composer = driver.chat.query_one("#composer")
        assert composer.text == "draft"  # type: ignore[attr-defined]
        # in another thread there is another draft; the prompt history has survived, too
        composer.focus()
        await driver.press("ctrl+n")
        await driver.until(lambda: composer.text == "")  # type: ignore[attr-defined]
        await driver.press("up", "up")
        assert composer.text == "One"  # type: ignore[attr-defined]
        # a narrow terminal has its own ideas of sizes
        await driver.pilot.resize_terminal(60, 30)
        await driver.until(lambda: driver.chat.query_one("#conversation").size.width == 60)
        await driver.press("f2", "alt+right")
        await driver.pilot.pause()
        assert driver.chat.query_one("#sidebar").outer_size.width == 60


async def test_what_can_be_clicked_does_what_its_key_does() -> None:
    async with open_app((80, 24)) as driver:
        # the name of the profile, a key, a row
        await driver.pilot.click("#status", offset=(2, 0))
        await driver.until(lambda: isinstance(driver.app.screen, ProfilesScreen))
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)
        keys = driver.screen.splitlines()[-1]  # not all of them fit, and what is seen is what is meant
        await driver.pilot.click(offset=(keys.index("F3") + 4, 23))
        await driver.until(lambda: isinstance(driver.app.screen, ProfilesScreen))
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.pilot.click("#assistant-list", offset=(4, 2))
        await driver.until_shown("HR Helper is ready")
        await driver.quit()
