"""Pictures of the main screens, from real runs, with the clock stopped so that they stay the same.

The wide conversation with its inspector is held against `screenshots/`, in e2e/test_screenshots.py.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.app import AssistantsApp
from assistants_tui.tui.panes.approvals.call_card import CallCard
from assistants_tui.tui.panes.approvals.code_approval import CodeApprovalPanel
from assistants_tui.tui.panes.approvals.fields import OutputField
from assistants_tui.tui.widgets.virtual_list import VirtualList
from support.app import EQUATION, Driver
from support.code_interpreter import NO_SANDBOX_HERE

NOON = 1763640000.0  # 2025-11-20 12:00 UTC
LONG_PLACE = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch " * 12
SIZES = [(80, 24), (160, 50)]


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON)


def scene(
    theme: str, play: Callable[[Driver], Awaitable[None]]
) -> tuple[AssistantsApp, Callable[[Pilot[None]], Awaitable[None]]]:
    """An app, and what brings it to the scene that the picture shows."""
    app = AssistantsApp(user_paths())

    async def run_before(pilot: Pilot[None]) -> None:
        driver = Driver(app, pilot)
        await driver.until(lambda: app.chat is not None and app.chat.workspace.session.connected)
        app.theme = theme
        await play(driver)
        for field in app.screen.query("Input, TextArea"):
            field.cursor_blink = False  # type: ignore[attr-defined]
        await pilot.pause()
        await driver.chat.workspace.close()

    return app, run_before


async def first_launch(driver: Driver) -> None:
    await driver.until_shown("Math Tutor is ready")


async def answered(driver: Driver) -> None:
    await driver.type(EQUATION)
    await driver.until_answered()
    await driver.until_shown("completed")


async def inspected(driver: Driver) -> None:
    await answered(driver)
    if not driver.chat.has_class("-wide"):
        await driver.press("f4")
    tree = driver.chat.query_one("#run-tree", VirtualList)
    tree.focus()
    newest = 4  # below the run, the call and two lines of it
    await driver.until(lambda: "message ✓" in driver.screen and tree.cursor == newest)
    await driver.press("up", "up", "up")
    await driver.until_shown("Code")


async def waiting_for_functions(driver: Driver) -> None:
    driver.chat.query_one("#assistant-list").focus()
    await driver.press("end", "enter")
    await driver.type("What is the weather in Oulu?")
    await driver.until_shown("The run waits for")


async def folded_call(driver: Driver) -> None:
    driver.chat.query_one("#assistant-list").focus()
    await driver.press("end", "enter")
    await driver.type(f"What is the weather in {LONG_PLACE}?")
    await driver.until(lambda: isinstance(driver.app.focused, CallCard | OutputField))
    driver.chat.query_one(CallCard).focus()
    await driver.until_shown("Space Show all")


async def whole_call(driver: Driver) -> None:
    await folded_call(driver)
    await driver.press("space")
    await driver.until_shown("marks what cannot be seen")
    await driver.until_shown("Llanfair")


async def code_to_approve(driver: Driver) -> None:
    await driver.type(EQUATION)
    await driver.until(lambda: isinstance(driver.app.focused, CodeApprovalPanel))
    await driver.until_shown("from fractions import")
    await driver.until_shown("w Why")


async def helped(driver: Driver) -> None:
    await driver.press("f1")
    await driver.until_shown("How it works")


async def profiles(driver: Driver) -> None:
    await driver.press("f3")
    await driver.until_shown("A new profile")


async def new_profile(driver: Driver) -> None:
    await profiles(driver)
    await driver.press("n")
    await driver.until(lambda: "looking…" not in driver.screen and "Connect to" in driver.screen)
    await driver.press(*["down"] * 7, "enter")
    await driver.until_shown("no key store")
    form = driver.app.screen
    form.query_one("#profile-url").query_one(Input).value = "localhost"
    await driver.press("ctrl+t")
    await driver.until_shown("It must be a URL")


async def settings(driver: Driver) -> None:
    await driver.press("f5")
    await driver.until(lambda: "[keys]" in driver.app.screen._shown)  # type: ignore[attr-defined]
    # not all of them, for every new action would be a new row of the picture
    await driver.press("slash", *"runs.", "enter", "end")
    await driver.until_shown("A tool that every run must use.")


async def guided(driver: Driver) -> None:
    await driver.press("ctrl+g")
    await driver.until_shown("Puts a question")


async def palette(driver: Driver) -> None:
    await driver.press("ctrl+p")
    # not all commands, for every new action would be a new row of the picture
    await driver.press(*"left")
    await driver.until_shown("Show or hide the left column")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("theme", ["Ink", "Paper"])
def test_after_the_first_answer(snap_compare: Any, theme: str, size: tuple[int, int]) -> None:
    app, run_before = scene(theme, answered)
    assert snap_compare(app, terminal_size=size, run_before=run_before)


@pytest.mark.parametrize(
    ("play", "size"),
    [
        (first_launch, (100, 30)),
        (inspected, (80, 24)),
        (waiting_for_functions, (100, 30)),
        (helped, (80, 24)),
        (profiles, (100, 30)),
        (new_profile, (80, 24)),
        (settings, (100, 30)),
        (guided, (80, 24)),
        (palette, (100, 30)),
    ],
    ids=lambda value: getattr(value, "__name__", None) or f"{value[0]}x{value[1]}",
)
def test_scene(snap_compare: Any, play: Callable[[Driver], Awaitable[None]], size: tuple[int, int]) -> None:
    app, run_before = scene("Ink", play)
    assert snap_compare(app, terminal_size=size, run_before=run_before)


@pytest.mark.parametrize(
    ("play", "theme", "size"),
    [
        (folded_call, "Ink", SIZES[0]),
        (folded_call, "Paper", SIZES[1]),
        (whole_call, "Ink", SIZES[0]),
        (whole_call, "Paper", SIZES[1]),
        (code_to_approve, "Paper", SIZES[1]),
    ],
    ids=["folded_call-80x24", "folded_call-160x50", "whole_call-80x24", "whole_call-160x50", "code-160x50"],
)
def test_what_is_to_be_approved(
    snap_compare: Any,
    play: Callable[[Driver], Awaitable[None]],
    theme: str,
    size: tuple[int, int],
) -> None:
    config = user_paths().config_file
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f'[code]\nsandbox = "{NO_SANDBOX_HERE}"\n')

    async def without_inspector(driver: Driver) -> None:
        if driver.chat.has_class("-wide"):
            await driver.press("f4")
        await play(driver)

    app, run_before = scene(theme, without_inspector)
    assert snap_compare(app, terminal_size=size, run_before=run_before)
