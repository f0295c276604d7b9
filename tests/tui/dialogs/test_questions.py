import pytest
from textual.app import App
from textual.screen import Screen

from assistants_tui.tui.dialogs.guide import GuideScreen
from assistants_tui.tui.dialogs.questions import ChoiceDialog, PickDialog, TextDialog
from support.dialogs import TINY, open_dialog

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


async def test_every_choice_is_shown_where_they_do_not_fit_side_by_side() -> None:
    three = [("edit", "Go on editing"), ("keep", "Keep it"), ("discard", "Discard changes")]
    dialog = ChoiceDialog("Keep the changed code?", "It runs in place of the model's code.", choices=three)
    async with open_dialog(dialog, TINY) as shown:
        assert [line for line in shown.lines if line in dict(three).values()] == [*dict(three).values()]
        await shown.press("down", "down", "enter")
        assert shown.answers == ["discard"]


@pytest.mark.parametrize("size", [TINY, (80, 24)], ids=["40x12", "80x24"])
async def test_a_long_list_scrolls_where_it_is_higher_than_its_dialog(size: tuple[int, int]) -> None:
    rows = [f"Row {number}" for number in range(40)]
    async with open_dialog(PickDialog("Which?", rows, detail="Words of several lines. " * 6), size) as shown:
        await shown.press("end")
        assert "Row 39" in shown.text
        assert "Enter chooses, Esc goes back" in shown.text
        await shown.press("enter")
        assert shown.answers == [39]


async def test_a_list_in_a_dialog_is_as_high_as_its_rows() -> None:
    async with open_dialog(PickDialog("Which?", ["One", "Two"]), (80, 60)) as shown:
        assert shown.app.screen.query_one(".dialog").size.height == 6, "with two blank lines"
        await shown.show(PickDialog("Which?", ["Row"] * 40))
        assert shown.text.count("Row") == 16


async def test_the_guide_fits_into_a_small_terminal() -> None:
    async with open_dialog(GuideScreen(), TINY) as shown:
        await shown.press("end")
        assert "6  Find everything else" in shown.text
        assert "brings you here" in shown.text.replace("\n", " ")
