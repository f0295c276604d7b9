"""The message view as its reader meets it: what is on the screen, and what stays where it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count

import pytest
from textual import on
from textual.app import ComposeResult
from textual.geometry import Offset
from textual.message import Message
from textual.pilot import Pilot
from textual.selection import Selection

from assistants_tui.tui import frame_timer
from assistants_tui.tui.markdown import stream
from assistants_tui.tui.messages.message_view import MessageItem, MessageView, Note
from support.bare_app import BareApp

SIZE = (60, 20)


class Thread(BareApp[None]):
    """One message view, and what it has posted."""

    CSS = "MessageView { height: 1fr; }"
    AUTO_FOCUS = None

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[Message] = []
        self.sights: list[tuple[bool, bool, int]] = []

    def compose(self) -> ComposeResult:
        yield MessageView(id="messages")

    @on(MessageView.SightChanged)
    def note_sight(self, event: MessageView.SightChanged) -> None:
        view = event.view
        self.sights.append((view.complete, view.end_in_sight, view.virtual_size.height))

    @on(MessageView.OlderWanted)
    @on(MessageView.NoteOpened)
    @on(MessageView.LinkOpened)
    @on(MessageView.OpenWanted)
    @on(MessageView.CopyWanted)
    @on(MessageView.CodeWanted)
    def note(self, event: Message) -> None:
        self.posted.append(event)


def message(number: int, text: str | None = None, **fields: object) -> MessageItem:
    item = MessageItem(
        id=f"m{number}",
        author="You" if number % 2 else "Tutor",
        from_user=bool(number % 2),
        time="12:03",
        text=f"text of {number}" if text is None else text,
    )
    return replace(item, **fields)  # type: ignore[arg-type]  # whatever a test wants to set


def long(number: int) -> MessageItem:
    """A message whose height is far from any estimate."""
    return message(number, "\n\n".join(f"{number}.{line}" for line in range(1 + number * 7 % 23)))


@asynccontextmanager
async def thread(
    *items: MessageItem, older: bool = False
) -> AsyncIterator[tuple[MessageView, Pilot[None], Thread]]:
    app = Thread()
    async with app.run_test(size=SIZE) as pilot:
        view = app.query_one(MessageView)
        view.set_items(items, older=older)
        await pilot.pause()
        yield view, pilot, app


def rows(view: MessageView) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


async def focus(view: MessageView, pilot: Pilot[None]) -> None:
    view.focus()
    await pilot.pause()


async def settled(pilot: Pilot[None], view: MessageView) -> None:
    """Wait until everything that was handed to the view is drawn."""
    while view.updating:
        assert pilot.app.is_running
        await pilot.pause(0.01)
    await pilot.pause()


async def test_messages_with_authors_times_and_notes() -> None:
    notes = (Note("footnote", "[1] a.pdf", "f1"), Note("error", "It failed", None))
    async with thread(message(1, "Hi\nthere"), message(2, "**Hello** [1]", notes=notes)) as (view, _, _):
        text = rows(view)
        assert text[0].startswith("▎ You") and text[0].endswith("12:03")
        assert text[1:3] == ["▎ Hi", "▎ there"]
        assert text[4].startswith("  Tutor")
        assert text[5:10] == ["  Hello [1]", "", "  [1] a.pdf", "  ✗ It failed", ""]


async def test_the_empty_view_says_what_to_do() -> None:
    async with thread() as (view, pilot, _):
        view.empty_text = "No messages yet. " * 6
        await pilot.pause()
        shown = [row.strip() for row in rows(view) if row]
        assert " ".join(shown) == view.empty_text.strip()
        view.upsert(message(1))
        await settled(pilot, view)
        assert rows(view)[1] == "▎ text of 1"


async def test_a_thread_opens_at_its_end_and_draws_only_what_is_seen() -> None:
    async with thread(*(long(n) for n in range(2000))) as (view, _, _):
        assert "1999." in "".join(rows(view)[-3:])
        assert view.drawn <= 64


async def test_the_end_is_followed_only_by_a_reader_who_is_there() -> None:
    async with thread(*(long(n) for n in range(30))) as (view, pilot, _):
        view.upsert(message(30, "new"))
        await settled(pilot, view)
        assert rows(view)[-2] == "  new"
        await focus(view, pilot)
        await pilot.press("pageup")
        before = rows(view)
        view.upsert(message(30, "new\n\n" + "line\n\n" * 30))
        view.upsert(message(31, "newest"))
        await settled(pilot, view)
        assert rows(view) == before
        await pilot.press("end")
        assert rows(view)[-2] == "┃ newest"
        view.upsert(message(32, "last"))
        await settled(pilot, view)
        assert rows(view)[-2] == "┃ last"


async def test_scrolling_goes_line_by_line_through_messages_of_unknown_height() -> None:
    async with thread(*(long(n) for n in range(60))) as (view, pilot, _):
        before = rows(view)
        for _ in range(400):
            view.scroll_relative(y=-1, animate=False)
            now = rows(view)
            assert now[1:] == before[:-1]
            before = now
        for _ in range(300):
            view.scroll_relative(y=1, animate=False)
            now = rows(view)
            assert now[:-1] == before[1:]
            before = now
        await pilot.pause()


async def test_a_jump_by_the_scroll_bar_lands_somewhere_and_stays_consistent() -> None:
    async with thread(*(long(n) for n in range(500))) as (view, pilot, _):
        for part in (0.5, 0.1, 0.9, 0.0, 1.0):
            view.scroll_to(y=int(view.max_scroll_y * part), animate=False)
            await pilot.pause()
            before = rows(view)
            view.scroll_relative(y=-3, animate=False)
            if part:
                assert rows(view)[3:] == before[:-3]
        assert view.scroll_offset.y <= view.max_scroll_y


async def test_older_messages_are_asked_for_once_and_do_not_move_the_reader() -> None:
    async with thread(*(long(n) for n in range(40, 60)), older=True) as (view, pilot, app):
        assert not app.posted
        view.scroll_home()
        await pilot.pause()
        view.scroll_relative(y=2, animate=False)
        await pilot.pause()
        assert [type(event) for event in app.posted] == [MessageView.OlderWanted]
        before = rows(view)
        view.prepend([long(n) for n in range(20, 40)], older=True)
        await pilot.pause()
        assert rows(view) == before
        assert [item.id for item in view.items] == [f"m{n}" for n in range(20, 60)]
        view.scroll_home()
        await pilot.pause()
        assert len(app.posted) == 2
        view.prepend([long(n) for n in range(19, 25)], older=False)
        view.scroll_home()
        await pilot.pause()
        assert len(app.posted) == 2
        assert view.items[0].id == "m19"
        assert len(view.items) == 41


async def test_a_short_first_page_asks_for_older_messages_at_once() -> None:
    async with thread(message(1), older=True) as (_, _, app):
        assert [type(event) for event in app.posted] == [MessageView.OlderWanted]


async def test_a_message_that_grows_above_does_not_move_the_reader() -> None:
    async with thread(*(long(n) for n in range(30))) as (view, pilot, _):
        view.scroll_home()
        await pilot.pause()
        view.scroll_relative(y=60, animate=False)
        before = rows(view)
        view.upsert(message(0, "grown\n\n" * 50))
        view.upsert(message(1, "gone"))
        await settled(pilot, view)
        assert rows(view) == before


async def test_removing_messages() -> None:
    async with thread(*(message(n) for n in range(3))) as (view, pilot, _):
        view.remove_item("m1")
        view.remove_item("m1")
        await pilot.pause()
        assert [item.id for item in view.items] == ["m0", "m2"]
        assert "text of 1" not in "".join(rows(view))
        view.remove_item("m0")
        view.remove_item("m2")
        assert not any(rows(view))


async def test_streaming_shows_what_the_whole_text_gives() -> None:
    code = "```python\ndef f():\n    pass\n```"
    text = f"# Title\n\n- one **two**\n- three\n\n{code}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nend"
    async with thread(message(0, "", streaming=True)) as (view, pilot, _):
        assert rows(view)[1] == "  …"
        for size in range(0, len(text), 7):
            view.upsert(message(0, text[:size], streaming=True))
            await settled(pilot, view)
        view.upsert(message(0, text))
        await settled(pilot, view)
        streamed = rows(view)
        view.set_items([message(0, text)], older=False)
        await pilot.pause()
        assert rows(view) == streamed
        view.upsert(message(0, text + " of it", streaming=True))  # a run that goes on after all
        view.upsert(message(0, "something else"))
        await settled(pilot, view)
        assert rows(view)[1] == "  something else"


async def test_another_width_keeps_the_place() -> None:
    items = [message(n, f"begin {n} " + "word " * 200) for n in range(40)]
    async with thread(*items) as (view, pilot, _):
        view.scroll_home()
        view.scroll_relative(y=202, animate=False)
        await pilot.pause()
        top = next(row for row in rows(view) if "begin" in row)
        for width in (100, 30, 60):
            await pilot.resize_terminal(width, 20)
            await pilot.pause()
            assert all(view.render_line(y).cell_length == view.size.width for y in range(20))
        near = rows(view)
        assert any(top.split()[1] in row for row in near if "begin" in row)


async def test_at_the_end_another_size_stays_at_the_end() -> None:
    async with thread(*(long(n) for n in range(30))) as (view, pilot, _):
        for size in ((100, 30), (25, 8), (60, 20)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert "29.19" in rows(view)[-2]


async def test_the_cursor_goes_from_message_to_message() -> None:
    async with thread(*(message(n) for n in range(9))) as (view, pilot, _):
        await focus(view, pilot)
        assert view.selected_item == message(8)
        assert [row[0] for row in rows(view)[-3:-1]] == ["┃", "┃"]
        await pilot.press("k", "k", "ctrl+up", "j")
        assert view.selected_item == message(6)
        await pilot.press("home")
        assert view.selected_item == message(0)
        assert rows(view)[0].startswith("┃ Tutor")
        await pilot.press("k")
        assert view.selected_item == message(0)
        view.prepend([message(-1)], older=False)
        assert view.selected_item == message(0)
        await pilot.press("end")
        assert view.selected_item == message(8)
        view.upsert(message(9))
        await settled(pilot, view)
        assert view.selected_item == message(9)


async def test_the_cursor_shows_the_start_of_a_long_message() -> None:
    text = "\n\n".join(f"line {n}" for n in range(40))
    async with thread(message(0), message(1, text), message(2)) as (view, pilot, _):
        await focus(view, pilot)
        await pilot.press("k")
        assert rows(view)[:2] == ["┃ You" + rows(view)[0][5:], "┃ line 0"]
        await pilot.press("j")
        assert rows(view)[-2] == "┃ text of 2"


LINKS = "see [one](https://one.example/a) and\n\n```sh\necho 1\n```\n\n```sh\necho 2\n```"


async def click_on(pilot: Pilot[None], view: MessageView, text: str) -> None:
    y, row = next((y, row) for y, row in enumerate(rows(view)) if text in row)
    await pilot.click(view, offset=(row.index(text), y))
    await pilot.pause()


async def test_what_is_clicked_is_told_and_not_done() -> None:
    async with thread(message(0, LINKS, notes=(Note("file", "a.csv", "file-1"),))) as (view, pilot, app):
        await click_on(pilot, view, "one")
        await click_on(pilot, view, "copy")
        await click_on(pilot, view, "a.csv")
        await click_on(pilot, view, "see")
        link, code, note = app.posted
        assert isinstance(link, MessageView.LinkOpened) and link.url == "https://one.example/a"
        assert isinstance(code, MessageView.CopyWanted) and code.text == "echo 1\n"
        assert isinstance(note, MessageView.NoteOpened) and (note.item_id, note.note.target) == (
            "m0",
            "file-1",
        )
        assert view.selected_item == view.items[0]


@pytest.mark.parametrize(
    ("text", "notes", "key", "expected"),
    [
        ("[x](https://a.b)", (), "enter", ("LinkOpened", "https://a.b")),
        ("x", (Note("file", "a", "f"), Note("error", "b", None)), "enter", ("NoteOpened", "f")),
        ("[x](https://a.b)", (Note("file", "a", "f"),), "enter", ("OpenWanted", "https://a.b", "f")),
        ("x", (), "o", ("OpenWanted",)),
        ("# x", (), "y", ("CopyWanted", "# x")),
        ("```\nx\n```", (), "Y", ("CopyWanted", "x\n")),
        (LINKS, (), "Y", ("CodeWanted", "echo 1\n", "echo 2\n")),
    ],
)
async def test_keys_for_what_a_message_holds(
    text: str, notes: tuple[Note, ...], key: str, expected: tuple[str, ...]
) -> None:
    async with thread(message(0, text, notes=notes)) as (view, pilot, app):
        await focus(view, pilot)
        await pilot.press(key)
        (event,) = app.posted
        found: list[str | None] = [type(event).__name__]
        if isinstance(event, MessageView.LinkOpened):
            found.append(event.url)
        elif isinstance(event, MessageView.NoteOpened):
            found.append(event.note.target)
        elif isinstance(event, MessageView.CopyWanted):
            found.append(event.text)
        elif isinstance(event, MessageView.CodeWanted):
            found += [block.source for block in event.blocks]
        elif isinstance(event, MessageView.OpenWanted):
            found += [*event.links, *(note.target for note in event.notes)]
        assert tuple(found) == expected


async def test_selecting_with_the_mouse_copies_text_without_its_drawing() -> None:
    text = "- " + "word " * 20 + "\n\n```\n  code\n```\n"
    async with thread(message(0, text), message(1, "b")) as (view, pilot, app):
        await pilot.mouse_down(view, offset=(4, 1))
        await pilot.hover(view, offset=(8, 5))
        await pilot.mouse_up(view, offset=(8, 5))
        assert app.screen.get_selected_text() == "word " * 19 + "word\n\n  code"
        before = [segment.style for segment in view.render_line(1)]
        app.screen.clear_selection()
        await pilot.pause()
        assert [segment.style for segment in view.render_line(1)] != before
        app.screen.selections = {view: Selection(None, None)}
        assert app.screen.get_selected_text() == f"Tutor\n{text}\n\nYou\nb"
        app.screen.selections = {view: Selection(Offset(0, 0), None)}
        view.prepend([message(-1)], older=False)
        assert app.screen.get_selected_text() == f"Tutor\n{text}\n\nYou\nb"


async def test_a_double_click_selects_the_message() -> None:
    async with thread(message(0, "one\n\ntwo"), message(1)) as (view, pilot, app):
        await pilot.click(view, offset=(3, 1), times=2)
        await pilot.pause()
        selected = app.screen.get_selected_text() or ""
        assert selected.startswith("Tutor")
        assert selected.endswith("one\n\ntwo")


async def test_themes_change_the_colours_of_what_is_shown() -> None:
    async with thread(message(0, "`code`")) as (view, pilot, app):

        def colours() -> set[str]:
            return {str(segment.style and segment.style.bgcolor) for segment in view.render_line(1)}

        app.theme = "textual-dark"
        await pilot.pause()
        dark = colours()
        app.theme = "textual-light"
        await pilot.pause()
        assert not dark & colours()


async def test_the_wheel_scrolls() -> None:
    async with thread(*(long(n) for n in range(20))) as (view, pilot, _):
        before = rows(view)
        view.post_message(_wheel(view))
        await pilot.pause()
        lines = round(pilot.app.scroll_sensitivity_y)
        assert rows(view)[lines:] == before[:-lines]


def _wheel(view: MessageView) -> Message:
    from textual.events import MouseScrollUp

    return MouseScrollUp(view, 5, 5, 0, 0, 0, False, False, False)


@pytest.fixture
def one_step_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock takes all the time that there is for a turn."""
    clock = count(0.0, frame_timer.BUSY * 0.9)
    monkeypatch.setattr(frame_timer, "thread_time", lambda: next(clock))
    monkeypatch.setattr(frame_timer, "SLOWEST", frame_timer.FRAME)  # no turn was as slow as that clock says


LARGE = "\n\n".join(f"line {number} of many" for number in range(2000))


async def drawn(view: MessageView, pilot: Pilot[None]) -> int:
    """Wait until all is drawn; how many turns that took."""
    turns = 0
    while view.updating:
        await pilot.pause(0.01)
        turns += 1
    return turns


@pytest.mark.usefixtures("one_step_a_turn")
async def test_a_large_message_is_drawn_in_turns_and_then_whole() -> None:
    async with thread(message(0), message(2, LARGE)) as (view, pilot, _):
        assert await drawn(view, pilot) > 3
        assert view.virtual_size.height == 3 + 1 + 3999 + 1
        assert rows(view)[-2:] == ["  line 1999 of many", ""]


@pytest.mark.usefixtures("one_step_a_turn")
async def test_what_is_below_a_large_message_stays_in_sight_while_that_is_drawn() -> None:
    last = message(4, "\n\n".join(f"end {number}" for number in range(30)))
    async with thread(message(0), message(2, LARGE), last) as (view, pilot, _):
        await drawn(view, pilot)
        view.read_from("m4")
        await drawn(view, pilot)
        view.action_scroll_lines(-5)
        before = rows(view)[6:]
        assert view.updating
        await drawn(view, pilot)
        assert rows(view)[6:] == before
        assert rows(view)[:4] == ["", "  line 1998 of many", "", "  line 1999 of many"]


@pytest.mark.usefixtures("one_step_a_turn")
@pytest.mark.parametrize("go", ["home", "read from", "previous", "line by line"])
async def test_who_goes_to_a_large_message_stays_there_while_it_is_drawn(
    go: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "STEP", 40)  # few lines a turn, as with code that takes long
    async with thread(message(2, LARGE[:1000])) as (view, pilot, _):
        assert view.updating
        if go == "home":
            view.scroll_home()
        elif go == "read from":
            view.read_from("m2")
        elif go == "previous":
            view.action_cursor(0)
        else:
            view.scroll_home()
            view.action_scroll_lines(3)
            view.action_scroll_lines(-1)
        top = view.scroll_offset.y
        before = rows(view)[:4]
        await drawn(view, pilot)
        assert view.scroll_offset.y == top < 3
        assert rows(view)[:4] == before
        assert not view.at_end


@pytest.mark.usefixtures("one_step_a_turn")
async def test_the_end_is_in_sight_only_when_all_is_drawn() -> None:
    async with thread(message(2, LARGE)) as (view, pilot, app):
        view.set_items([message(2, LARGE)], older=False)
        app.sights.clear()
        assert view.at_end and not view.complete and not view.end_in_sight
        await drawn(view, pilot)
        assert app.sights[0][:2] == (False, False) and app.sights[-1] == (True, True, 4001)
        view.scroll_home()
        await pilot.pause()
        assert app.sights[-1] == (True, False, 4001)


@pytest.mark.usefixtures("one_step_a_turn")
async def test_the_links_of_a_message_are_known_when_its_lines_have_been_dropped() -> None:
    linked = message(0, "See https://example.org/page there.")
    async with thread(linked, *(message(number) for number in range(1, 200))) as (view, pilot, _):
        await drawn(view, pilot)
        view._time._ends = 0.0  # the time for drawing has been used up since then
        assert view.links("m0") == ["https://example.org/page"]


@pytest.mark.usefixtures("one_step_a_turn")
async def test_a_place_in_a_large_message_is_shown_once_it_is_drawn() -> None:
    async with thread(message(0), message(2, LARGE), message(4)) as (view, pilot, _):
        assert view.reveal("m2", "line 1500 of")
        await drawn(view, pilot)
        assert any("line 1500 of many" in row for row in rows(view))


@pytest.mark.usefixtures("one_step_a_turn")
async def test_a_large_message_that_becomes_another_is_shown_as_it_was_until_then() -> None:
    async with thread(message(0, LARGE)) as (view, pilot, _):
        await drawn(view, pilot)
        before = rows(view)
        view.upsert(message(0, LARGE.replace("line", "row")))
        turns = 0
        while view.updating:
            assert rows(view) == before
            await pilot.pause(0.01)
            turns += 1
        assert turns, "it takes more than one, or nothing was seen of the time between"
        assert rows(view)[-2:] == ["  row 1999 of many", ""]


async def test_a_message_with_thousands_of_notes_shows_some_and_says_so() -> None:
    notes = tuple(Note("footnote", f"[{number}] name", "file") for number in range(5000))
    async with thread(message(0, notes=notes)) as (view, _, _app):
        assert view.virtual_size.height < 300
        assert "  … and 4,800 more" in rows(view)


class Following(MessageView):
    """A view that takes over what has changed with each frame."""

    def __init__(self) -> None:
        super().__init__(id="messages")
        self.frames = 0

    def _collect(self) -> None:
        self.frames += 1
        self.upsert(message(1, f"frame {self.frames}"))


class FollowingThread(Thread):
    def compose(self) -> ComposeResult:
        yield Following()


async def test_changes_wait_in_one_place_and_are_drawn_with_the_next_frame() -> None:
    app = FollowingThread()
    async with app.run_test(size=SIZE) as pilot:
        view = app.query_one(Following)
        for _ in range(100):
            view._frames.request()
        await settled(pilot, view)
        assert view.frames == 1, "what is collected asks for no frame of its own"
        assert "frame 1" in "".join(rows(view))
        view._frames.request()
        await settled(pilot, view)
        assert "frame 2" in "".join(rows(view))
