"""What one does with messages: answer again, edit on a branch, fold, annotate, delete."""

from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.panes.composer.pane import ComposerPane
from support.app import Driver, open_app, open_app_with
from support.model_endpoint import says


def messages(driver: Driver) -> MessageView:
    return driver.chat.query_one("#messages", MessageView)


async def test_an_answer_is_replaced_or_given_again_on_a_branch() -> None:
    async with open_app_with(says("Five."), says("5."), says("V.")) as driver:
        await driver.type("2 + 3")
        await driver.until_answered()
        first, old = driver.conversation, list(driver.conversation.messages)
        messages(driver).focus()
        await driver.press("r")
        await driver.until_shown("Answer again?")
        await driver.press("right", "right", "enter")
        await driver.until_answered(runs=2)
        assert next(iter(first.messages)) == old[0]
        assert list(first.messages)[1] != old[1]
        messages(driver).focus()
        await driver.press("r")
        await driver.until_shown("Answer again?")
        await driver.press("right", "enter")
        await driver.until(lambda: driver.conversation is not first)
        await driver.until_answered()
        assert driver.texts[0] == "2 + 3"
        assert len(driver.texts) == 2
        assert len(first.messages) == 2


async def test_a_message_is_edited_and_sent_on_a_branch() -> None:
    async with open_app_with(says("Five."), says("42."), says("49.")) as driver:
        for runs, text in enumerate(("2 + 3", "7 * 6"), start=1):
            await driver.type(text)
            await driver.until_answered(runs=runs)
        first = driver.conversation
        composer = driver.chat.query_one(ComposerPane).composer
        messages(driver).focus()
        await driver.press("e")  # on the answer: what it answers is meant
        await driver.until(lambda: composer.text == "7 * 6" and driver.app.focused is composer)
        await driver.press("escape")
        assert composer.text == ""
        backend = await driver.chat.workspace.session.backend()

        async def threads_of_the_server() -> int:
            page = await backend.threads.list()
            assert page is not None
            return len(page.items)

        composer.load_text("half a thought")
        messages(driver).focus()
        await driver.press("k", "e")
        await driver.until(lambda: composer.text == "7 * 6" and driver.app.focused is composer)
        await driver.until_shown("Esc drops it")
        await driver.press("8", "escape")
        assert composer.text == "half a thought"
        await driver.until(lambda: "Esc drops it" not in driver.screen)
        messages(driver).focus()
        await driver.press("e")
        await driver.until(lambda: composer.text == "7 * 6" and driver.app.focused is composer)
        # another thread has its own draft, and this one is still to go out on a branch
        await driver.press("ctrl+n")
        assert composer.text == ""
        await driver.chat.workspace.conversations.open(first.thread_id or "")
        assert composer.text == "7 * 6"
        assert driver.conversation is first
        assert await threads_of_the_server() == 1, "nothing has been sent yet"
        await driver.press("backspace", "7", "enter")
        await driver.until(lambda: driver.conversation is not first)
        await driver.until_answered()
        assert driver.texts[2] == "7 * 7"
        assert "49" in driver.texts[3]
        assert await threads_of_the_server() == 2
        assert len(first.messages) == 4
        assert composer.text == ""
        await driver.chat.workspace.conversations.open(first.thread_id or "")
        assert composer.text == "half a thought"
        # what cannot be sent leaves nothing behind, and is still there
        messages(driver).focus()
        await driver.press("home", "e")
        await driver.until(lambda: composer.text == "2 + 3" and driver.app.focused is composer)
        await driver.chat.workspace.messages.delete_message(next(iter(first.messages)))
        await driver.press("4", "enter")
        await driver.until_told("not in the thread any more")
        assert composer.text == "2 + 34"
        assert await threads_of_the_server() == 2


async def test_metadata_folding_copying_and_deleting() -> None:
    code = "".join(f"print({number})\n" for number in range(20))
    async with open_app_with(says(f"Five.\n\n```python\n{code}```"), says("5.")) as driver:
        text = "\n".join(f"line {number}" for number in range(80))
        await driver.type(f"2 + 3\n{text}")
        await driver.until_answered()
        await driver.until_shown("… 69 more lines. Space shows or hides them.")
        messages(driver).focus()
        await driver.press("home", "y")
        assert driver.app.clipboard == f"2 + 3\n{text}"
        await driver.press("space")
        await driver.until(lambda: driver.texts[0] == f"2 + 3\n{text}")
        await driver.press("space", "m")
        await driver.until_shown("Metadata of the message")
        await driver.press(*"kept", "ctrl+s")
        await driver.until_shown("Line 1: write it as key = value.")
        await driver.press(*" = yes", "ctrl+s")
        await driver.until(
            lambda: next(iter(driver.conversation.messages.values()))["metadata"] == {"kept": "yes"}
        )
        messages(driver).focus()
        await driver.press("end", "z")
        await driver.until_shown("… 14 more lines")
        await driver.press("Y")
        assert driver.app.clipboard == code
        await driver.press("z")
        await driver.until_shown("print(19)")
        await driver.press("end", "d")
        await driver.until_shown("Delete this message?")
        await driver.press("right", "enter")
        await driver.until(lambda: len(driver.conversation.messages) == 1 and len(driver.texts) == 1)
        driver.chat.query_one("#composer").focus()
        await driver.type("/regenerate")
        await driver.until_answered(runs=2)
        assert len(driver.texts) == 2


async def test_older_messages_come_as_one_scrolls_up_to_them() -> None:
    async with open_app() as driver:
        backend = await driver.chat.workspace.session.backend()
        said = [{"role": "user", "content": f"This is number {n}."} for n in range(130)]
        thread = await backend.threads.create({"messages": said})
        await driver.chat.workspace.conversations.add(thread["id"])
        driver.chat.workspace.conversations.new()
        await driver.quit()
    async with open_app() as driver:
        driver.chat.query_one("#thread-list").focus()
        await driver.press("enter")
        await driver.until_shown("This is number 129.")
        messages(driver).focus()
        await driver.press("home")
        await driver.until(lambda: len(driver.texts) == 130)
        await driver.until_shown("This is number 30.")  # what was in sight stays there
        await driver.press("home")
        await driver.until_shown("This is number 0.")
