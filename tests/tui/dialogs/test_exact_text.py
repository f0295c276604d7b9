"""A text that is to be approved: read to its end or not, whatever is in it."""

from assistants_tui.tui.dialogs.exact_text import ExactTextScreen
from support.dialogs import TINY, open_dialog


async def test_whether_the_end_was_in_sight_is_returned() -> None:
    async with open_dialog(ExactTextScreen("short", "a\u202eb p\u0430y")) as dialog:
        await dialog.until_shown("a‹U+202E›b p‹U+0430 \u0430›y")
        await dialog.press("escape")
        assert dialog.answers == [True]
        await dialog.show(ExactTextScreen("long", "\n".join(f"line {number}" for number in range(90))))
        await dialog.until_shown("line 3")
        await dialog.press("escape")
        assert dialog.answers[1:] == [False]
        await dialog.resize(TINY)
        await dialog.show(ExactTextScreen("long", "\n".join(f"line {number}" for number in range(90))))
        await dialog.until_shown("line 1")
        await dialog.press("end")
        await dialog.until_shown("line 89")
        await dialog.press("q")
        assert dialog.answers[2:] == [True]
        await dialog.show(ExactTextScreen("empty", ""))
        await dialog.press("pagedown", "home", "y", "space")
        assert len(dialog.answers) == 4
