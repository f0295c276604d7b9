"""One of many: filtered, page by page, with text of one's own, and with failures."""

from collections.abc import Sequence

from assistants_tui.service.errors import ServiceError
from assistants_tui.tui.dialogs.paged_choice import Choice, SearchDialog
from support.dialogs import HOSTILE, TINY, open_dialog

PAGES: dict[str | None, tuple[Sequence[Choice], str | None]] = {
    None: ([Choice("m-1", "Small", "fast"), Choice("m-2", "Large", warning="slow")], "next"),
    "next": ([Choice("m-3", "Other")], None),
}


async def load(after: str | None) -> tuple[Sequence[Choice], str | None]:
    return PAGES[after]


async def fail(after: str | None) -> tuple[Sequence[Choice], str | None]:
    raise ServiceError("The list cannot be read.")


async def hostile(after: str | None) -> tuple[Sequence[Choice], str | None]:
    return [Choice("m-1", HOSTILE, HOSTILE, HOSTILE)], None


async def test_rows_are_filtered_read_on_and_chosen() -> None:
    async with open_dialog(SearchDialog("Which model?", load, free="use this name")) as dialog:
        await dialog.until_shown("Large  slow")
        await dialog.press(*"FAST", "enter")
        assert dialog.answers == ["m-1"]

        await dialog.show(SearchDialog("Which model?", load, extra=[Choice("new", "A new one")]))
        await dialog.until_shown("Read more…")
        await dialog.press("pagedown", "enter")
        await dialog.until_shown("Other")
        await dialog.press("pagedown", "enter")
        assert dialog.answers[1:] == ["m-3"]

        await dialog.show(SearchDialog("Which model?", load, free="use this name"))
        await dialog.press(*"mine")
        await dialog.until_shown("mine  use this name")
        await dialog.press("enter")
        assert dialog.answers[2:] == ["mine"]


async def test_failures_empty_lists_and_odd_rows() -> None:
    async with open_dialog(SearchDialog("Which?", fail), TINY) as dialog:
        await dialog.until_shown("The list cannot be read.")
        await dialog.press("enter", "down", "pageup", *"x", "escape")
        await dialog.show(SearchDialog(HOSTILE, hostile))
        await dialog.until_shown("[red]a")
        assert "Enter chooses" in dialog.text
        await dialog.press("enter")
        assert dialog.answers == [None, "m-1"]
