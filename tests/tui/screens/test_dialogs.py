from textual.app import App
from textual.screen import Screen

from assistants_tui.tui.screens.dialogs import ChoiceDialog, TextDialog

MARKUP = "[red]Delete[/] “[@click=app.quit]x[/]”?"


async def answer(dialog: Screen[str | None], *keys: str) -> str | None:
    """What a dialog returns after these keys."""
    answers: list[str | None] = []
    app: App[None] = App()
    async with app.run_test() as pilot:
        app.push_screen(dialog, answers.append)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
    assert len(answers) == 1
    return answers[0]


CHOICES = [("keep", "Keep"), ("delete", "Delete")]


async def test_the_first_and_safe_choice_has_the_focus() -> None:
    assert await answer(ChoiceDialog(MARKUP, choices=CHOICES, danger="delete"), "enter") == "keep"


async def test_the_arrow_keys_reach_every_choice() -> None:
    assert await answer(ChoiceDialog(MARKUP, choices=CHOICES), "right", "enter") == "delete"
    assert await answer(ChoiceDialog(MARKUP, choices=CHOICES), "right", "left", "enter") == "keep"


async def test_escape_chooses_nothing() -> None:
    assert await answer(ChoiceDialog(MARKUP, choices=CHOICES), "escape") is None
    assert await answer(TextDialog("Title", "old"), "escape") is None


async def test_text_is_edited_and_returned_without_blanks_around_it() -> None:
    assert await answer(TextDialog("Title", "old"), "end", "space", "n", "space", "enter") == "old n"


async def test_blank_text_is_not_accepted() -> None:
    assert await answer(TextDialog("Title", ""), "space", "enter", "t", "enter") == "t"


async def test_text_from_outside_is_shown_as_it_is() -> None:
    app: App[None] = App()
    async with app.run_test(size=(100, 30)) as pilot:
        app.push_screen(ChoiceDialog(MARKUP, MARKUP, choices=[("keep", MARKUP)]))
        await pilot.pause()
        shown = "\n".join(
            "".join(segment.text for segment in line) for line in app.screen._compositor.render_strips()
        )
        assert shown.count("[@click=app.quit]x[/]") == 3
