"""Code that no sandbox confines is shown before it runs: run once, edited, or rejected with a reason."""

import json
import time

import pytest
from textual import events

from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.panes import code_approval
from assistants_tui.tui.panes.code_approval import CodeApprovalPanel
from support.app import open_app, use_model
from support.code_interpreter import NO_SANDBOX_HERE
from support.model_endpoint import ModelEndpoint, calls, says


def code(source: str) -> tuple[str, str]:
    return "code_interpreter", json.dumps({"code": source})


def without_sandbox(url: str) -> None:
    use_model(url)
    with user_paths().config_file.open("a") as config:
        config.write(f'[code]\nsandbox = "{NO_SANDBOX_HERE}"\n')


async def test_code_is_seen_before_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_approval, "_ARMED", 0.0)
    async with ModelEndpoint(
        calls(code("print('one')  # \u202e"), code("print('two')")),
        calls(code("print('three')")),
        says("Done."),
    ) as endpoint:
        without_sandbox(endpoint.url)
        async with open_app((100, 30)) as driver:
            await driver.type("Go")
            await driver.until_shown("Run this code without a sandbox? · 9:5")
            await driver.until_shown("print('one')  # \ufffd")
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
            driver.app.post_message(events.Paste("print(6*7)\n"))
            await driver.until_shown("2  print('one')")
            driver.app.simulate_key("ctrl+s")  # the panel goes, and with it who would tell `press`
            await driver.until_shown("print('two')")
            await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
            await driver.press("d")
            await driver.until_shown("Reason for the model")
            driver.app.post_message(events.Paste("not now"))
            await driver.until_shown("not now")
            driver.app.simulate_key("enter")
            await driver.until_shown("print('three')")
            await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
            driver.app.simulate_key("r")
            await driver.until_answered()
            await driver.until(lambda: driver.app.focused is driver.chat.query_one("#composer"))
            await driver.until_shown("Done.")
            assert not driver.app.screen.query(CodeApprovalPanel)
        results = [m["content"] for m in endpoint.chats[-1]["messages"] if m["role"] == "tool"]
        assert results == [
            "[The user has edited this code before running it.]\n42\none\n",
            '[The user did not let this code run. Their reason: "not now"]\n',
            "three\n",
        ]


async def test_a_lost_window_leaves_the_question_and_stopping_or_time_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ModelEndpoint(calls(code("print('one')")), calls(code("print('two')"))) as endpoint:
        without_sandbox(endpoint.url)
        async with open_app((80, 24)) as driver:
            await driver.type("Go")
            await driver.until_shown("print('one')")
            thread_id = driver.conversation.thread_id
        async with open_app((80, 24), thread_id=thread_id) as driver:
            await driver.until_shown("Run this code without a sandbox?")
            await driver.until_shown("print('one')")
            await driver.press("escape")
            await driver.until(lambda: not driver.conversation.busy)
            assert driver.conversation.latest_run is not None
            assert driver.conversation.latest_run.status == "cancelled"
            await driver.until(lambda: not driver.app.screen.query(CodeApprovalPanel))

            await driver.type("Go on")
            await driver.until_shown("print('two')")
            real = time.time
            monkeypatch.setattr(time, "time", lambda: real() + 601)
            monkeypatch.setattr(code_approval, "time", time.time)
            await driver.until(lambda: not driver.conversation.busy)
            assert driver.conversation.latest_run.status == "expired"
            await driver.until(lambda: not driver.app.screen.query(CodeApprovalPanel))
            await driver.until_shown("The run expired before it ended")
        assert len(endpoint.chats) == 2
