"""The list of entries: each message once, heights that become true, and lines only of what was seen last."""

from itertools import cycle

from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.tui.messages.entry_list import EntryList
from assistants_tui.tui.messages.message_body import MessageItem


def item(number: int, text: str = "text") -> MessageItem:
    return MessageItem(f"m{number}", "You", from_user=True, time="", text=text)


def nothing(*_: object) -> None:
    """Nobody reads."""


numbers = st.integers(0, 7)
actions = st.sampled_from(["add", "older", "others", "remove", "measure", "draw", "width"])


@given(st.lists(st.tuples(actions, numbers, numbers), min_size=8))
def test_messages_stay_in_order_and_heights_true_whatever_is_done(
    steps: list[tuple[str, int, int]],
) -> None:
    entries = EntryList(lambda: False)
    entries.set_width(30)
    expected = {one.id: one for one in (item(number, "a\n\n" * number) for number in range(4))}
    entries.set_items(expected.values())
    for what, first, second in steps:
        if what == "add":
            new = item(first, "a\n\n" * second)
            changed = expected.get(new.id) != new
            expected[new.id] = new
            assert entries.upsert(new) == changed
        elif what == "older":
            older = [item(number) for number in range(first, second)]
            fresh = {one.id: one for one in older if one.id not in expected}
            expected = {**fresh, **expected}
            entries.prepend(older)
        elif what == "others":
            others = [item(number, "a\n\n" * number) for number in range(first, second)]
            expected = {one.id: one for one in others}
            entries.set_items(others)
        elif what == "remove" and len(entries):
            entry = entries[first % len(entries)]
            entries.remove(entry)
            del expected[entry.item.id]
        elif what == "measure":
            for place in range(first, len(entries)):
                entries.measure(place)
        elif what == "draw":
            entries.draw_changes(nothing)
            assert all(
                entries.heights[place] == entry.estimated_height(entries.width)
                for place, entry in enumerate(entries)
                if not entry.at_hand
            )
        elif what == "width":
            entries.set_width(10 + first)
        lines = {place: len(entry.body) for place, entry in enumerate(entries) if entry.at_hand}
        assert {place: entries.heights[place] for place in lines} == lines
        assert entries.drawn == len(lines)
    assert [entry.item for entry in entries] == [*expected.values()]
    assert [entries.place(entry) for entry in entries] == [*range(len(entries))]
    serials = [entry.serial for entry in entries]
    assert serials == sorted({*serials})
    entries.draw_changes(nothing)
    for place, entry in enumerate(entries):
        fresh_list = EntryList(lambda: False)
        fresh_list.set_width(entries.width)
        fresh_list.set_items([entry.item])
        assert entries.measure(place) == fresh_list.measure(0)


def test_lines_are_kept_of_those_that_were_used_last() -> None:
    entries = EntryList(lambda: False)
    entries.set_width(30)
    entries.set_items(item(number) for number in range(10))
    for place in (0, 5, 9, 0):
        entries.measure(place)
    entries.forget_unseen(2)
    assert [entry.item.id for entry in entries if entry.at_hand] == ["m0", "m9"]
    assert entries.drawn == 2


def test_a_long_message_is_drawn_in_steps_and_tells_how_it_grows() -> None:
    looks = cycle((False, True))  # each step uses up the time that there is
    entries = EntryList(lambda: next(looks))
    entries.set_width(30)
    entries.set_items([item(0, "line\n\n" * 3000)])
    grown: list[tuple[int, int]] = []
    entries.measure(0)
    while entries.behind:
        assert not entries.complete
        entries.draw_changes(lambda entry, before, now: grown.append((before, now)))
    assert entries.complete and len(grown) > 1
    assert all(before <= now for before, now in grown)
    assert grown[-1][1] == entries.heights.total
