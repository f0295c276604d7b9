import pytest
from textual import events, on
from textual.app import App, ComposeResult

from assistants_tui.tui.widgets.composer import LONG_LINE, LONG_TEXT, MANY_LINES, Composer


class ComposerApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.left: list[str] = []

    def compose(self) -> ComposeResult:
        yield Composer()

    def on_mount(self) -> None:
        self.composer.focus()

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @on(Composer.LongPasted)
    def _left(self, event: Composer.LongPasted) -> None:
        self.left.append(event.text)

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        self.sent.append(event.text)
        self.composer.remember(event.text)
        self.composer.clear()


async def test_enter_sends_and_the_newline_keys_do_not() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        await pilot.press("a", "ctrl+j", "b", "shift+enter", "c", "enter")
        assert app.sent == ["a\nb\nc"]
        assert app.composer.text == ""


async def test_blank_text_is_not_sent() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        await pilot.press("space", "ctrl+j", "enter")
        assert app.sent == []


async def test_pasting_several_lines_waits_for_enter() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        app.post_message(events.Paste("one\ntwo\n"))
        await pilot.pause()
        assert app.sent == []
        await pilot.press("enter")
        assert app.sent == ["one\ntwo\n"]


async def test_the_arrow_keys_bring_prompts_back_and_keep_the_draft() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        app.composer.set_prompts(["first", "second\nwith a line"])
        await pilot.press("d", "up")
        assert app.composer.text == "second\nwith a line"
        await pilot.press("up")
        assert app.composer.text == "second\nwith a line", "the first up moves the cursor inside the prompt"
        await pilot.press("up")
        assert app.composer.text == "first"
        await pilot.press("up")
        assert app.composer.text == "first"
        await pilot.press("down", "down", "down")
        assert app.composer.text == "d"


async def test_a_prompt_that_repeats_the_last_one_is_remembered_once() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        for _ in range(2):
            await pilot.press("x", "enter")
        await pilot.press("up", "up")
        assert app.composer.text == "x"
        await pilot.press("down")
        assert app.composer.text == ""


async def test_enter_sends_what_was_typed_just_before_it() -> None:
    """A fast typist, a paste without brackets or a script: all keys are there before the first is handled."""
    app = ComposerApp()
    async with app.run_test() as pilot:
        for key in [*"hello", "enter"]:
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        assert app.sent == ["hello"]


LONG_TEXTS = {
    "line": "x" * (LONG_LINE + 1),
    "text": "word\n" * (LONG_TEXT // 5 + 1),
    "lines": "\n" * (MANY_LINES + 1),
    "huge": "x" * 1_000_000,
}


@pytest.mark.parametrize("kind", LONG_TEXTS)
async def test_a_text_with_which_keys_would_be_late_is_left_to_the_pane(kind: str) -> None:
    """Pasted, or brought by a draft, an editor, or the message that is to be changed."""
    app, text = ComposerApp(), LONG_TEXTS[kind]
    async with app.run_test() as pilot:
        app.composer.paste(text)
        app.composer.put(text)
        await pilot.pause()
        assert app.left == [text, text]
        assert app.composer.text == ""


async def test_many_pastes_make_no_longer_text_than_one() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        for _ in range(30):
            app.composer.paste("word " * 1000)
        for _ in range(30):
            app.composer.paste("line\n" * 1000)
        await pilot.pause()
        document = app.composer.document
        assert document.line_count <= MANY_LINES + 1
        assert max(map(len, document.lines)) <= LONG_LINE
        assert len(app.composer.text + "".join(app.left)) == 30 * 10_000


async def test_prompts_that_are_too_long_to_be_changed_do_not_come_back() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        app.composer.set_prompts(["first", "x" * 1_000_000])
        app.composer.remember("y" * 1_000_000)
        await pilot.press("up")
        assert app.composer.text == "first"
