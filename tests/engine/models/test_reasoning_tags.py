"""Reasoning between tags, however the server cuts the text into pieces."""

from collections.abc import Iterable

import pytest

from assistants_tui.engine.models.base import ReasoningDelta, TextDelta
from assistants_tui.engine.models.reasoning_tags import LoneEndTag, ReasoningTags


def answer(pieces: Iterable[str]) -> str:
    """The text of an answer that comes in these pieces, without its reasoning."""
    tags, text = ReasoningTags(), ""

    def take(deltas: Iterable[TextDelta | ReasoningDelta]) -> None:
        nonlocal text
        try:
            for delta in deltas:
                text += delta.text if isinstance(delta, TextDelta) else ""
        except LoneEndTag as end:
            text = end.rest

    for piece in pieces:
        take(tags.feed(piece))
    take(tags.finish())
    return text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<think>\nHm.\n</think>\n\nHi.\n", "Hi.\n"),
        (" \n<thinking>Hm.</thinking>Hi.", "Hi."),
        ("[THINK]Hm.[/THINK]Hi.", "Hi."),
        ("[1,\n2]", "[1,\n2]"),
        ("Hm.\n</think>\nHi.\n\nHo.", "Hi.\n\nHo."),
        ("Hm.\r\n</think> \r\nHi.", "Hi."),
        ("Hm.\n```\ncode\n```\n</think>\nHi.", "Hi."),
        ("Hm.\n</think>\t", ""),
        ("</thin\n", "</thin\n"),
    ],
)
def test_the_cuts_do_not_matter(text: str, shown: str) -> None:
    assert answer(text) == shown
    for first in range(len(text)):
        for second in range(first, len(text)):
            assert answer([text[:first], text[first:second], text[second:]]) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Templates end with\n```\n</think>\n```\nso.",
        "~~~~ text\n~~~\n</think>\n~~~~\nso.",
        "It writes\n<think>\nHm.\n</think>\nand then answers.",
        '{"name": "tide", "text": "<think>\\n</think>"}',
    ],
)
def test_what_is_written_about_tags_is_kept(text: str) -> None:
    for cut in range(len(text)):
        assert answer([text[:cut], text[cut:]]) == text
    assert answer(text) == text
