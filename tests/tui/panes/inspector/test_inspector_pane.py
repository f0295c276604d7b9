"""The inspector: which line is followed, what folds, what the tabs show, and how often it is drawn."""

import pytest

from assistants_tui.service.changes import Changed
from assistants_tui.tui.panes.inspector.pane import InspectorPane
from assistants_tui.tui.panes.inspector.run_tree import RunTree
from assistants_tui.tui.panes.inspector.tab_line import TabLine
from support.app import Driver, open_app_with
from support.model_endpoint import says

WIDE = (160, 50)


def tree_of(driver: Driver) -> RunTree:
    return driver.chat.query_one(RunTree)


async def ask(driver: Driver, text: str, runs: int) -> None:
    driver.chat.query_one("#composer").focus()
    await driver.type(text)
    await driver.until_answered(runs)


async def test_the_newest_step_is_followed_until_another_line_is_chosen_and_again_when_it_is() -> None:
    async with open_app_with(says("One."), says("Two."), says("Three."), size=WIDE) as driver:
        tree = tree_of(driver)

        def chosen_run() -> str | None:
            return tree.chosen.run_id if tree.chosen is not None else None

        def runs() -> list[str]:
            return list(driver.conversation.runs)

        await ask(driver, "first", 1)
        await driver.until(lambda: chosen_run() == runs()[-1])
        tree.focus()
        await driver.press("home")
        await ask(driver, "second", 2)
        await driver.until(lambda: len(runs()) == 2 and "second" in driver.screen)
        assert chosen_run() == runs()[0]
        tree.focus()
        await driver.press("home", "down")
        await driver.until(lambda: tree.chosen is not None and tree.chosen.depth == 1)
        await ask(driver, "third", 3)
        await driver.until(lambda: chosen_run() == runs()[-1])


async def test_lines_fold_by_three_keys_and_the_tabs_by_click_key_and_number() -> None:
    async with open_app_with(says("One."), size=WIDE) as driver:
        await ask(driver, "first", 1)
        tree = tree_of(driver)
        tree.focus()
        assert driver.conversation.latest_run is not None
        (step,) = driver.conversation.latest_run.steps
        for fold, unfold in (("left", "right"), ("space", "space"), ("left", "space")):
            await driver.press("home", fold)
            await driver.until(lambda: tree.index_of(step) is None)
            await driver.press(unfold)
            await driver.until(lambda: tree.index_of(step) is not None)
        pane = driver.chat.query_one(InspectorPane)
        await driver.press("t")
        await driver.until(lambda: pane.tab == "files")
        await driver.until(lambda: driver.app.focused is pane.rows)
        assert "No files yet." in driver.screen
        await driver.press("t")
        await driver.until_shown('"object": "thread.run')
        await driver.pilot.click(TabLine, offset=(2, 0))
        await driver.until(lambda: pane.tab == "steps")


async def test_many_changes_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_app_with(says("One."), size=WIDE) as driver:
        await ask(driver, "first", 1)
        drawn = 0
        draw = RunTree.draw

        def counted(self: RunTree, *args: object) -> None:
            nonlocal drawn
            drawn += 1
            draw(self, *args)  # type: ignore[arg-type]

        monkeypatch.setattr(RunTree, "draw", counted)
        for _ in range(1000):
            driver.chat.workspace.feed.post(Changed.CONVERSATION)
        assert drawn == 0
        await driver.until(lambda: drawn)
        await driver.pilot.pause()
        assert drawn == 1
