"""Cutting text: exact offsets, sizes within their limits, cuts where a reader would make them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.search import chunking, tokens
from assistants_tui.engine.search.chunking import Chunking, chunks
from assistants_tui.engine.search.documents.document import Document, Heading
from assistants_tui.engine.search.errors import IngestError

WORDS = st.sampled_from(
    [
        "tide",
        "Lighthouse",
        "0.4",
        "\n",
        "\n\n",
        ". ",
        " ",
        "漢字",
        "x" * 90,
        "{}",
        "naïve",
        "# Head",
        "\t",
        "😀",
    ]
)
TEXTS = st.lists(WORDS | st.text(max_size=5), min_size=1, max_size=800).map("".join).filter(bool)
STRATEGIES = st.integers(100, 4096).flatmap(
    lambda size: st.builds(Chunking, st.just(size), st.integers(0, size // 2))
)


@given(text=TEXTS, strategy=STRATEGIES | st.just(Chunking(100, 50)))
def test_chunks_are_exact_cover_the_text_and_keep_the_limits(text: str, strategy: Chunking) -> None:
    found = list(chunks(Document(text), strategy))
    assert found[0].start == 0
    assert found[-1].end == len(text)
    for chunk in found:
        assert chunk.text == text[chunk.start : chunk.end]
        # a chunk may begin inside of what counts as one token of the whole text
        assert tokens.count(chunk.text) <= strategy.max_tokens + 1
    for before, after in pairwise(found):
        assert before.start < after.start <= before.end < after.end
        assert tokens.count(text[after.start : before.end]) <= strategy.overlap_tokens + 1
        if strategy.overlap_tokens == 0:
            assert after.start == before.end


@given(st.text(max_size=300))
def test_tokens_cover_the_text(text: str) -> None:
    starts = tokens.starts(text)
    assert starts == sorted(set(starts))
    assert starts[:1] == ([0] if text else [])
    assert len(starts) == tokens.count(text) <= len(text)


def test_english_has_four_characters_to_a_token() -> None:
    prose = (
        "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be "
        "in want of a wife. However little known the feelings or views of such a man may be on his first "
        "entering a neighbourhood, this truth is so well fixed in the minds of the neighbours, that "
        "he is considered the rightful property of some one or other of their daughters."
    )
    assert 3.5 < len(prose) / tokens.count(prose) < 4.7
    assert tokens.count("漢字仮名交じり文") == 8


def test_cuts_fall_between_paragraphs_and_sentences() -> None:
    paragraph = "The keeper climbs the stairs at dusk. He lights the lamp and writes down the wind. " * 3
    text = "\n\n".join(paragraph.strip() for _ in range(40))
    found = list(chunks(Document(text), Chunking(400, 50)))
    assert len(found) > 5
    for chunk in found[:-1]:
        assert chunk.text.endswith("\n\n")
    sentences = "He lights the lamp and writes down the wind. " * 100
    for chunk in list(chunks(Document(sentences), Chunking(100, 50)))[:-1]:
        assert chunk.text.endswith(". ")
        assert chunk.text.startswith("He lights")


def test_pages_lines_and_headings() -> None:
    lines = [f"line {number} of the logbook, with some words in it\n" for number in range(1, 401)]
    text = "".join(lines)
    at = [0]
    for line in lines:
        at.append(at[-1] + len(line))
    document = Document(
        text,
        headings=(Heading(0, 1, "Logbook"), Heading(at[100], 2, "Spring"), Heading(at[300], 2, "Autumn")),
        pages=(0, at[200]),
        lined=True,
    )
    found = list(chunks(document, Chunking(200, 40)))
    for chunk in found:
        first = text.count("\n", 0, chunk.start) + 1
        assert chunk.line == first
        assert chunk.page == (1 if first <= 200 else 2)
        if first > 300:
            assert chunk.heading == "Logbook > Autumn"
        elif first > 100:
            assert chunk.heading == "Logbook > Spring"
        else:
            assert chunk.heading == "Logbook"
    plain = next(chunks(Document("just words"), Chunking()))
    assert (plain.page, plain.line, plain.heading) == (None, None, "")


def test_too_much_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_TOKENS", 1000)
    assert list(chunks(Document("word\n" * 500), Chunking()))
    with pytest.raises(IngestError) as caught:
        list(chunks(Document("word\n" * 501), Chunking()))
    assert caught.value.code == "invalid_file"
