"""A paste is text wherever the focus is: it goes to a field or nowhere, and presses nothing."""

from textual import events
from textual.widgets import Input

from assistants_tui.tui.dialogs.questions import ChoiceDialog, TextDialog
from assistants_tui.tui.terminal.input import TypedKey
from assistants_tui.tui.widgets.composer import Composer
from support.app import Driver, open_app

TYPED = "東京\u3000天気 10\u00a0000\u202f€ می\u200cخواهم \U0001f469\u200d\U0001f4bb a\u200fb soft\u00adhyphen"


def type_keys(driver: Driver, text: str) -> None:
    """As the terminal's input does it."""
    for sign in text:
        driver.app.post_message(TypedKey(sign, sign))


async def test_a_paste_where_no_field_has_the_focus_goes_to_the_composer() -> None:
    async with open_app() as driver:
        composer = driver.chat.query_one(Composer)
        for pane in map(driver.chat.query_one, ("#thread-list", "#assistant-list", "#messages")):
            pane.focus()
            await driver.until(lambda: driver.app.focused is not composer)
            driver.app.post_message(events.Paste("d\ny\n"))
            await driver.until(lambda: driver.app.focused is composer and composer.text == "d\ny\n")
            composer.clear()


async def test_a_paste_answers_no_question() -> None:
    async with open_app() as driver:
        answers: list[str | None] = []
        dialog = ChoiceDialog("Delete it?", "For ever", choices=[("no", "No"), ("yes", "Yes")])
        await driver.app.push_screen(dialog, answers.append)
        driver.app.post_message(events.Paste("yes\ny\n"))
        await driver.pilot.pause()
        assert driver.app.screen is dialog
        assert not answers
        assert driver.chat.query_one(Composer).text == ""


async def test_fields_of_one_line_take_all_lines_of_a_paste() -> None:
    async with open_app() as driver:
        await driver.app.push_screen(TextDialog("Name it", max_length=40))
        field = driver.app.screen.query_one(Input)
        driver.app.post_message(events.Paste("\none\n  two\tthree \n"))
        await driver.until(lambda: field.value)
        assert field.value == "one two three "
        driver.app.post_message(events.Paste("x" * 41))
        await driver.until_told("This field has room for 26 more characters; the text has 41.")
        assert field.value == "one two three "
        driver.app.post_message(events.Paste("x" * 27))
        await driver.until_told("This field has room for 26 more characters; the text has 27.")
        field.action_select_all()
        driver.app.post_message(events.Paste("x" * 40))
        await driver.until(lambda: field.value == "x" * 40)


async def test_a_field_of_one_line_takes_no_text_with_which_keys_would_be_late() -> None:
    async with open_app() as driver:
        await driver.app.push_screen(TextDialog("Name it"))
        field = driver.app.screen.query_one(Input)
        driver.app.post_message(events.Paste("x" * 1_000_000))
        await driver.until_told("This field has room for 10,000 more characters; the text has 1,000,000.")
        assert field.value == ""


async def test_what_python_does_not_call_printable_is_typed_all_the_same() -> None:
    async with open_app() as driver:
        composer = driver.chat.query_one(Composer)
        type_keys(driver, TYPED)
        await driver.until(lambda: composer.text == TYPED)
        await driver.app.push_screen(TextDialog("Name it"))
        field = driver.app.screen.query_one(Input)
        type_keys(driver, TYPED)
        await driver.until(lambda: field.value == TYPED)
