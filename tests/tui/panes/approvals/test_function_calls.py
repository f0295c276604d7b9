"""Function calls that a run waits for: nothing is sent by accident, and nobody loses the keys."""

import asyncio
import json
import time
from dataclasses import replace

import pytest
from textual import events
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.keyboard import question_guard
from assistants_tui.tui.panes.approvals.call_card import CallCard
from assistants_tui.tui.panes.approvals.fields import OutputField
from assistants_tui.tui.panes.approvals.function_calls import FunctionCallsPanel
from assistants_tui.tui.panes.approvals.question import DeadlineLine
from assistants_tui.tui.widgets.composer import Composer
from support.app import Driver, open_app_with
from support.model_endpoint import calls, says


async def asked(driver: Driver) -> OutputField:
    """The field for the output of the call that the run waits for."""
    await driver.type("Go")
    await driver.until(lambda: isinstance(driver.app.focused, OutputField))
    assert isinstance(driver.app.focused, OutputField)
    return driver.app.focused


async def test_an_empty_output_is_asked_about_and_the_keys_go_back_to_the_composer() -> None:
    weather = calls(("getCurrentWeather", '{"location": "Oulu"}'))
    async with open_app_with(weather, says("Cold."), assistant="Weather Bot") as driver:
        await asked(driver)
        await driver.press("enter")
        await driver.until_shown("Send an empty output?")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.chat)
        assert driver.conversation.activity == "waiting"
        await driver.press(*"5 C", "enter")
        await driver.until_answered()
        assert "Cold." in driver.texts[1]
        await driver.until(lambda: driver.app.focused is driver.chat.query_one(Composer))
        await driver.press(*"more")
        assert driver.chat.query_one(Composer).text == "more"


async def test_keys_of_somebody_who_was_typing_are_no_output(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(question_guard, "SECONDS", 0.5)
    monkeypatch.setattr(question_guard, "now", lambda: now)
    weather = calls(("getCurrentWeather", '{"location": "Oulu"}'))
    async with open_app_with(weather, assistant="Weather Bot") as driver:
        field = await asked(driver)
        for moment, key in ((0.1, "o"), (0.5, "k"), (0.9, "enter")):
            now = moment
            await driver.press(key)
        assert [told for told in driver.told if "Pause" in told] == [
            "Pause, then answer Keys that come right after a question are not taken as its answer."
        ]
        assert field.text == ""
        assert driver.app.screen is driver.chat
        now = 2.0
        await driver.press("o", "k")
        assert field.text == "ok"
        field.text = ""
        await driver.press("enter")
        await driver.until(lambda: isinstance(driver.app.screen, ChoiceDialog))
        await driver.press("right", "enter")  # too soon to have read the question
        assert isinstance(driver.app.screen, ChoiceDialog)
        assert driver.conversation.activity == "waiting"
        now = 3.0
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)
        assert driver.app.focused is field


async def test_arguments_show_all_or_how_much_is_missing() -> None:
    arguments = {"location": "Oulu\u202e\u200b", "note": "x" * 700, **{f"part{n}": n for n in range(18)}}
    weather = calls(("getCurrentWeather", json.dumps(arguments)))
    async with open_app_with(weather, assistant="Weather Bot", size=(140, 50)) as driver:
        await asked(driver)
        await driver.until_shown("Oulu‹U+202E›‹U+200B›")
        await driver.until_shown("▼ 469 more characters: Space shows all")
        await driver.until_shown("▼ 12 more lines: Space shows all")


_LONG: dict[str, object] = {"location": "Oulu", "note": "n" * 300 + "\u202e/etc/shadow"}
_TALL: dict[str, object] = {"location": "Oulu", **{f"part{number}": number for number in range(7)}}


@pytest.mark.parametrize(
    ("arguments", "size", "left_out"),
    [
        pytest.param(_LONG, (140, 50), "▼ 81 more characters: Space shows all", id="folded"),
        pytest.param(_TALL, (80, 24), "", id="below the edge"),
    ],
)
async def test_a_call_runs_only_when_all_of_it_was_in_sight(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, object], size: tuple[int, int], left_out: str
) -> None:
    monkeypatch.setattr(question_guard, "SECONDS", 0.0)
    folder = user_paths().functions_dir
    folder.mkdir(parents=True)
    (folder / "w.py").write_text("def getCurrentWeather(location: str, **more) -> str:\n    return 'cold'\n")
    weather = calls(("getCurrentWeather", json.dumps(arguments)))
    async with open_app_with(weather, says("Cold."), assistant="Weather Bot", size=size) as driver:
        await driver.type("Go")
        await driver.until(lambda: [one.call.state for one in driver.chat.query(CallCard)] == ["waiting"])
        await driver.until(lambda: isinstance(driver.app.focused, CallCard))
        await driver.until_shown(left_out or "part3 = 3")
        await driver.press("ctrl+s", "a")
        await driver.until_told(
            "Not all of this call is in sight Space shows all of it, to its end. Then it can run."
        )
        assert driver.app.screen is driver.chat
        assert driver.conversation.activity == "waiting"
        await driver.press("space")
        await driver.until_shown("‹U+202E›/etc/shadow" if left_out else "part6 = 6")
        await driver.press("escape")
        await driver.until(lambda: isinstance(driver.app.focused, CallCard))
        await driver.press("ctrl+s")
        await driver.until_answered()
        assert "Cold." in driver.texts[1]


async def test_a_call_that_was_opened_is_read_once_its_end_was_in_sight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(question_guard, "SECONDS", 0.0)
    folder = user_paths().functions_dir
    folder.mkdir(parents=True)
    (folder / "w.py").write_text("def getCurrentWeather(location: str, **more) -> str:\n    return 'cold'\n")
    arguments = {"location": "Oulu", **{f"part{number}": number for number in range(60)}}
    weather = calls(("getCurrentWeather", json.dumps(arguments)))
    async with open_app_with(weather, says("Cold."), assistant="Weather Bot", size=(140, 40)) as driver:
        await driver.type("Go")
        await driver.until(lambda: [one.call.state for one in driver.chat.query(CallCard)] == ["waiting"])
        await driver.until(lambda: isinstance(driver.app.focused, CallCard))
        await driver.press("space")
        await driver.until_shown("part5 = 5")
        await driver.press("escape")
        await driver.until(lambda: isinstance(driver.app.focused, CallCard))
        await driver.press("ctrl+s")
        await driver.until_told("Not all of this call is in sight")
        assert driver.conversation.activity == "waiting"
        await driver.press("space")
        await driver.until_shown("part5 = 5")
        await driver.press("end")
        await driver.until_shown("part59 = 59")
        await driver.press("escape")
        await driver.until(lambda: isinstance(driver.app.focused, CallCard))
        await driver.press("ctrl+s")
        await driver.until_answered()


async def test_a_call_that_changes_while_its_panel_comes_is_shown_as_it_is_then() -> None:
    weather = calls(("getCurrentWeather", '{"location": "Oulu"}'))
    async with open_app_with(weather, assistant="Weather Bot") as driver:
        await asked(driver)
        approval = driver.chat.workspace.approvals.of(driver.conversation)
        assert approval is not None
        panel = FunctionCallsPanel(approval)
        panel.show()
        mounted = driver.chat.query_one(FunctionCallsPanel).parent
        call = approval.pending.calls[0]
        card = CallCard(approval, call)
        card.show(replace(call, problem="Too cold."))
        assert isinstance(mounted, Widget)
        await mounted.mount(card)
        await driver.until_shown("Too cold.")


async def test_an_output_that_is_half_written_is_still_there_when_the_thread_is_shown_again() -> None:
    weather = calls(("getCurrentWeather", '{"location": "Oulu"}'))
    async with open_app_with(weather, says("Cold."), assistant="Weather Bot") as driver:
        await asked(driver)
        await driver.press(*"5 d")
        thread_id = driver.conversation.thread_id or ""
        await driver.press("ctrl+n")
        await driver.until(lambda: not driver.app.screen.query(FunctionCallsPanel))
        await driver.chat.workspace.conversations.open(thread_id)
        await driver.until_shown("5 d")
        await driver.until(lambda: isinstance(driver.app.focused, OutputField))
        await driver.press("end", *"egrees", "enter")
        await driver.until_answered()


async def test_a_deadline_counts_down_and_is_urgent_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    weather = calls(("getCurrentWeather", '{"location": "Oulu"}'))
    async with open_app_with(weather, assistant="Weather Bot") as driver:
        await asked(driver)
        line = driver.chat.query_one(DeadlineLine)
        expires_at = driver.chat.query_one(FunctionCallsPanel).approval.pending.expires_at
        assert expires_at is not None
        for left, words in ((600, "10:00"), (60, "1:00"), (59.5, "0:59"), (-1, "0:00")):
            monkeypatch.setattr(time, "time", lambda left=left: expires_at - left)
            line.show()
            shown = line.content
            assert isinstance(shown, Content)
            assert shown.plain == f"The run waits for a function's output · {words} left"
            assert bool(shown.spans) is (left < 60), "the last minute has a colour"


async def test_the_field_gets_the_focus_that_comes_to_its_card_after_it_is_shown() -> None:
    weather = calls(("getCurrentWeather", '{"location": "Oulu"}'))
    async with open_app_with(weather, assistant="Weather Bot") as driver:
        field = await asked(driver)
        card = driver.chat.query_one(CallCard)
        driver.chat.query_one(Composer).focus()
        await driver.until(lambda: driver.app.focused is driver.chat.query_one(Composer))
        field.display = False
        card.take_focus()  # which comes with a message
        card.show(card.call)
        await driver.until(lambda: driver.app.focused is field)


async def test_a_card_that_is_too_tall_is_scrolled_to_its_end() -> None:
    folder = user_paths().functions_dir
    folder.mkdir(parents=True)
    (folder / "w.py").write_text("def getCurrentWeather(location: str, **more) -> str:\n    return 'cold'\n")
    weather = calls(("getCurrentWeather", json.dumps(_TALL)))
    async with open_app_with(weather, assistant="Weather Bot", size=(80, 20)) as driver:
        await driver.type("Go")
        await driver.until(lambda: isinstance(driver.app.focused, CallCard))
        await driver.until_shown("part1 = 1")
        assert "part6 = 6" not in driver.screen
        await driver.press("pagedown", "pagedown")
        await driver.until_shown("part6 = 6")
        await driver.until_shown("The run waits for a function's output")


async def test_a_key_finds_the_composer_when_no_widget_has_the_focus() -> None:
    async with open_app_with() as driver:
        driver.chat.set_focus(None)
        await driver.press(*"he")
        driver.chat.set_focus(None)
        driver.app.post_message(events.Paste("llo"))
        await driver.until(lambda: driver.chat.query_one(Composer).text == "hello")


async def test_a_call_does_not_take_the_keys_of_somebody_who_filters_a_list() -> None:
    go_on, weather = asyncio.Event(), calls(("getCurrentWeather", '{"location": "Oulu"}'))
    weather.body = [go_on, *weather.body]
    async with open_app_with(weather, assistant="Weather Bot") as driver:
        await driver.type("Go")
        await driver.until(lambda: driver.conversation.active_run is not None)
        driver.chat.query_one("#thread-list").focus()
        await driver.press("slash", *"ab")
        field = driver.chat.query_one("#thread-filter", Input)
        await driver.until(lambda: field.value == "ab")
        go_on.set()
        await driver.until(lambda: bool(driver.chat.query(OutputField)))
        await driver.pilot.pause()
        await driver.press("c")
        assert (field.value, driver.app.focused) == ("abc", field)


async def test_the_footer_says_what_esc_does_and_pressed_twice_it_asks_once() -> None:
    weather = calls(("getCurrentWeather", '{"location": "Oulu"}'))
    async with open_app_with(weather, assistant="Weather Bot") as driver:
        await driver.until_shown("Esc Back")
        await asked(driver)
        await driver.until_shown("Esc Stop")
        for _ in range(2):
            driver.chat.action_stop()
        await driver.until_shown("Stop the run that waits for you?")
        await driver.press("right", "enter")
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.until(lambda: not driver.conversation.busy)
        await driver.until_shown("Esc Back")
