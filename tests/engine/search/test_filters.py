"""Filters on attributes, against a model of what they mean, and in a search."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, column, create_engine, select, text

from assistants_tui.engine.search.filters import likely, matcher
from assistants_tui.engine.store import vector_store_files
from support.search import Library

KEYS = st.sampled_from(["year", "kind", "draft", 'odd "key".$'])
VALUES = st.one_of(
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([0.5, 1.0, -1.5, 1e300]),
    st.sampled_from(["", "a", "b", "1"]),
)
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=4)
COMPARISONS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]), "key": KEYS, "value": VALUES}
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["in", "nin"]), "key": KEYS, "value": st.lists(VALUES, max_size=3)}
    ),
)
ENGINE = create_engine("sqlite://")
ROW = text("(SELECT :attributes AS attributes)")
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(["and", "or"]), "filters": st.lists(inner, min_size=1, max_size=3)}
    ),
    max_leaves=6,
)


def same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def model(condition: dict[str, Any], attributes: dict[str, Any]) -> bool:
    """The meaning of a filter, spelled out."""
    kind = condition["type"]
    if kind == "and":
        return all(model(part, attributes) for part in condition["filters"])
    if kind == "or":
        return any(model(part, attributes) for part in condition["filters"])
    value = condition["value"]
    if condition["key"] not in attributes:
        return kind in {"ne", "nin"}
    mine = attributes[condition["key"]]
    if kind in {"eq", "ne"}:
        return same(mine, value) is (kind == "eq")
    if kind in {"in", "nin"}:
        return any(same(mine, item) for item in value) is (kind == "in")
    both_text = isinstance(mine, str) and isinstance(value, str)
    both_flags = isinstance(mine, bool) and isinstance(value, bool)
    both_numbers = all(isinstance(item, int | float) and not isinstance(item, bool) for item in (mine, value))
    if not (both_text or both_flags or both_numbers):
        return False
    return bool({"gt": mine > value, "gte": mine >= value, "lt": mine < value, "lte": mine <= value}[kind])


@given(FILTERS, ATTRIBUTES)
def test_filters_mean_what_they_say(condition: dict[str, Any], attributes: dict[str, Any]) -> None:
    assert matcher(condition)(attributes) == model(condition, attributes)


@given(FILTERS, ATTRIBUTES)
def test_what_the_database_leaves_out_does_not_meet_the_filter(
    condition: dict[str, Any], attributes: dict[str, Any]
) -> None:
    stored: ColumnElement[Any] = column("attributes")
    kept = select(stored).select_from(ROW).where(likely(condition, stored))
    with ENGINE.connect() as connection:
        row = connection.execute(kept, {"attributes": json.dumps(attributes)}).one_or_none()
    assert row is not None or not model(condition, attributes)


@pytest.mark.parametrize(
    "wrong", [{"type": "like", "key": "a", "value": 1}, {"type": "eq", "key": "a", "value": None}]
)
def test_what_is_no_filter(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"filter|attribute"):
        matcher(wrong)


SHELF: list[dict[str, Any]] = [
    {},
    {"year": 2024, "kind": "memo"},
    {"year": 2025, "kind": "memo", "draft": True},
    {"year": 2026, "kind": "note", "draft": False},
    {"year": "2026"},
    {'odd "key".$': 'odd "value"'},
]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"type": "eq", "key": "kind", "value": "memo"}, {1, 2}),
        ({"type": "ne", "key": "kind", "value": "memo"}, {0, 3, 4, 5}),
        ({"type": "gte", "key": "year", "value": 2025}, {2, 3}),
        ({"type": "lt", "key": "year", "value": 2025.5}, {1, 2}),
        ({"type": "eq", "key": "draft", "value": True}, {2}),
        ({"type": "eq", "key": "draft", "value": 1}, set()),
        ({"type": "in", "key": "year", "value": [2024, "2026"]}, {1, 4}),
        ({"type": "nin", "key": "year", "value": [2024, 2025, 2026]}, {0, 4, 5}),
        ({"type": "eq", "key": 'odd "key".$', "value": 'odd "value"'}, {5}),
        (
            {
                "type": "and",
                "filters": [
                    {"type": "gte", "key": "year", "value": 2025},
                    {
                        "type": "or",
                        "filters": [
                            {"type": "eq", "key": "kind", "value": "note"},
                            {"type": "eq", "key": "draft", "value": False},
                        ],
                    },
                ],
            },
            {3},
        ),
    ],
)
async def test_searching_with_filters(
    library: Library, condition: dict[str, Any], expected: set[int]
) -> None:
    for number, attributes in enumerate(SHELF):
        await library.add(f"{number}.txt", "a storm over the sea", attributes=attributes)
    found = await library.found("storm", filters=condition)
    assert {int(name.partition(".")[0]) for name in found} == expected


async def test_filters_may_have_thousands_of_parts_and_many_levels(library: Library) -> None:
    await library.add("a.txt", "a storm over the sea", attributes={"year": 7})
    years = [{"type": "eq", "key": "year", "value": year} for year in range(3000)]
    deep: dict[str, Any] = years[7]
    for level in range(100):
        deep = {"type": ("and", "or")[level % 2], "filters": [deep, years[7 - level % 2]]}
    for condition in (
        {"type": "in", "key": "year", "value": [*range(40_000)]},
        {"type": "or", "filters": years},
        deep,
    ):
        assert await library.found("storm", filters=condition) == ["a.txt"]


async def test_rare_files_are_found_among_many(library: Library) -> None:
    """The filter works inside the search: the candidates are not used up by files that do not match."""
    storms = "storm " * 3000
    for number in range(4):
        await library.add(f"common{number}.txt", storms, attributes={"kind": "common"})
    await library.add("rare.txt", "once there was a storm", attributes={"kind": "rare"})
    assert await library.found("storm", filters={"type": "eq", "key": "kind", "value": "rare"}) == [
        "rare.txt"
    ]


async def test_changed_attributes_count_at_once(library: Library) -> None:
    file_id = await library.add("a.txt", "storm", attributes={"year": 1})
    condition = {"type": "eq", "key": "year", "value": 2}
    assert await library.found("storm", filters=condition) == []
    async with library.database.write() as connection:
        values = {"attributes": {"year": 2}}
        await vector_store_files.change(connection, "me", library.store, file_id, values)
    (hit,) = await library.find("storm", filters=condition)
    assert hit.attributes == {"year": 2}
