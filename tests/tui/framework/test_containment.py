"""A mistake in a widget's handlers or in its drawing is told, and the app goes on."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.app import AssistantsApp
from assistants_tui.tui.panes.assistants import AssistantsPane
from assistants_tui.tui.screens.chat.screen import ChatScreen
from assistants_tui.tui.widgets.composer import Composer
from support.app import Driver, open_app


class Mistake(Exception):
    """What no handler expects."""


class Faulty(Widget):
    """Does everything wrong that it is told to."""

    DEFAULT_CSS = "Faulty { height: 1; dock: top; }"
    level = reactive(0)

    def __init__(self, wrong: str) -> None:
        super().__init__()
        self.wrong = wrong
        self.heard = 0

    class Asked(Message):
        """Raises in `on_…`."""

    class Wanted(Message):
        """Raises in a handler of `@on`."""

    def _may(self, what: str) -> None:
        if self.wrong == what:
            self.wrong = ""
            raise Mistake(what)

    def on_mount(self) -> None:
        self._may("mount")

    def on_faulty_asked(self) -> None:
        self.heard += 1
        self.level += 1
        self._may("on_")

    @on(Wanted)
    async def want(self) -> None:
        self.heard += 1
        self._may("@on")

    def watch_level(self) -> None:
        self._may("watch" if self.level else "first watch")

    def on_unmount(self) -> None:
        self._may("unmount")


async def test_a_handler_that_fails_is_told_and_its_widget_goes_on() -> None:
    async with open_app() as driver:
        driver.strict = False
        await driver.press(*"kept")
        for wrong in ("mount", "on_", "@on", "first watch", "watch", "unmount"):
            faulty = Faulty(wrong)
            await driver.chat.mount(faulty)
            for message in (Faulty.Asked(), Faulty.Wanted(), Faulty.Asked(), Faulty.Wanted()):
                faulty.post_message(message)

            def heard_all(faulty: Faulty = faulty) -> bool:
                return faulty.heard == 4

            await driver.until(heard_all)
            await faulty.remove()
            await driver.until_told(f"Mistake: {wrong}")
            assert len(driver.app.unexpected) == 1
            driver.app.unexpected.clear()
        await driver.press(*" on")
        assert driver.chat.query_one(Composer).text == "kept on"


async def test_a_mistake_that_is_made_again_is_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    async with open_app() as driver:
        driver.strict = False
        faulty = Faulty("")
        await driver.chat.mount(faulty)
        for _ in range(2):
            faulty.wrong = "on_"
            faulty.post_message(Faulty.Asked())
            await driver.until(lambda: driver.app.unexpected and not faulty.wrong)
            driver.app.unexpected.clear()
        assert caplog.text.count("Mistake: on_") == 2
        assert len(driver.told) == 1, "it stands there"


async def test_a_look_that_keeps_failing_is_told_once_until_it_succeeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_app() as driver:
        driver.strict = False
        answers: list[Exception | None] = [
            Mistake("one"),
            Mistake("one"),
            ServiceError("Not now."),
            Mistake("one"),
        ]
        answers += [Mistake("two"), None, Mistake("two")]

        async def notice() -> None:
            if (answer := answers.pop(0)) is not None:
                raise answer

        monkeypatch.setattr(driver.chat.workspace.assistants, "notice", notice)
        pane = driver.chat.query_one(AssistantsPane)
        while left := len(answers):
            driver.app._shown.clear()  # as if the notification had gone from the screen
            driver.app.app_focus = False
            driver.app.app_focus = True
            await driver.until(lambda: len(answers) < left)
            await driver.until(lambda: not [one for one in driver.app.workers if one.node is pane])
        assert re.findall("Mistake: (one|two)", " ".join(driver.told)) == ["one", "two", "two"]


async def test_the_composer_keeps_its_text_when_it_fails_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_app() as driver:
        driver.strict = False
        await driver.press(*"kept")

        async def wrong(self: Composer, event: events.Key) -> None:
            raise Mistake(event.key)

        with monkeypatch.context() as patch:
            patch.setattr(Composer, "_on_key", wrong)
            await driver.press("x")
            await driver.until_told("Mistake: x")
        await driver.press(*" on")
        assert driver.chat.query_one(Composer).text == "kept on"


class Unmade(ModalScreen[str]):
    """A screen that cannot be composed or mounted."""

    def __init__(self, wrong: type[Exception] | None) -> None:
        super().__init__()
        self.wrong = wrong

    def compose(self) -> ComposeResult:
        yield Input()
        if self.wrong is not None:
            raise self.wrong("compose")

    def on_mount(self) -> None:
        raise Mistake("mount")


async def test_a_screen_that_cannot_be_made_is_closed_again() -> None:
    async with open_app() as driver:
        driver.strict = False
        answers: list[object] = []
        for wrong in (Mistake, TypeError, None):
            answers.clear()
            driver.app.push_screen(Unmade(wrong), answers.append)
            await driver.until(lambda: answers)
            assert answers == [None]
            assert driver.app.screen is driver.chat
        await driver.press(*"kept")
        assert driver.chat.query_one(Composer).text == "kept"
        assert len(driver.told) == 3


class Undrawn(Static):
    """Cannot be drawn."""

    DEFAULT_CSS = "Undrawn { dock: top; width: auto; height: auto; }"
    wrong: ClassVar[str]

    def _fail(self) -> Any:
        raise Mistake(self.wrong)


async def test_what_cannot_be_drawn_leaves_the_rest_on_the_screen() -> None:
    async with open_app(notifications=True) as driver:
        driver.strict = False
        for wrong in ("render", "render_line", "get_content_height", "get_content_width"):
            kind = type("Undrawn", (Undrawn,), {"wrong": wrong, wrong: lambda self, *_: self._fail()})
            undrawn = kind("Something")
            await driver.chat.mount(undrawn)
            await driver.until_shown(f"Mistake: {wrong}")
            await driver.press(*wrong)
            await driver.until_shown(f"  {wrong} ")
            driver.chat.refresh(layout=True)
            await driver.pilot.pause()
            await undrawn.remove()
            driver.chat.query_one(Composer).text = ""
        assert len(driver.told) == 4, "once is enough while it stands there"


async def test_without_a_main_screen_the_app_ends_with_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wrong(_: ChatScreen) -> Iterator[Widget]:
        raise Mistake("nothing to show")

    monkeypatch.setattr(ChatScreen, "compose", wrong)
    app = AssistantsApp(user_paths())
    with pytest.raises(Mistake):
        async with app.run_test() as pilot:
            driver = Driver(app, pilot)
            await driver.until(lambda: not app.is_running)
    assert app.return_code == 1
