from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.protocol.objects import Message, Run
from assistants_tui.service.message_text import MAX_TITLE, ended_at, render_text, suggested_title


def message(*parts: dict[str, Any]) -> Message:
    return cast(Message, {"id": "msg_1", "role": "assistant", "content": list(parts)})


def text(value: str, *marks: tuple[str, str, str]) -> dict[str, Any]:
    """A text part; marks are (kind, marker text, file ID) in the order in which they stand in the text."""
    annotations = []
    position = 0
    for kind, marker, file_id in marks:
        start = value.index(marker, position)
        position = start + len(marker)
        annotations.append(
            {
                "type": kind,
                "text": marker,
                "start_index": start,
                "end_index": position,
                kind: {"file_id": file_id},
            }
        )
    return {"type": "text", "text": {"value": value, "annotations": annotations}}


def test_marks_become_numbers_and_repeated_ones_share_a_footnote() -> None:
    shown = render_text(
        message(
            text(
                "Rent is due【4:0†ledger.txt】 in May【4:1†lease.pdf】. Really【4:0†ledger.txt】.",
                ("file_citation", "【4:0†ledger.txt】", "file-a"),
                ("file_citation", "【4:1†lease.pdf】", "file-b"),
                ("file_citation", "【4:0†ledger.txt】", "file-a"),
            )
        )
    )
    assert shown.text == "Rent is due[1] in May[2]. Really[1]."
    assert [(note.number, note.name, note.file_id) for note in shown.footnotes] == [
        (1, "ledger.txt", "file-a"),
        (2, "lease.pdf", "file-b"),
    ]


def test_a_file_that_code_made_is_named_by_its_path() -> None:
    marker = "sandbox:/mnt/data/may.csv"
    shown = render_text(message(text(f"Table: {marker}", ("file_path", marker, "file-g"))))
    assert shown.text == "Table: [1]"
    assert shown.footnotes[0].name == "may.csv"


def test_a_marker_inside_a_link_leaves_the_link_whole() -> None:
    marker = "sandbox:/mnt/data/may.csv"
    shown = render_text(message(text(f"[May]({marker})", ("file_path", marker, "file-g"))))
    assert shown.text == f"[May]({marker})"
    assert len(shown.footnotes) == 1


def test_images_and_refusals_are_kept_apart_from_the_text() -> None:
    shown = render_text(
        message(
            {"type": "image_file", "image_file": {"file_id": "file-i"}},
            text("Here."),
            {"type": "refusal", "refusal": "Not that."},
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
            {"type": "hologram", "hologram": {}},
        )
    )
    assert shown.text == "Here.\n\nNot that."
    assert shown.images == ("file-i", "https://example.org/a.png")


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 1), (0, 99)])
def test_offsets_outside_the_text_change_nothing(start: int, end: int) -> None:
    part = text("Rent【1】", ("file_citation", "【1】", "file-a"))
    part["text"]["annotations"][0] |= {"start_index": start, "end_index": end}
    assert render_text(message(part)).text == "Rent【1】"


@given(
    pieces=st.lists(st.text(st.characters(blacklist_characters="【】"), max_size=8), min_size=1, max_size=6)
)
def test_everything_between_the_marks_survives(pieces: list[str]) -> None:
    markers = [f"【{number}†f】" for number in range(len(pieces) - 1)]
    value = pieces[0] + "".join(mark + piece for mark, piece in zip(markers, pieces[1:], strict=True))
    marks = [("file_citation", marker, f"file-{number}") for number, marker in enumerate(markers)]
    expected = pieces[0] + "".join(f"[{number + 1}]{piece}" for number, piece in enumerate(pieces[1:]))
    assert render_text(message(text(value, *marks))).text == expected


@pytest.mark.parametrize(
    ("first", "title"),
    [
        ("I need to solve `3x + 11 = 14`.", "I need to solve 3x + 11 = 14."),
        ("\n\n# Heading\nmore", "Heading"),
        ("12 * 12, or 2*3 and snake_case", "12 * 12, or 2*3 and snake_case"),
        ("* **Very** _important_ ***words***!", "Very important words!"),
        ("   ", "Untitled"),
        ("```\n```", "Untitled"),
    ],
)
def test_titles_come_from_the_first_line_with_words(first: str, title: str) -> None:
    assert suggested_title(first) == title


@given(st.text())
def test_titles_are_one_short_line(first: str) -> None:
    title = suggested_title(first)
    assert 0 < len(title) <= MAX_TITLE
    assert len(title.splitlines()) == 1


def test_a_run_ends_once() -> None:
    assert ended_at(cast(Run, {"created_at": 10, "completed_at": 14})) == 14
    assert ended_at(cast(Run, {"created_at": 10, "cancelled_at": 11, "completed_at": None})) == 11
    assert ended_at(cast(Run, {"created_at": 10, "started_at": 10, "completed_at": "soon"})) is None
