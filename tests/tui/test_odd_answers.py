"""What a server or a mistake of ours can do to the app: it is told, and nothing else is lost."""

import asyncio

import pytest
from textual import events

from assistants_tui.protocol.objects import Json
from assistants_tui.tui.widgets.composer import Composer
from support.app import Driver, open_app
from support.odd_server import PROFILE, assistant, listed, message, odd_server


def told(driver: Driver) -> list[str]:
    return [f"{one.title} {one.message}" for one in driver.app._notifications]


@pytest.mark.parametrize("key", ["f8", "f7", "e"])
async def test_objects_without_required_fields_do_not_end_the_app(key: str) -> None:
    short: dict[str, Json] = {
        "/assistants": assistant(),
        "/assistants/asst_1": {"id": "asst_1", "object": "assistant", "name": "Odd"},
        "/vector_stores": {"id": "vs_1", "object": "vector_store", "name": "Rules", "created_at": 1},
        "/files": {"id": "file_1", "object": "file", "filename": "a.txt"},
        "/models": {"id": "m"},
    }

    async def answer(method: str, path: str, sent: Json) -> tuple[int, Json]:
        if path not in short:
            return 404, {"error": {"message": "no"}}
        return 200, short[path] if path.count("/") > 1 else listed(short[path])

    async with odd_server(answer), open_app(profile=PROFILE) as driver:
        driver.strict = False
        driver.app.post_message(events.Paste("half a question"))
        await driver.until_shown("half a question")
        driver.chat.query_one("#assistant-list").focus()
        await driver.press(key)
        await driver.until(lambda: told(driver) or driver.app.screen is not driver.chat)
        await driver.pilot.pause(0.3)
        assert driver.app.is_running
        while driver.app.screen is not driver.chat:
            await driver.press("escape")
        assert driver.chat.query_one(Composer).text == "half a question"


async def test_a_thread_without_an_id_leaves_the_message_to_be_taken_back() -> None:
    async def answer(method: str, path: str, sent: Json) -> tuple[int, Json]:
        if method == "POST":
            return 200, {"object": "thread"}
        return 200, listed(*([assistant()] if path == "/assistants" else []))

    async with odd_server(answer), open_app(profile=PROFILE) as driver:
        driver.strict = False
        await driver.type("first")
        await driver.type("second")
        await driver.until(lambda: [one.state for one in driver.conversation.outbox] == ["failed"] * 2)
        assert driver.conversation.outbox[0].error is not None
        composer = driver.chat.query_one(Composer)
        await driver.press("up")
        assert composer.text == "second"
        composer.text = ""
        await driver.press("up")
        assert composer.text == "first"
        assert not driver.conversation.outbox


async def test_what_is_sent_while_the_app_connects_goes_out_when_it_can() -> None:
    connects = asyncio.Event()
    posted: list[Json] = []

    async def answer(method: str, path: str, sent: Json) -> tuple[int, Json]:
        if path == "/assistants":
            await connects.wait()
            return 200, listed(assistant())
        if method == "GET":
            return 200, listed()
        if path == "/threads":
            return 200, {"id": "thread_1", "object": "thread", "created_at": 1_700_000_000, "metadata": {}}
        posted.append(sent)
        return 400, {"error": {"message": "not today"}}

    async with odd_server(answer), open_app(profile=PROFILE, connected=False) as driver:
        await driver.until_shown("Starting…")
        await driver.type("first words")
        await driver.until_shown("first words")
        await driver.type("to be taken back")
        await driver.until(lambda: len(driver.conversation.outbox) == 2)
        await driver.press("up")
        assert driver.chat.query_one(Composer).text == "to be taken back"
        assert not told(driver)
        connects.set()
        await driver.until(lambda: posted)
        assert "first words" in str(posted[0]["content"])


async def test_sent_to_a_server_that_never_came_it_waits_for_another_try() -> None:
    async def answer(method: str, path: str, sent: Json) -> tuple[int, Json]:
        await connects.wait()
        return 401, {"error": {"message": "bad key"}}

    connects = asyncio.Event()
    async with odd_server(answer), open_app(profile=PROFILE, connected=False) as driver:
        await driver.type("words")
        connects.set()
        await driver.until(lambda: [one.state for one in driver.conversation.outbox] == ["failed"])
        await driver.press("up")
        assert driver.chat.query_one(Composer).text == "words"


async def test_a_mistake_in_a_worker_a_timer_or_an_action_is_told_and_the_app_goes_on() -> None:
    def wrong() -> None:
        raise KeyError("na\x1b[31mme")

    async def wrong_work() -> None:
        wrong()

    async with open_app() as driver:
        driver.strict = False
        await driver.press(*"kept")
        driver.chat.run_worker(wrong_work())
        await driver.until_told("KeyError")
        (words,) = told(driver)
        assert "test_odd_answers.py:" in words
        assert "What you wrote is kept." in words
        assert "\x1b" not in words
        driver.chat.set_timer(0.01, wrong)
        await driver.until(lambda: len(driver.app.unexpected) == 2)
        driver.chat.action_files = wrong  # type: ignore[method-assign]
        await driver.press("f7")
        await driver.until(lambda: len(driver.app.unexpected) == 3)
        assert len(told(driver)) == 1, "the same words stand there already"
        await driver.press(*" on")
        assert driver.chat.query_one(Composer).text == "kept on"


async def test_an_assistant_that_is_malformed_costs_itself_alone() -> None:
    async def answer(method: str, path: str, sent: Json) -> tuple[int, Json]:
        if path == "/assistants":
            return 200, listed({"object": "assistant", "name": "No ID"}, assistant())
        return 200, listed()

    async with odd_server(answer), open_app(profile=PROFILE) as driver:
        assert [one["id"] for one in driver.chat.workspace.assistants.all] == ["asst_1"]


async def test_an_error_with_the_status_of_a_success_is_told_in_the_server_s_words() -> None:
    async def answer(method: str, path: str, sent: Json) -> tuple[int, Json]:
        return 200, {"error": {"message": "The quota of this team is used up."}}

    async with odd_server(answer), open_app(profile=PROFILE, connected=False) as driver:
        await driver.until(lambda: driver.chat.workspace.session.error is not None)
        assert "The quota of this team is used up." in str(driver.chat.workspace.session.error)
        await driver.press("f8")
        await driver.until_shown("The stores could not be listed.")
        await driver.until_told("The quota of this team is used up.")


THREAD = {"id": "thread_1", "object": "thread", "created_at": 1_700_000_000, "metadata": {}}


@pytest.mark.parametrize("arrived", [False, True], ids=["lost on its way", "with the server"])
@pytest.mark.parametrize("hangs", ["/threads", "/threads/thread_1/messages"])
async def test_a_message_being_sent_can_be_taken_back(hangs: str, arrived: bool) -> None:
    waiting, never = asyncio.Event(), asyncio.Event()
    stored: list[Json] = []

    async def answer(method: str, path: str, sent: Json) -> tuple[int, Json]:
        if method == "POST" and path == hangs:
            if arrived and path.endswith("messages"):
                stored.append(message(str(sent["content"])))
            waiting.set()
            await never.wait()
        if method == "DELETE":
            stored.clear()
            return 200, {"id": "msg_1", "object": "thread.message.deleted", "deleted": True}
        if (method, path) == ("POST", "/threads"):
            return 200, THREAD
        if path == "/threads/thread_1/messages":
            return 200, listed(*stored)
        return 200, listed(*([assistant()] if path == "/assistants" else []))

    async with odd_server(answer), open_app(profile=PROFILE) as driver:
        await driver.type("to be taken back")
        await asyncio.wait_for(waiting.wait(), 30)
        await driver.until_shown("Sending")
        await driver.press("escape")
        composer = driver.chat.query_one(Composer)
        await driver.until(lambda: composer.text == "to be taken back")
        assert not driver.conversation.outbox and not stored and not driver.conversation.messages
        assert driver.conversation.error is None
        never.set()


async def test_a_message_whose_run_is_being_begun_stays_in_the_thread() -> None:
    waiting, never = asyncio.Event(), asyncio.Event()
    stored: list[Json] = []

    async def answer(method: str, path: str, sent: Json) -> tuple[int, Json]:
        if method == "POST" and path.endswith("/runs"):
            waiting.set()
            await never.wait()
        if (method, path) == ("POST", "/threads"):
            return 200, THREAD
        if (method, path) == ("POST", "/threads/thread_1/messages"):
            stored.append(message("stays"))
            return 200, stored[0]
        if path == "/threads/thread_1/messages":
            return 200, listed(*stored)
        return 200, listed(*([assistant()] if path == "/assistants" else []))

    async with odd_server(answer), open_app(profile=PROFILE) as driver:
        await driver.type("stays")
        await asyncio.wait_for(waiting.wait(), 30)
        await driver.press("escape")
        await driver.until(lambda: not driver.conversation.busy)
        assert not driver.conversation.outbox
        assert driver.chat.query_one(Composer).text == ""
        assert len(driver.conversation.messages) == 1
        await driver.until_shown("already and stays there without")
        never.set()
        waiting.clear()
        await driver.press("ctrl+r")
        await asyncio.wait_for(waiting.wait(), 30)
        assert driver.conversation.error is None, "it is answered now"


async def test_a_message_that_the_server_may_have_keeps_its_warning() -> None:
    waiting, never = asyncio.Event(), asyncio.Event()

    async def answer(method: str, path: str, sent: Json) -> tuple[int, Json]:
        if (method, path) == ("POST", "/threads"):
            return 200, THREAD
        if path == "/threads/thread_1/messages":
            if method == "POST":
                waiting.set()
                await never.wait()
            elif waiting.is_set():
                return 403, {"error": {"message": "not for you"}}
        return 200, listed(*([assistant()] if path == "/assistants" else []))

    async with odd_server(answer), open_app(profile=PROFILE) as driver:
        await driver.type("perhaps there")
        await asyncio.wait_for(waiting.wait(), 30)
        await driver.press("escape")
        await driver.until(lambda: [one.state for one in driver.conversation.outbox] == ["failed"])
        await driver.until_shown("does not say whether it has the")
        assert driver.chat.query_one(Composer).text == ""
        never.set()
