"""What one window changes is seen in the other, and no row moves away under its cursor."""

from textual import events

from assistants_tui.protocol.objects import Page
from assistants_tui.settings.config import Profile
from assistants_tui.settings.config_editor import append_profile
from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.screens.list_screen import ListScreen, renewed
from assistants_tui.tui.widgets.virtual_list import VirtualList
from support.app import Driver, open_app


def look(driver: Driver) -> None:
    """Come back to the window."""
    driver.app.post_message(events.AppBlur())
    driver.app.post_message(events.AppFocus())


async def test_new_assistants_stores_files_and_profiles_of_another_window_are_seen() -> None:
    async with open_app() as one, open_app() as two:
        backend = await one.chat.workspace.session.backend()
        rows = two.chat.query_one("#assistant-list", VirtualList)
        rows.focus()
        await two.press("down", "down")
        seen = rows.render_line(2).text
        await backend.assistants.create({"model": "offline-tutor", "name": "From elsewhere"})
        look(two)
        await two.until_shown("From elsewhere")
        assert rows.cursor == 3
        assert rows.render_line(rows.cursor - rows.scroll_offset.y).text == seen
        await two.press("f8")
        await two.until_shown("No vector stores yet")
        await backend.vector_stores.create("Rules")
        look(two)
        await two.until_shown("Rules")
        await two.press("escape", "f3")
        await two.until(lambda: isinstance(two.app.screen, ListScreen))
        append_profile(user_paths().config_file, Profile("team", "openai", base_url="http://127.0.0.1:1/v1"))
        look(two)
        await two.until_shown("team")


def test_what_is_known_is_renewed_by_the_first_page() -> None:
    known = {key: {"id": key} for key in "abcdef"}
    assert list(renewed(known, Page([{"id": "n"}, {"id": "a"}, {"id": "c"}], "c"))) == list("nacdef")
    assert list(renewed(known, Page([{"id": "n"}, {"id": "a"}], None))) == ["n", "a"]
    assert list(renewed(known, Page([{"id": "n"}, {"id": "m"}], "m"))) == ["n", "m"]
