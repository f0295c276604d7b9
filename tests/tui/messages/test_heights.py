"""Positions of blocks against sums worked out one by one."""

from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.tui.messages.heights import Heights

NUMBERS = st.lists(st.integers(1, 50), min_size=1, max_size=30)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["set", "append", "prepend", "delete", "ask"]), st.integers(0, 99), st.integers(1, 50)
    )
)


@given(NUMBERS, CHANGES)
def test_positions_follow_every_change(numbers: list[int], changes: list[tuple[str, int, int]]) -> None:
    heights, model = Heights(numbers), list(numbers)
    for kind, at, value in changes:
        index = at % len(model)
        if kind == "set":
            heights[index] = model[index] = value
        elif kind == "append":
            heights.append(value)
            model.append(value)
        elif kind == "prepend":
            heights.prepend([value, at + 1])
            model[:0] = [value, at + 1]
        elif kind == "delete" and len(model) > 1:
            del heights[index]
            del model[index]
        else:
            assert heights.top(index) == sum(model[:index])
    assert heights.total == sum(model)
    assert [heights.top(index) for index in range(len(model) + 1)] == [
        sum(model[:n]) for n in range(len(model) + 1)
    ]
    lines = [(index, line) for index, height in enumerate(model) for line in range(height)]
    assert [heights.at(line) for line in range(sum(model))] == lines
    assert heights.at(-5) == lines[0]
    assert heights.at(10**6) == lines[-1]
