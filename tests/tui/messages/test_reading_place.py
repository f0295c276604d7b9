"""The line at the top edge stays there, whatever comes, grows, goes or becomes known elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistants_tui.tui.messages.entry_list import EntryList
from assistants_tui.tui.messages.message_body import MessageItem
from assistants_tui.tui.messages.reading_place import ReadingPlace

HEIGHT = 8
WIDTH = 20


def item(name: str, paragraphs: int) -> MessageItem:
    """A message whose height is far from its estimate."""
    text = "\n\n".join(f"{name} {number}" for number in range(paragraphs))
    return MessageItem(name, "Tutor", from_user=False, time="12:00", text=text)


@dataclass
class Reader:
    """Messages, and who reads them; all is drawn as soon as it is measured."""

    entries: EntryList = field(default_factory=lambda: EntryList(lambda: False))
    y: int = 0

    def __post_init__(self) -> None:
        self.place = ReadingPlace(self.entries)
        self.entries.set_width(WIDTH)

    def settle(self) -> None:
        self.y = self.place.settle(HEIGHT)

    def draw(self) -> None:
        self.entries.draw_changes(
            lambda entry, before, now: self.place.note_growth(entry, before, now, HEIGHT)
        )
        self.settle()

    def lines(self) -> list[str]:
        """What is in sight."""
        heights = self.entries.heights
        shown = []
        for line in range(self.y, min(self.y + HEIGHT, heights.total)):
            place, row = heights.at(line)
            self.entries.measure(place)
            shown.append(f"{self.entries[place].item.id}: {self.entries[place].body[row].text}")
        return shown


def reader(counts: Sequence[int]) -> Reader:
    one = Reader()
    one.entries.set_items(item(f"m{number}", count) for number, count in enumerate(counts))
    one.settle()
    return one


counts = st.lists(st.integers(1, 12), min_size=1, max_size=20)


@given(counts, counts)
def test_older_messages_do_not_move_the_reader(old: list[int], new: list[int]) -> None:
    one = reader(new)
    before = one.lines()
    one.entries.prepend(item(f"old{number}", count) for number, count in enumerate(old))
    one.settle()
    if len(before) == HEIGHT:
        assert one.lines() == before
    else:
        assert one.lines()[-len(before) :] == before, "the end stays in sight"


@given(counts, st.data())
def test_what_changes_above_or_comes_below_does_not_move_a_reader_in_between(
    sizes: list[int], data: st.DataObject
) -> None:
    one = reader(sizes)
    for _ in range(data.draw(st.integers(1, 6))):
        one.place.scroll(-(step := data.draw(st.integers(1, 3 * HEIGHT))), one.y - step, HEIGHT)
        one.settle()
    if one.place.at_end or one.place.top is None:
        return
    before, top = one.lines(), one.entries.place(one.place.top)
    for number in range(top):
        one.entries.upsert(item(f"m{number}", data.draw(st.integers(1, 30))))
    one.entries.upsert(item("new", 3))
    one.draw()
    assert one.lines() == before


@given(counts, st.lists(st.integers(-2 * HEIGHT, 2 * HEIGHT), max_size=12))
@settings(max_examples=60)
def test_scrolling_moves_by_as_many_lines_as_are_asked_for(sizes: list[int], steps: list[int]) -> None:
    one = reader(sizes)
    whole = [
        f"{entry.item.id}: {entry.body[row].text}"
        for place, entry in enumerate(one.entries)
        for row in range(one.entries.measure(place))
    ]
    one.settle()
    end = max(0, len(whole) - HEIGHT)
    at = end
    for step in steps:
        one.place.scroll(step, max(0, at + step), HEIGHT)
        one.settle()
        at = max(0, min(end, at + step))
        assert one.lines() == whole[at : at + HEIGHT]
        assert one.place.at_end == (at == end)


@given(counts, st.data())
def test_a_message_that_goes_leaves_the_reader_at_its_neighbour(
    sizes: list[int], data: st.DataObject
) -> None:
    one = reader(sizes)
    while len(one.entries):
        entry = one.entries[data.draw(st.integers(0, len(one.entries) - 1))]
        one.place.hold(one.entries[data.draw(st.integers(0, len(one.entries) - 1))])
        one.settle()
        one.place.leave(entry, one.entries.remove(entry))
        one.settle()
        assert len(one.lines()) == min(HEIGHT, one.entries.heights.total)
    assert one.place.at_end


@pytest.mark.parametrize(("steps", "moved"), [((-15,), 10), ((-15, 1), 0)])
def test_growth_moves_a_reader_who_came_from_below_until_he_turns(steps: tuple[int, ...], moved: int) -> None:
    one = reader([9, 20, 9])
    one.place.hold(one.entries[2])
    for step in steps:
        one.place.scroll(step, one.y + step, HEIGHT)
        one.settle()
    before, height = one.y, one.entries.heights[1]
    one.place.note_growth(one.entries[1], height - 10, height, HEIGHT)
    one.settle()
    assert one.y == before + moved


def test_a_text_is_found_and_shown_where_it_is_not_in_sight() -> None:
    one = reader([3, 40, 3])
    one.place.seek(one.entries[1], "M1 20")
    assert one.place.find(one.y, HEIGHT)
    one.settle()
    assert "m1: m1 20" in one.lines()
    one.place.seek(one.entries[1], "m1 20")
    assert not one.place.find(one.y, HEIGHT), "it is in sight"
    one.place.seek(one.entries[1], "nowhere")
    assert not one.place.find(one.y, HEIGHT)
    assert not one.place.can_find
