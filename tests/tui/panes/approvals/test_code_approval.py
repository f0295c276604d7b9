"""Code that no sandbox confines is shown before it runs: run once, edited, or rejected with a reason."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual import events
from textual.widgets import Button

from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.dialogs.exact_text import ExactTextScreen
from assistants_tui.tui.keyboard import question_guard
from assistants_tui.tui.markdown.code import lexers
from assistants_tui.tui.panes.approvals.code_approval import CodeApprovalPanel
from assistants_tui.tui.panes.approvals.fields import CodeField
from assistants_tui.tui.panes.approvals.reason_field import ReasonField
from assistants_tui.tui.widgets.composer import Composer
from support.app import Driver, open_app, use_model
from support.code_interpreter import NO_SANDBOX_HERE
from support.model_endpoint import ModelEndpoint, calls, says

EDITED = "[The user has edited this code before running it.]\n"


def code(source: str) -> tuple[str, str]:
    return "code_interpreter", json.dumps({"code": source})


def without_sandbox(url: str) -> None:
    use_model(url)
    with user_paths().config_file.open("a") as config:
        config.write(f'[code]\nsandbox = "{NO_SANDBOX_HERE}"\n')


async def test_code_is_seen_before_it_runs() -> None:
    async with ModelEndpoint(
        calls(code("print('one')  # \u202e\r\nprint('more')\r\n"), code("print('two')")),
        calls(code("print('three')")),
        says("Done."),
    ) as endpoint:
        without_sandbox(endpoint.url)
        async with open_app((100, 30)) as driver:
            await driver.type("Go")
            await driver.until_shown("Run this code without a sandbox? · 9:5")
            await driver.until_shown("print('one')  # ‹U+202E›")
            assert "It can use your files, keys and network." in driver.screen
            assert "No sandbox: " in driver.screen
            assert driver.conversation.activity == "waiting"
            await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
            await driver.press("e")
            await driver.until_shown("1  print('one')  # \ufffd")
            await driver.press("escape")
            await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
            await driver.press("e")
            await driver.until_shown("1  print('one')")
            await driver.press("down", "down")
            driver.app.post_message(events.Paste("print(6*7)\n"))
            await driver.until_shown("3  print(6*7)")
            thread_id = driver.conversation.thread_id or ""
            await driver.press("ctrl+n")
            await driver.until(lambda: not driver.app.screen.query(CodeApprovalPanel))
            await driver.chat.workspace.conversations.open(thread_id)
            await driver.until_shown("3  print(6*7)")  # what was begun is still there
            await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
            driver.app.simulate_key("ctrl+s")  # the panel goes, and with it who would tell `press`
            await driver.until_shown("print('two')")
            await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
            await driver.press("d")
            await driver.until_shown("Reason for the model")
            driver.app.post_message(events.Paste("n" * 2001))
            await driver.press("enter")
            await driver.until_told("The reason is too long")
            driver.app.screen.query_one(ReasonField).value = ""
            driver.app.post_message(events.Paste("not\nnow"))
            await driver.until_shown("not now")
            driver.app.simulate_key("enter")
            await driver.until_shown("print('three')")
            await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
            old = ServiceError("An old trouble.")
            driver.conversation.report(old)
            panel = driver.app.screen.query_one(CodeApprovalPanel)
            panel.action_run()
            asked = []
            for trouble in (old, ServiceError("The decision is lost.")):
                driver.conversation.report(trouble)
                asked.append(not panel.approval.pending.sent)
            assert asked == [False, True], "what went wrong before is no reason to ask again"
            await driver.until_answered()
            await driver.until(lambda: driver.app.focused is driver.chat.query_one("#composer"))
            await driver.until_shown("Done.")
            assert not driver.app.screen.query(CodeApprovalPanel)
        results = [m["content"] for m in endpoint.chats[-1]["messages"] if m["role"] == "tool"]
        assert results == [
            "[The user has edited this code before running it.]\none\nmore\n42\n",
            '[The user did not let this code run. Their reason: "not now"]\n',
            "three\n",
        ]


async def test_a_lost_window_leaves_the_question_and_stopping_or_time_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on, two = asyncio.Event(), calls(code("print('two')"))
    two.body = [go_on, *two.body]
    async with ModelEndpoint(calls(code("print('one')")), two) as endpoint:
        without_sandbox(endpoint.url)
        async with open_app((80, 24)) as driver:
            now = 0.0
            monkeypatch.setattr(question_guard, "SECONDS", 0.5)
            monkeypatch.setattr(question_guard, "now", lambda: now)
            await driver.type("Go")
            await driver.until_shown("print('one')")
            await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
            panel = driver.app.screen.query_one(CodeApprovalPanel)
            for moment, key in (
                (0.1, "d"),
                (0.5, "x"),
                (0.9, "ctrl+s"),
                (1.3, "e"),
            ):  # of somebody who was typing
                now = moment
                await driver.press(key)
            assert driver.app.focused is panel
            assert not panel.query_one(CodeField).display
            assert not panel.query_one(ReasonField).display
            assert driver.conversation.activity == "waiting"
            now = 1.9
            await driver.press("d")
            await driver.until_shown("Reason for the model")
            thread_id = driver.conversation.thread_id
        monkeypatch.setattr(question_guard, "SECONDS", 0.0)
        async with open_app((80, 24), thread_id=thread_id) as driver:
            await driver.until_shown("Run this code without a sandbox?")
            await driver.until_shown("print('one')")
            await driver.press("escape")
            await driver.until_shown("Stop the run that waits for you?")
            await driver.press("enter")
            await driver.until(lambda: driver.app.screen is driver.chat)
            assert driver.conversation.activity == "waiting"
            await driver.press("escape")
            await driver.until_shown("Stop the run that waits for you?")
            await driver.press("right", "enter")
            await driver.until(lambda: not driver.conversation.busy)
            assert driver.conversation.latest_run is not None
            assert driver.conversation.latest_run.status == "cancelled"
            await driver.until(lambda: not driver.app.screen.query(CodeApprovalPanel))

            await driver.type("Go on")
            composer = driver.chat.query_one(Composer)
            await driver.press(*"hard")
            go_on.set()
            await driver.until_shown("print('two')")
            await driver.press("r", "d")
            assert (composer.text, driver.app.focused) == ("hardrd", composer)
            assert driver.conversation.activity == "waiting"
            real = time.time
            monkeypatch.setattr(time, "time", lambda: real() + 601)
            await driver.until(lambda: not driver.conversation.busy)
            assert driver.conversation.latest_run.status == "expired"
            await driver.until(lambda: not driver.app.screen.query(CodeApprovalPanel))
            await driver.until_shown("The run expired before it ended")
        assert len(endpoint.chats) == 2


@asynccontextmanager
async def asked_about(lines: Iterable[str], results: list[str]) -> AsyncIterator[Driver]:
    """An app that asks about code too long to be seen at once. In the end it is run, and gives `results`."""
    async with ModelEndpoint(calls(code("\n".join(lines))), says("Done.")) as endpoint:
        without_sandbox(endpoint.url)
        async with open_app((80, 24)) as driver:
            await driver.type("Go")
            await driver.until_shown("more lines: End, then it can run")
            await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
            yield driver
            driver.app.simulate_key("ctrl+s")  # the panel goes, and with it who would tell `press`
            await driver.until_answered()
        assert [m["content"] for m in endpoint.chats[-1]["messages"] if m["role"] == "tool"] == results


async def test_code_runs_only_when_its_end_was_in_sight() -> None:
    lines = [*(f"x{number} = {number}" for number in range(60)), "print('\u0430ll', 6 * 7)"]
    async with asked_about(lines, ["\u0430ll 42\n"]) as driver:
        await driver.press("ctrl+s")
        await driver.until_told("Not all of this code was in sight")
        await driver.press("e")
        await driver.until_shown("1  x0 = 0")
        await driver.press("ctrl+s")
        await driver.until(lambda: len(driver.told) == 2)
        await driver.press("escape")
        await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
        assert driver.conversation.activity == "waiting"
        for size in ((110, 40), (80, 24)):
            await driver.pilot.resize_terminal(*size)
            await driver.until_shown("more lines: End, then it can run")
        await driver.press("end")
        await driver.until_shown("print('‹U+0430 \u0430›ll', 6 * 7)")
        await driver.until_shown("this is its end")
        await driver.press("home")
        await driver.until_shown("x1 = 1")


async def test_edited_code_runs_when_its_end_is_in_sight() -> None:
    lines = [*(f"x{number} = {number}" for number in range(18)), "print(6 * 7)"]
    async with asked_about(lines, ["42\n"]) as driver:
        await driver.press("e")
        await driver.until_shown("PgDn, then it can run")
        await driver.until(lambda: isinstance(driver.app.focused, CodeField))
        await driver.press("pagedown", "pagedown")
        await driver.until_shown("this is its end")


async def test_code_that_is_not_drawn_to_its_end_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_guard, "SECONDS", 0.0)
    loaded = lexers.loaded
    monkeypatch.setattr(lexers, "loaded", lambda language: False)
    async with ModelEndpoint(calls(code("print('one')")), says("Done.")) as endpoint:
        without_sandbox(endpoint.url)
        async with open_app((100, 30)) as driver:
            await driver.type("Go")
            await driver.until_shown("print('one')")
            await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
            await driver.press("end", "ctrl+s")
            await driver.until_told("Not all of this code was in sight")
            monkeypatch.setattr(lexers, "loaded", loaded)
            panel = driver.app.screen.query_one(CodeApprovalPanel)
            await driver.until(
                lambda: panel.approval.pending.code is not None and panel.approval.pending.code.seen
            )


async def test_what_is_shown_after_editing_is_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_guard, "SECONDS", 0.0)
    lines = [*(f"x{number} = {number}" for number in range(40)), "print(6 * 7)"]
    async with asked_about(lines, [f"{EDITED}edited\n"]) as driver:
        panel = driver.app.screen.query_one(CodeApprovalPanel)

        async def leave_the_editor(choose: str) -> None:
            await driver.press("e")
            await driver.until(lambda: isinstance(driver.app.focused, CodeField))
            panel.query_one(CodeField).text = "print('edited')  # \u0430"
            await driver.until_shown("print('edited')")
            await driver.press("escape")
            await driver.until_shown("Keep the changed code?")
            driver.app.screen.query_one(f"#choice-{choose}", Button).press()
            await driver.until(lambda: driver.app.screen is driver.chat)

        await leave_the_editor("edit")
        await driver.until(lambda: isinstance(driver.app.focused, CodeField))
        await driver.press("escape")
        await driver.until_shown("Keep the changed code?")
        driver.app.screen.query_one("#choice-discard", Button).press()
        await driver.until_shown("x1 = 1")
        await driver.press("ctrl+s")
        await driver.until_told("Not all of this code was in sight")
        await leave_the_editor("keep")
        await driver.until_shown("Code, changed by you")
        await driver.until_shown("print('edited')  # ‹U+0430 \u0430›")
        assert "x1 = 1" not in driver.screen
        thread_id = driver.conversation.thread_id or ""
        await driver.press("ctrl+n")
        await driver.until(lambda: not driver.app.screen.query(CodeApprovalPanel))
        await driver.chat.workspace.conversations.open(thread_id)
        await driver.until_shown("Code, changed by you")
        await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))


async def test_a_long_reason_is_shown_whole_on_request() -> None:
    async with ModelEndpoint(calls(code("print(1)"))) as endpoint:
        without_sandbox(endpoint.url)
        async with open_app((80, 24)) as driver:
            await driver.type("Go")
            await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
            panel, why = driver.app.screen.query_one(CodeApprovalPanel), "because " * 60 + "of this"
            panel.approval.edit(lambda code: replace(code, why_unconfined=why))
            await driver.pilot.resize_terminal(90, 30)
            await driver.until_shown("…  w shows all")
            await driver.press("w")
            await driver.until_shown("of this")
            assert isinstance(driver.app.screen, ExactTextScreen)
            await driver.press("escape")
            await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
