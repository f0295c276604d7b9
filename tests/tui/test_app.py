"""The app on its embedded engine: what a user sees and does on the first day."""

import asyncio
import re
import subprocess
import sys
import threading
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.drafts import load_draft
from assistants_tui.settings.files import locked
from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.threads import ThreadIndex
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.widgets.virtual_list import VirtualList
from support.app import EQUATION, open_app, use_model
from support.model_endpoint import DONE, ModelEndpoint, Reply, calls, chunk, says

BEGINNING = "Once upon a time"


def held(go_on: asyncio.Event) -> Reply:
    """An answer that stops in the middle until `go_on` is set."""
    return Reply(
        [
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": BEGINNING}),
            go_on,
            chunk({"content": ". The end."}),
            chunk(finish_reason="stop"),
            DONE,
        ]
    )


async def test_the_first_launch_offers_assistants_and_is_ready_to_type() -> None:
    async with open_app() as driver:
        for name in ("Math Tutor", "Data Visualizer", "HR Helper", "Weather Bot"):
            assert name in driver.screen
        assert "Math Tutor is ready" in driver.screen
        assert driver.app.focused is driver.chat.query_one("#composer")
        config = user_paths().config_file
        await driver.until(config.exists)
        assert config.stat().st_mode & 0o777 == 0o600
        assert load_config(config).problems == ()


async def test_the_quickstart_is_answered_by_running_code() -> None:
    async with open_app() as driver:
        await driver.type(EQUATION)
        await driver.until_answered()
        assert driver.texts[0] == EQUATION
        assert "x = 1" in driver.texts[1]
        await driver.until_shown("completed")
        await driver.until_shown("code interpreter ✓")
        for shown in ("input", "logs", "x = 1", "message ✓", "tok"):
            assert shown in driver.screen
        state = driver.conversation.latest_run
        assert state is not None
        code, message = state.steps.values()
        call = code["step_details"]["tool_calls"][0]["code_interpreter"]
        assert "3*x + 11" in call["input"]
        assert "x = 1" in "".join(output["logs"] for output in call["outputs"]).splitlines()
        assert message["type"] == "message_creation"


async def test_a_second_turn_goes_on_in_the_same_thread_and_an_unknown_question_is_answered_honestly() -> (
    None
):
    async with open_app() as driver:
        await driver.type("2 + 3")
        await driver.until_answered()
        thread_id = driver.conversation.thread_id
        await driver.type("Write me a poem about the sea")
        await driver.until_answered(runs=2)
        assert driver.conversation.thread_id == thread_id
        assert len(driver.texts) == 4
        assert "model_url" in driver.texts[3]
        assert "not a language model" in driver.texts[1] + driver.texts[3]


async def test_everything_is_there_again_after_a_restart() -> None:
    async with open_app() as driver:
        await driver.type(EQUATION)
        await driver.until_answered()
        before = driver.conversation
        texts = driver.texts
        await driver.quit()
    async with open_app() as driver:
        await driver.until(lambda: driver.conversation.runs and not driver.conversation.busy)
        await driver.until_shown("code interpreter")
        assert driver.texts == texts
        assert driver.conversation.runs == before.runs
        assert driver.conversation.run_pages.usage.tokens == before.run_pages.usage.tokens > 0
        assert "I need to solve the equation 3x + 11 = 14." in driver.screen


async def test_a_second_thread_and_back() -> None:
    async with open_app() as driver:
        await driver.type("2 + 3")
        await driver.until_answered()
        first = driver.conversation.thread_id
        detail = driver.chat.query_one("#run-detail", MessageView)
        await driver.until(lambda: detail.items)
        assert re.search(r"completed (\d+|< 1) s$", driver.screen.splitlines()[0]), (
            "the server counts whole seconds"
        )
        await driver.press("ctrl+n")
        await driver.until_shown("Math Tutor is ready")
        await driver.until_shown("No run yet.")
        assert not detail.items
        await driver.type("7 * 6")
        await driver.until_answered()
        assert driver.conversation.thread_id != first
        assert driver.texts[0] == "7 * 6"
        threads = driver.chat.query_one("#thread-list", VirtualList)
        await driver.until(lambda: threads.cursor == 1)  # below the heading: the cursor is on the open thread
        threads.focus()
        await driver.press("down", "enter")
        await driver.until(lambda: driver.conversation.thread_id == first)
        await driver.until(lambda: driver.texts[:1] == ["2 + 3"])


async def test_renaming_and_deleting_a_thread() -> None:
    async with open_app() as driver:
        await driver.type("2 + 3")
        await driver.until_answered()
        thread_id = driver.conversation.thread_id
        assert thread_id is not None
        driver.chat.query_one("#thread-list").focus()
        await driver.press("r")
        await driver.until_shown("Title of the thread")
        await driver.press("end", *"!", "enter")
        await driver.until_shown("2 + 3!")
        await driver.press("d")
        await driver.until_shown("Delete")
        await driver.press("right", "right", "enter")
        await driver.until_shown("No threads yet")
        assert ThreadIndex(user_paths().threads_file).list("local") == []
        backend = await driver.chat.workspace.session.backend()
        listed = await backend.threads.list()
        assert listed is not None
        assert thread_id not in [thread["id"] for thread in listed.items]


async def test_deleting_here_only_keeps_the_thread_on_the_server() -> None:
    async with open_app() as driver:
        await driver.type("2 + 3")
        await driver.until_answered()
        thread_id = driver.conversation.thread_id
        driver.chat.query_one("#thread-list").focus()
        await driver.press("d")
        await driver.until_shown("Here only")
        await driver.press("right", "enter")
        await driver.until_shown("No threads yet")
        backend = await driver.chat.workspace.session.backend()
        listed = await backend.threads.list()
        assert listed is not None
        assert thread_id in [thread["id"] for thread in listed.items]


async def test_escape_stops_a_run_and_keeps_what_was_written() -> None:
    async with ModelEndpoint(held(asyncio.Event()), says("Again.")) as endpoint:
        use_model(endpoint.url)
        async with open_app() as driver:
            await driver.type("Tell me a story")
            await driver.until(lambda: driver.texts[1:] == [BEGINNING])
            assert "in progress" in driver.screen
            await driver.press("escape")
            await driver.until_answered()
            state = driver.conversation.latest_run
            assert state is not None
            assert state.status == "cancelled"
            await driver.until_shown("Stopped. What was written so far is kept.")
            assert driver.texts[1] == BEGINNING
            await driver.type("Again")
            await driver.until_answered(runs=2)
            assert driver.texts[-1] == "Again."


async def test_what_is_sent_during_a_run_waits_for_its_end() -> None:
    go_on = asyncio.Event()
    async with ModelEndpoint(held(go_on), says("Two.")) as endpoint:
        use_model(endpoint.url)
        async with open_app() as driver:
            await driver.type("One?")
            await driver.until(lambda: driver.texts[1:] == [BEGINNING])
            await driver.type("Two?")
            await driver.until_shown("Waiting: goes out when the run ends")
            assert driver.texts == ["One?", BEGINNING, "Two?"]
            go_on.set()
            await driver.until_answered(runs=2)
            assert driver.texts == ["One?", f"{BEGINNING}. The end.", "Two?", "Two."]


async def test_a_model_endpoint_gets_the_conversation_and_its_tools_run() -> None:
    code = calls(("code_interpreter", '{"code": "print(6 * 7)"}'))
    async with ModelEndpoint(code, says("It is ", "**42**.")) as endpoint:
        use_model(endpoint.url)
        async with open_app() as driver:
            await driver.type("What is 6 times 7?")
            await driver.until_answered()
            assert driver.texts == ["What is 6 times 7?", "It is **42**."]
            await driver.until_shown("logs  42")
        first, second = endpoint.chats
        assert first["messages"][-1] == {"role": "user", "content": "What is 6 times 7?"}
        assert "42" in second["messages"][-1]["content"]


async def test_function_calls_are_answered_in_place() -> None:
    async with open_app(assistant="Weather Bot") as driver:
        await driver.type("What is the weather in Oulu?")
        await driver.until_shown("The run waits for")
        assert "getCurrentWeather" in driver.screen
        assert "Oulu" in driver.screen
        await driver.press("ctrl+q")
        await driver.until_shown("A run is waiting for you.")
        assert "Let it wait, and quit" in driver.screen
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.type("3 degrees and snow")
        await driver.until_answered()
        assert "3 degrees and snow" in driver.texts[-1]
        await driver.until(lambda: driver.app.focused is driver.chat.query_one("#composer"))


async def test_a_run_that_waits_for_the_user_waits_on_when_the_app_is_left() -> None:
    async with open_app(assistant="Weather Bot") as driver:
        await driver.type("What is the weather in Oulu?")
        await driver.until_shown("The run waits for")
        driver.chat.query_one("#composer").focus()
        await driver.pilot.pause()
        await driver.type("And in Bath?")
        await driver.until(lambda: driver.conversation.outbox)
        await driver.press("ctrl+q")
        await driver.until_shown("A run is waiting for you.")
        await driver.press("right", "enter")
        await driver.until(lambda: not driver.app.is_running)
    async with open_app() as driver:
        await driver.until_shown("The run waits for")
        await driver.until_shown("And in Bath?")
        assert driver.conversation.activity == "waiting"


@pytest.mark.parametrize(
    ("keys", "status", "text"),
    [
        (["right", "right", "enter"], "cancelled", "Once upon a time"),
        (["right", "enter"], "completed", "Once upon a time. The end."),
    ],
    ids=["stop", "wait"],
)
async def test_leaving_during_a_run_asks_and_loses_nothing(keys: list[str], status: str, text: str) -> None:
    go_on = asyncio.Event()
    async with ModelEndpoint(held(go_on)) as endpoint:
        use_model(endpoint.url)
        async with open_app() as driver:
            await driver.type("Tell me a story")
            await driver.until(lambda: driver.texts[1:] == [BEGINNING])
            await driver.press("ctrl+q")
            await driver.until_shown("still in progress")
            await driver.press("escape")
            await driver.until(lambda: driver.app.screen is driver.chat)
            assert driver.conversation.active_run is not None
            await driver.press("ctrl+q")
            await driver.until_shown("still in progress")
            await driver.press(*keys)
            if status == "completed":
                go_on.set()
            await driver.until(lambda: not driver.app.is_running)
        async with open_app() as driver:
            await driver.until(lambda: len(driver.texts) == 2)
            state = driver.conversation.latest_run
            assert state is not None
            assert state.status == status
            assert driver.texts[1] == text


async def test_two_windows_lose_nothing() -> None:
    async with open_app() as one, open_app() as two:
        await one.type("2 + 3")
        await two.type("7 * 6")
        await one.until_answered()
        await two.until_answered()
        assert "5" in one.texts[1]
        assert "42" in two.texts[1]
    references = ThreadIndex(user_paths().threads_file).list("local")
    assert {reference.title for reference in references} == {"2 + 3", "7 * 6"}


async def test_two_windows_in_one_thread_show_the_same_messages() -> None:
    async with open_app() as one:
        await one.type("2 + 3")
        await one.until_answered()
        async with open_app() as two:
            await two.until(lambda: len(two.texts) == 2)
            await two.type("7 * 6")
            await two.until_answered(runs=2)
            await one.until_answered(runs=2)
            assert one.texts == two.texts
            assert "42" in one.texts[3]


@pytest.mark.parametrize("thread_id", [None, "thread_1"])
async def test_the_app_goes_on_while_it_waits_for_the_lock_of_a_damaged_history(
    monkeypatch: pytest.MonkeyPatch, thread_id: str | None
) -> None:
    file = user_paths().threads_file
    file.parent.mkdir(parents=True)
    file.write_text("[[threads")
    loop = asyncio.get_running_loop()
    with ExitStack() as other_window:
        other_window.enter_context(locked(file))

        def asked(path: Path) -> AbstractContextManager[None]:
            loop.call_soon_threadsafe(other_window.close)  # heard while the app waits, or never
            return locked(path)

        monkeypatch.setattr("assistants_tui.settings.threads.locked", asked)
        async with open_app(connected=False, thread_id=thread_id) as driver:
            await driver.until(lambda: driver.app._notifications)
            (told,) = driver.app._notifications
            assert "0 threads came back from the previous version." in told.message


async def test_the_app_starts_with_a_history_that_cannot_be_read_and_ends_whatever_closing_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = asyncio.Event()

    async def failing() -> None:
        await go_on.wait()
        raise OSError("the disk \x1b[2J is gone")

    user_paths().threads_file.mkdir(parents=True)
    async with open_app(thread_id="thread_1") as driver:
        await driver.until_told("threads.toml cannot be read: Is a directory.")
        await driver.press(*"half a sentence")
        workspace = driver.chat.workspace
        monkeypatch.setattr(workspace.file_names, "close", failing)
        for _ in range(2):
            driver.app.simulate_key("ctrl+q")
        await driver.until(lambda: workspace.closing)
        driver.app._exit_signals.begin(143)  # as the signal of a system that shuts down
        go_on.set()
        await driver.until(lambda: not driver.app.is_running)
        assert not workspace._connection.is_open
        assert driver.app.return_code == 143
        (told,) = driver.app._exit_renderables
        assert str(told) == "Not everything could be closed in order: the disk ␛[2J is gone"
    assert load_draft(user_paths().drafts_dir, "local", "thread_1").text == "half a sentence"


async def test_a_disk_that_is_slow_at_the_end_costs_nothing_that_was_to_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk, kept = threading.Event(), list[str]()
    monkeypatch.setattr("assistants_tui.tui.exit_signals._LAST_SECONDS", 0.1)
    # called when the time is over
    monkeypatch.setattr("assistants_tui.tui.exit_signals.end_children", disk.set)
    async with open_app() as driver:
        driver.app._keeper.keep(lambda: kept.append("first" if disk.wait(60) else "never"))
        driver.app._keeper.keep(lambda: kept.append("second"))
        driver.app._exit_signals.begin(143)
        await driver.until(lambda: driver.app.return_code == 143)
        assert kept[:2] == ["first", "second"]


async def test_what_cannot_be_kept_does_not_hold_up_what_comes_after_it() -> None:
    kept: list[str] = []

    def wrong() -> None:
        raise UnicodeError("not to be written")

    async with open_app() as driver:
        driver.strict = False
        driver.app._keeper.keep(wrong)
        driver.app._keeper.keep(lambda: kept.append("next"))
        await driver.until_told("UnicodeError")
        await driver.until(lambda: kept == ["next"])


def test_a_signal_after_the_end_of_the_app_makes_no_noise() -> None:
    program = """
import asyncio, os, signal
from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.app import AssistantsApp

async def leave() -> None:
    AssistantsApp(user_paths())._exit_signals.on_signals(None)

asyncio.run(leave())
os.kill(os.getpid(), signal.SIGHUP)
"""
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
