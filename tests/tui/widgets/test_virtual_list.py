from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult
from textual.content import Content

from assistants_tui.tui.widgets.virtual_list import VirtualList


class ListApp(App[None]):
    CSS = "VirtualList { height: 10; width: 30; }"

    def __init__(self) -> None:
        super().__init__()
        self.highlighted: list[int | None] = []
        self.selected: list[int | None] = []
        self.drawn: list[int] = []

    def compose(self) -> ComposeResult:
        yield VirtualList(empty="Nothing here yet, write something.")

    def on_mount(self) -> None:
        self.rows.focus()

    @property
    def rows(self) -> VirtualList:
        return self.query_one(VirtualList)

    @property
    def cursor(self) -> int | None:
        return self.rows.cursor

    def show(self, rows: Sequence[str], **options: str | None) -> None:
        def row(index: int) -> Content:
            self.drawn.append(index)
            return Content(rows[index])

        self.rows.set_rows(
            len(rows),
            row,
            key=lambda index: rows[index],
            is_header=lambda index: rows[index].startswith("#"),
            selected_key=options.get("selected"),
        )

    def on_virtual_list_highlighted(self, event: VirtualList.Highlighted) -> None:
        self.highlighted.append(event.index)

    def on_virtual_list_selected(self, event: VirtualList.Selected) -> None:
        self.selected.append(event.index)

    @property
    def lines(self) -> list[str]:
        return [self.rows.render_line(y).text.rstrip() for y in range(self.rows.size.height)]


async def test_arrows_and_vim_keys_move_and_skip_headings() -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        app.show(["# Today", "a", "b", "# Yesterday", "c"])
        await pilot.pause()
        assert app.cursor == 1
        await pilot.press("down", "j")
        assert app.cursor == 4
        await pilot.press("j")
        assert app.cursor == 4
        await pilot.press("k", "up", "up")
        assert app.cursor == 1
        await pilot.press("G")
        assert app.cursor == 4
        await pilot.press("g", "enter")
        assert app.selected == [1]


async def test_what_was_chosen_is_the_row_and_not_its_place() -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        app.show(["a", "b"])
        await pilot.pause()
        app.rows.action_select()
        app.show(["# New", "0", "a", "b"])
        await pilot.pause()
        app.rows.action_select()
        app.show(["0", "b"])
        await pilot.pause()
        assert app.selected == [2, None]


async def test_the_cursor_stays_on_its_row_when_rows_come_and_go() -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        app.show(["a", "b", "c"])
        await pilot.press("down")
        app.show(["new", "a", "b", "c"])
        assert app.cursor == 2
        app.show(["a", "c"])
        assert app.cursor == 1, "its row is gone: the one that took its place"
        app.show(["x"])
        assert app.cursor == 0
        for nothing_to_choose in ([], ["# only a heading"]):
            app.show(nothing_to_choose)
            assert app.cursor is None


async def test_a_row_can_be_chosen_by_key() -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        app.show([f"row {number}" for number in range(100)], selected="row 70")
        await pilot.pause()
        assert app.cursor == 70
        assert any("row 70" in line for line in app.lines)


async def test_only_visible_rows_are_drawn() -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        app.show([f"row {number}" for number in range(10_000)])
        await pilot.pause()
        await pilot.press("end")
        await pilot.pause()
        assert len(set(app.drawn)) <= 40
        assert max(app.drawn) == 9_999


async def test_paging_moves_by_a_screenful() -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        app.show([f"row {number}" for number in range(100)])
        await pilot.pause()
        await pilot.press("pagedown")
        assert app.cursor == 9
        await pilot.press("pagedown", "pageup", "pageup", "pageup")
        assert app.cursor == 0


async def test_long_rows_end_in_an_ellipsis_and_markup_is_text() -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        app.show(["[bold]" + "x" * 60])
        await pilot.pause()
        assert app.lines[0] == " [bold]" + "x" * 21 + "…"


async def test_an_empty_list_says_what_to_do() -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        await pilot.pause()
        assert " ".join(line.strip() for line in app.lines).strip() == "Nothing here yet, write something."
        await pilot.press("enter", "down", "G", "pagedown")
        assert app.selected == []


@pytest.mark.parametrize(("row", "expected"), [(2, [2]), (0, [])])
async def test_a_click_chooses_a_row_but_not_a_heading(row: int, expected: list[int]) -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        app.show(["# Today", "a", "b"])
        await pilot.pause()
        await pilot.click(VirtualList, offset=(5, row))
        assert app.selected == expected


async def test_the_row_under_the_cursor_keeps_its_place_on_the_screen() -> None:
    app = ListApp()
    rows = [f"row {number}" for number in range(40)]
    async with app.run_test() as pilot:
        app.show(rows)
        await pilot.press(*["down"] * 20)
        await pilot.pause()
        place = app.lines.index(" row 20")
        app.show(["new a", "new b", "new c", *rows])
        await pilot.pause()
        assert app.lines[place] == " row 20"
        app.show(rows[15:])
        await pilot.pause()
        assert app.cursor == 5
        app.show(rows)
        await pilot.pause()
        assert app.lines[5] == " row 20"  # where it had to go when there were fewer rows above


async def test_the_cursor_waits_for_its_row_while_a_list_is_read_anew() -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        app.show(["a", "b", "c"])
        await pilot.press("down", "down")
        app.show([])
        await pilot.pause()
        assert app.cursor is None
        app.show(["n", "a", "b", "c"])
        await pilot.pause()
        assert app.cursor == 3
