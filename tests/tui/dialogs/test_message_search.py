"""Searching all threads: hits, none, a failure, and little room."""

from collections.abc import Sequence

from textual.widgets import Input

from assistants_tui.service.errors import ServiceError
from assistants_tui.service.search import Hit
from assistants_tui.tui.dialogs.message_search import SearchScreen
from support.dialogs import HOSTILE, TINY, open_dialog

HITS = [
    Hit("thread_1", "msg_1", "user", 0, (("Where is the ", False), ("library", True), ("?", False))),
    Hit("thread_2", "msg_2", "assistant", 0, ((HOSTILE, False), ("library", True))),
]


async def find(words: str) -> Sequence[Hit]:
    if words == "fail":
        raise ServiceError("The index cannot be read.")
    return HITS if words.startswith("lib") else []


async def test_hits_are_listed_and_opened() -> None:
    async with open_dialog(SearchScreen(find, lambda thread_id: f"{thread_id} {HOSTILE}")) as dialog:
        await dialog.until_shown("Type what you remember of a message.")
        await dialog.press("enter", *"nowhere")
        await dialog.until_shown("Nothing found.")
        dialog.app.screen.query_one(Input).value = "fail"
        await dialog.until_shown("The index cannot be read.")
        dialog.app.screen.query_one(Input).value = "lib"
        await dialog.until_shown("Where is the library?")
        assert "library" in dialog.text.replace("Where is the library?", ""), "the match stays in sight"
        await dialog.resize(TINY)
        await dialog.until_shown("library")
        await dialog.press("down", "enter")
        assert dialog.answers == [(HITS[1], "lib")]
