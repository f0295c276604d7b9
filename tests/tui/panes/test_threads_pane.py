"""The history: kept in order, searched, and told what happens in the background."""

import asyncio
from unittest.mock import Mock

import pytest
from textual import events
from textual.widgets import Input

from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.threads import ThreadIndex, ThreadReference
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.panes.conversation import ConversationPane
from support.app import Driver, open_app, open_app_with
from support.model_endpoint import DONE, Reply, chunk, says


def titles(driver: Driver) -> list[str]:
    return [one.title for one in driver.chat.workspace.threads.shown]


async def test_pinning_archiving_and_taking_back() -> None:
    async with open_app_with(says("Five.")) as driver:
        await driver.type("2 + 3")
        await driver.until_answered()
        await driver.until(lambda: titles(driver) == ["2 + 3"])
        driver.chat.query_one("#thread-list").focus()
        await driver.press("p")
        await driver.until_shown("Pinned")
        await driver.press("a")
        await driver.until_shown("No threads yet")
        await driver.press("A")
        await driver.until_shown("Archive")
        await driver.until(lambda: titles(driver) == ["2 + 3"])
        await driver.press("A")
        await driver.until(lambda: titles(driver) == [])
        await driver.press("u")
        await driver.until(lambda: titles(driver) == ["2 + 3"])
        await driver.until_told("Undone: “2 + 3” had been archived.")
        await driver.press("y")
        assert driver.app.clipboard == driver.conversation.thread_id


async def test_a_change_of_another_window_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_app() as driver:
        reference = ThreadReference(profile="local", id="thread_x", title="From the other window")
        ThreadIndex(user_paths().threads_file).add(reference)
        driver.app.app_focus = False
        await driver.pilot.pause()
        driver.app.app_focus = True
        await driver.until_shown("From the other window")
        # and without, as soon as the file has changed; as long as it has not, nothing is read
        read = Mock(wraps=driver.chat.workspace.threads.history.list)
        monkeypatch.setattr(driver.chat.workspace.threads.history, "list", read)
        for _ in range(3):
            await driver.chat.workspace.conversations.notice()
        assert not read.called
        ThreadIndex(user_paths().threads_file).update("local", "thread_x", title="Renamed there")
        await driver.until_shown("Renamed there")


async def test_threads_of_the_server_are_offered_and_added_by_id() -> None:
    async with open_app() as driver:
        backend = await driver.chat.workspace.session.backend()
        one = await backend.threads.create({"messages": [{"role": "user", "content": "Made elsewhere"}]})
        await backend.threads.create({"messages": [{"role": "user", "content": "Made there too"}]})
        driver.chat.query_one("#thread-list").focus()
        await driver.press("plus")
        await driver.until_shown("ID of the thread")
        await driver.type("thread_of_nobody")
        await driver.until_told("has no thread “thread_of_nobody”")
        await driver.press("plus")
        await driver.until_shown("ID of the thread")
        await driver.type(one["id"])
        await driver.until(lambda: titles(driver) == ["Made elsewhere"])
        await driver.chat.workspace.session.connect()
        await driver.until_shown("＋ 1 more on the server")
        driver.chat.query_one("#thread-list").focus()
        await driver.press("end", "enter")
        await driver.until_shown("Add 1 thread of the server?")
        await driver.press("right", "enter")
        await driver.until(lambda: set(titles(driver)) == {"Made elsewhere", "Made there too"})
        await driver.until(lambda: "more on the server" not in driver.screen)


async def test_a_hit_of_the_search_jumps_to_its_message() -> None:
    async with open_app(size=(80, 24)) as driver:
        backend = await driver.chat.workspace.session.backend()
        said = [{"role": "user", "content": f"number {n}\n\n" + "line\n" * 5} for n in range(20)]
        said[3]["content"] = "The zebra is hidden here.\n" + "line\n" * 60
        said[5]["content"] = "Extraordinarily " * 9 + "long words stand before this quagga."
        thread = await backend.threads.create({"messages": said})
        await driver.chat.workspace.conversations.add(thread["id"])
        await driver.press("ctrl+n")
        await driver.type("/search quag")
        await driver.until_shown("quagga")
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.type("/search zeb")
        await driver.until_shown("Search all threads")
        await driver.until_shown("The zebra is hidden")
        await driver.press("enter")
        await driver.until(lambda: driver.conversation.thread_id == thread["id"])
        await driver.until(lambda: driver.app.focused is driver.chat.query_one("#messages"))
        await driver.until_shown("The zebra is hidden here.")
        item = driver.chat.query_one("#messages", MessageView).selected_item
        assert item is not None
        assert item.text.startswith("The zebra")


async def test_finding_in_the_thread_goes_from_match_to_match() -> None:
    async with open_app(size=(140, 24)) as driver:
        backend = await driver.chat.workspace.session.backend()
        said = [{"role": "user", "content": f"number {n}\n\n" + "line\n" * 5} for n in range(30)]
        for place in (2, 9):
            said[place]["content"] = "line\n" * 20 + f"A Needle in {place}."
        thread = await backend.threads.create({"messages": said})
        await driver.chat.workspace.conversations.add(thread["id"])
        await driver.press("ctrl+f", *"needle")
        await driver.until_shown("1 of 2")
        assert "A Needle in 9." in driver.screen
        await driver.press("enter")
        await driver.until_shown("2 of 2")
        assert "A Needle in 2." in driver.screen
        await driver.press("down")
        await driver.until_shown("1 of 2")
        await driver.press("x")
        await driver.until_shown("nothing found")
        await driver.press("escape")
        await driver.until(lambda: not driver.chat.query_one("#find").display)
        assert driver.chat.query_one(ConversationPane).query_one("#find Input", Input).value == "needlex"


async def test_an_answer_in_the_background_is_marked_told_and_read() -> None:
    go_on = asyncio.Event()
    held = Reply([chunk({"content": "Well"}), go_on, chunk({"content": "."}, "stop"), DONE])
    async with open_app_with(held) as driver:
        await driver.type("Tell me what you can do")
        await driver.until(lambda: driver.texts[1:] == ["Well"])
        first = driver.conversation
        await driver.press("ctrl+n")
        await driver.until_shown("⋯ Tell me what you can")
        go_on.set()
        await driver.until_shown("◆ Tell me what you can")
        await driver.until_told("Run completed")
        await driver.chat.workspace.conversations.open(first.thread_id or "")
        await driver.until_shown("● Tell me what you can")


async def test_a_thread_is_saved_and_nothing_is_overwritten_without_asking() -> None:
    async with open_app_with(says("Five.")) as driver:
        await driver.type("2 + 3")
        await driver.until_answered()
        await driver.type("/export h")
        await driver.until_shown("Export “2 + 3”")
        await driver.press("up")
        path = driver.chat.workspace.exporter.folder / "2 + 3.md"
        await driver.until_shown("2 + 3.md")
        await driver.press("enter")
        await driver.until_told("Exported")
        assert "Five." in path.read_text()
        path.write_text("mine")
        driver.chat.query_one("#thread-list").focus()
        await driver.press("e")
        await driver.until_shown("Export “2 + 3”")
        await driver.press("enter")
        await driver.until_shown("Overwrite the file?")
        await driver.press("enter")
        await driver.until_told("exists")
        assert path.read_text() == "mine"
        await driver.press("e")
        await driver.until_shown("Export “2 + 3”")
        await driver.press("enter")
        await driver.until_shown("Overwrite the file?")
        await driver.press("right", "enter")
        await driver.until(lambda: "Five." in path.read_text())


async def test_keys_that_come_faster_than_the_focus_moves_go_where_it_moves_to() -> None:
    async with open_app() as driver:
        await driver.type("2 + 3")
        await driver.until_answered()
        driver.chat.query_one("#thread-list").focus()
        await driver.pilot.pause()
        for key in ("slash", *"dada"):  # d deletes, and a archives: but these are letters
            driver.app.post_message(events.Key(key, "/" if key == "slash" else key))
        field = driver.chat.query_one("#thread-filter", Input)
        await driver.until(lambda: field.value == "dada" or driver.app.screen is not driver.chat)
        assert field.value == "dada" and field.has_focus
        assert driver.app.screen is driver.chat
