"""Fitting a conversation into a budget of tokens."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.models import tokens
from assistants_tui.engine.runs import prompt

lengths = st.lists(st.integers(0, 200), min_size=1, max_size=20)


def conversation(sizes: list[int]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": f"{n}:" + "x" * size} for n, size in enumerate(sizes)]


@given(lengths, st.lists(st.integers(0, 50), max_size=3), st.integers(10, 1000), st.integers(0, 20))
def test_what_fits_is_kept_from_both_ends(
    sizes: list[int], own: list[int], budget: int, overhead: int
) -> None:
    history, mine = conversation(sizes), conversation(own)
    try:
        fitted = prompt.fit("system", history, mine, overhead=overhead, budget=budget)
    except prompt.PromptTooLongError:
        least = [{"role": "system", "content": "system"}, history[-1], *mine]
        assert tokens.of_messages(least) + overhead > budget
        return
    assert tokens.of_messages(fitted) + overhead <= budget
    kept = fitted[1 : len(fitted) - len(mine)]
    assert fitted[0]["role"] == "system" and fitted[len(fitted) - len(mine) :] == mine
    assert kept[-1] is history[-1]
    # In order, and without a gap but one behind the first.
    places = [next(n for n, message in enumerate(history) if message is one) for one in kept]
    assert places == sorted(places)
    newest = places[1:] if places[0] == 0 else places
    assert newest == list(range(len(history) - len(newest), len(history)))


@given(lengths)
def test_without_a_budget_everything_stays(sizes: list[int]) -> None:
    history = conversation(sizes)
    assert prompt.fit("", history, [], overhead=0, budget=None) == history
    enough = tokens.of_messages(history)
    assert prompt.fit("", history, [], overhead=0, budget=enough) == history
    if len(history) > 1:
        assert len(prompt.fit("", history, [], overhead=1, budget=enough)) < len(history)


def test_a_message_that_is_too_long_alone() -> None:
    with pytest.raises(prompt.PromptTooLongError):
        prompt.fit("", conversation([400]), [], overhead=0, budget=50)


results = st.lists(st.text("aé字 ", min_size=0, max_size=3000), min_size=1, max_size=3)


@given(results, st.integers(300, 3000))
def test_long_results_of_tools_lose_their_ends(contents: list[str], budget: int) -> None:
    history = conversation([20])
    own = [{"role": "tool", "tool_call_id": "call_1", "content": content} for content in contents]
    try:
        fitted = prompt.fit("", history, own, overhead=10, budget=budget)
    except prompt.PromptTooLongError:
        assert budget < 100 + 220 * len(own)
        return
    assert tokens.of_messages(fitted) + 10 <= budget
    assert fitted[0] is history[0]
    for before, after in zip(own, fitted[1:], strict=True):
        kept, _, _ = after["content"].partition("\n\n[The rest is left out")
        assert before["content"].startswith(kept)


def test_images_of_the_assistant_are_only_mentioned() -> None:
    message: Any = {
        "role": "assistant",
        "content": [{"type": "image_file", "image_file": {"file_id": "file-1", "detail": "auto"}}],
        "attachments": [],
    }
    told = prompt.of_thread_message(message, {"file-1": "plot.png"}, {"file-1": "data:"})
    assert told == {"role": "assistant", "content": "[Image plot.png]"}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/port/harbour.png", "harbour.png"),
        ("https://example.org/harbour.png?key=secret/1#top", "harbour.png"),
        ("https://example.org/port/", "port"),
        ("https://user:secret@example.org", "sent with this message"),
        ("data:image/png;base64,iVBORw0KGgo/AAAA" + "B" * 10_000, "sent with this message"),
        ("DATA:image/png;base64,iVBO//AAAA", "sent with this message"),
        ("data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>", "sent with this message"),
    ],
)
def test_images_are_named_by_nothing_but_their_file(url: str, name: str) -> None:
    content: Any = [{"type": "image_url", "image_url": {"url": url}}]
    message: Any = {"role": "user", "content": content, "attachments": []}
    told = prompt.of_thread_message(message, {}, {})
    assert told is not None and told["content"][0]["name"] == name
