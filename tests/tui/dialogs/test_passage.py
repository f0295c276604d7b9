"""A footnote's passage in its file: what the answer rests on is marked, and what stands around it is read."""

from collections.abc import Sequence
from pathlib import Path

from textual.content import Content
from textual.widgets import Static

from assistants_tui.protocol.objects import FileObject
from assistants_tui.service.files.citations import Passage
from assistants_tui.tui.dialogs.file_viewer import ViewerScreen
from assistants_tui.tui.dialogs.passage import MAX_PASSAGE, PassageScreen
from support.app import Driver, open_app
from support.dialogs import HOSTILE


async def uploaded(driver: Driver, path: Path, text: str) -> FileObject:
    path.write_text(text)
    return await (await driver.chat.workspace.session.backend()).files.upload(path)


async def opened(driver: Driver, passages: Sequence[Passage], claim: str) -> PassageScreen:
    screen = PassageScreen(driver.chat.workspace, passages, claim, ())
    await driver.app.push_screen(screen)
    await driver.pilot.pause()
    return screen


def marked(screen: PassageScreen) -> list[str]:
    shown = screen.query_one("#passage-text", Static).visual
    assert isinstance(shown, Content)
    return [shown.plain[span.start : span.end] for span in shown.spans]


async def test_the_words_that_the_answer_rests_on_are_marked_and_copied_with_the_passage() -> None:
    text = "The library closes at six.\nThe rent is due in May.\nDogs are welcome."
    passage = Passage("file-1", "rules.md", text, score=0.5, page=2, line=7)
    async with open_app((80, 24)) as driver:
        screen = await opened(driver, [passage], "The rent is due in May.")
        assert marked(screen) == ["The rent is due in May."]
        await driver.until_shown("score 0.50")
        assert "Next passage" not in driver.screen, "there is no other"
        await driver.press("y")
        assert driver.app.clipboard == text
        await driver.press("q")
        await driver.until(lambda: driver.app.screen is driver.chat)


async def test_other_passages_follow_each_other_in_a_ring() -> None:
    passages = [Passage("file-1", "rules.md", f"Rule number {number}.") for number in range(3)]
    async with open_app((80, 24)) as driver:
        await opened(driver, passages, "Rule number 0.")
        await driver.until_shown("passage 1 of 3")
        await driver.press("n")
        await driver.until_shown("passage 2 of 3")
        await driver.until_shown("Rule number 1.")
        await driver.press("left", "p")
        await driver.until_shown("passage 3 of 3")
        await driver.until_shown("Rule number 2.")


async def test_hostile_and_very_long_passages_are_text_and_cut() -> None:
    passage = Passage("file-1", HOSTILE, HOSTILE + "x" * MAX_PASSAGE + "the end")
    async with open_app((80, 24)) as driver:
        screen = await opened(driver, [passage], HOSTILE)
        await driver.until_shown("[red]a")
        assert not {"\x1b", "\u202e"} & set(driver.screen)
        shown = screen.query_one("#passage-text", Static).visual
        assert isinstance(shown, Content) and "the end" not in shown.plain
        await driver.press("y")
        assert not {"\x1b", "\u202e"} & set(driver.app.clipboard)


async def test_the_whole_file_is_opened_and_saved_from_here(tmp_path: Path) -> None:
    async with open_app((80, 24)) as driver:
        file = await uploaded(driver, tmp_path / "rules.txt", "First rule.\nSecond rule.")
        await opened(driver, [Passage(file["id"], "rules.txt", "Second rule.")], "Second rule.")
        await driver.press("o")
        await driver.until(lambda: isinstance(driver.app.screen, ViewerScreen))
        await driver.until_shown("First rule.")
        await driver.press("escape")
        await driver.until(lambda: isinstance(driver.app.screen, PassageScreen))
        await driver.press("s")
        await driver.until_told("rules.txt")
