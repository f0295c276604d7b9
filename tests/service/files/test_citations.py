"""From the mark in an answer to the passage in the file."""

from pathlib import Path
from typing import Any, cast

import pytest

from assistants_tui.protocol.objects import Message, RunStep
from assistants_tui.service.client.backend import open_backend
from assistants_tui.service.files.citations import (
    Passage,
    Surroundings,
    cited_passages,
    claim_of,
    highlights,
    quotation,
    quoted_place,
    surroundings,
)
from assistants_tui.service.message_text import render_text
from assistants_tui.settings.config import LOCAL
from assistants_tui.settings.paths import user_paths


def search(*results: tuple[str, str]) -> dict[str, Any]:
    found = [
        {
            "file_id": file_id,
            "file_name": f"{file_id}.txt",
            "score": 0.5,
            "content": [{"type": "text", "text": text, "start": 7, "page": 2, "heading": "Leave"}]
            if text
            else [],
        }
        for file_id, text in results
    ]
    return {"type": "file_search", "file_search": {"results": found}}


def step(*calls: dict[str, Any]) -> RunStep:
    return cast(RunStep, {"step_details": {"tool_calls": list(calls)}})


def answer(value: str, *markers: tuple[str, str]) -> Message:
    annotations = [
        {
            "type": "file_citation",
            "text": marker,
            "start_index": value.index(marker),
            "end_index": value.index(marker) + len(marker),
            "file_citation": {"file_id": file_id},
        }
        for marker, file_id in markers
    ]
    part = {"type": "text", "text": {"value": value, "annotations": annotations}}
    return cast(Message, {"id": "m", "role": "assistant", "content": [part]})


STEPS = [
    step(search(("f1", "Rent is due monthly."), ("f2", "Dogs are welcome."))),
    step({"type": "code_interpreter"}, search(("f1", "You may take ten days over."), ("f1", ""))),
]


def passages(marker: str, file_id: str, claim: str = "") -> list[str]:
    footnote = render_text(answer(f"x {marker}", (marker, file_id))).footnotes[0]
    return [passage.text for passage in cited_passages(footnote, STEPS, claim)]


def test_the_marker_names_search_and_result() -> None:
    assert passages("【1:0†f1.txt】", "f1")[0] == "You may take ten days over."
    assert passages("【0:0†f1.txt】", "f1")[0] == "Rent is due monthly."


def test_without_a_usable_marker_the_words_of_the_statement_decide() -> None:
    assert passages("【9:9†f1.txt】", "f1", "ten days are possible")[0] == "You may take ten days over."
    assert passages("[source]", "f1", "the rent")[0] == "Rent is due monthly."
    assert passages("【0:1†f1.txt】", "f1")[0] == "Rent is due monthly.", "the file counts, not the number"
    assert passages("【0:0†gone】", "gone") == []


def test_a_passage_says_where_it_stands() -> None:
    footnote = render_text(answer("x 【0:1†f2.txt】", ("【0:1†f2.txt】", "f2"))).footnotes[0]
    assert cited_passages(footnote, STEPS, "") == [
        Passage("f2", "f2.txt", "Dogs are welcome.", 0.5, page=2, heading="Leave", start=7)
    ]
    assert cited_passages(footnote, STEPS, "")[0].place == "page 2, Leave"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"line": 40}, "line 45"),
        ({"page": 3}, "page 4"),
        ({"page": 3, "heading": "Rent"}, "page 4"),
        ({"heading": "Rent"}, "Leave"),
        ({}, "Leave"),
    ],
)
def test_a_footnote_names_the_place_of_what_it_quotes(given: dict[str, Any], expected: str) -> None:
    """Not that of the passage, which may begin pages before."""
    text = "\n\nRent is due.\n\nDogs are\nwelcome.\f## Leave\n\nTen days may be kept.\n"
    passage = Passage("f", "f.md", text, **given)
    claim = "Up to ten days may be kept"
    assert quotation(passage, claim) == "Ten days may be kept."
    assert quoted_place(passage, claim) == expected
    assert quoted_place(Passage("f", "f.md", "Rent is due.", heading="Rent"), claim) == "Rent"
    assert quoted_place(Passage("f", "f.md", "", line=1), claim) == "line 1"


def test_the_statement_before_the_mark_is_what_it_supports() -> None:
    message = answer(
        "Hello. You get 30 days.【0:0†a】 Ten may be kept【0:1†b】, ask us.",
        ("【0:0†a】", "f1"),
        ("【0:1†b】", "f2"),
    )
    first, second = render_text(message).footnotes
    assert claim_of(message, first) == "You get 30 days."
    assert claim_of(message, second).endswith("Ten may be kept")


def test_the_sentences_of_the_statement_are_marked() -> None:
    text = "Rent is due.\nTen days of leave may be kept. Dogs are welcome."
    spans = highlights(text, "Up to ten days may be kept")
    assert [text[start:end] for start, end in spans] == ["Ten days of leave may be kept."]
    assert highlights(text, "zebra") == [(0, len(text))]
    assert highlights("", "zebra") == []


async def test_what_stands_around_a_passage_comes_from_the_store(tmp_path: Path) -> None:
    backend = await open_backend(LOCAL, paths=user_paths())
    try:
        lines = [f"Paragraph {number} speaks of subject {number}." for number in range(600)]
        path = tmp_path / "long.txt"
        path.write_text("\n\n".join(lines))
        file = await backend.files.upload(path)
        store = await backend.vector_stores.create("s", [file["id"]])
        while (await backend.vector_stores.retrieve(store["id"]))["status"] == "in_progress":
            pass
        found = await backend.vector_stores.search(store["id"], "subject 300")
        piece = found.results[0]["content"][0]
        passage = Passage(file["id"], "long.txt", piece["text"], start=piece["start"])
        around = await surroundings(backend, ["vs_gone", store["id"]], passage)
        whole = "\n\n".join(lines)
        assert f"{around.before}{passage.text}{around.after}" in whole
        assert around.before and around.after
        # a server that does not say where pieces stand
        unplaced = await surroundings(backend, [store["id"]], Passage(file["id"], "long.txt", piece["text"]))
        assert unplaced.before and unplaced.after
        assert await surroundings(backend, ["vs_gone"], passage) == Surroundings()
    finally:
        await backend.close()
