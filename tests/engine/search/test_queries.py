"""Questions as searches, and texts as terms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.search.analysis import TermFinder, terms, word_terms, words
from assistants_tui.engine.search.queries import rewrite


@pytest.mark.parametrize(
    ("question", "searches"),
    [
        ("rent due", ["rent due"]),
        ("How do I reset my password?", ["reset my password"]),
        ("Please tell me about parental leave.", ["parental leave"]),
        ("Could you explain the difference between TCP and UDP?", ["difference between TCP and UDP"]),
        ("Who pays the harbour fee and when is rent due?", ["pays the harbour fee", "rent due"]),
        ("Hello! What's the height of the tower? Thanks.", ["height of the tower"]),
        ("How high is the tower? Who built it?", ["high is the tower", "high is the tower built it"]),
        ("What changed in version 3.11, e.g. in asyncio?", ["changed in version 3.11, e.g. in asyncio"]),
        ("What are fees? What are FEES?", ["fees"]),
        ("what is it?", ["it"]),
        ("Thank you!", ["Thank you!"]),
        ("???", ["???"]),
    ],
)
def test_rewriting(question: str, searches: list[str]) -> None:
    assert rewrite(question) == searches


def test_a_whole_text_stays_whole() -> None:
    text = "Is this one? Is that two? What is three? Where is four? Who is five? When is six?"
    assert rewrite(text) == [text]


@given(st.text(max_size=200))
def test_rewriting_anything(question: str) -> None:
    found = rewrite(question)
    assert 1 <= len(found) <= 5
    assert all(query == query.strip() for query in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The keeper is running", ["keeper", "run"]),
        ("parse_file_name", ["parse_file_name", "pars", "file", "name"]),
        ("parseFile", ["parsefil", "pars", "file"]),
        ("HTTPServer2", ["httpserver2", "http", "server"]),
        ("Crème brûlée, STRASSE Straße", ["creme", "brule", "strass", "strass"]),
        ("don't", ["don"]),
        ("灯台の光x", ["灯台", "台の", "の光", "x"]),
        ("光", ["光"]),
        ("3.11 _ __", ["3", "11"]),
        ("x" * 500, ["x" * 80]),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert list(terms(text)) == expected


@given(st.text(max_size=300))
def test_terms_are_ready_for_the_index(text: str) -> None:
    """They are separated by blanks there, so they must have none, and no case."""
    for term in terms(text):
        assert term
        assert term.split() == [term]


VOCABULARY = st.sampled_from(
    [
        "tide",
        "tides",
        "parse_file",
        "parseFile",
        "HTTPServer",
        "hoping",
        "hopping",
        "happily",
        "the",
        "using",
        "uses",
        "rated",
        "x2y_z",
        "café",
        "灯台の光",
    ]
)


@given(st.lists(VOCABULARY, max_size=30), st.lists(VOCABULARY, max_size=3), st.sampled_from([" ", ", ", "("]))
def test_terms_are_found_where_they_are(text: list[str], query: list[str], between: str) -> None:
    """The finder skips words that cannot matter; it must not skip others."""
    written = between.join(text)
    wanted = set(terms(" ".join(query)))
    places = TermFinder(wanted).places(written)
    assert [term for _, _, term in places] == [
        term for word in words(written) for term in word_terms(word) if term in wanted
    ]
    for start, end, term in places:
        assert term in word_terms(written[start:end])


@pytest.mark.parametrize("blank", [" ", "\n", "\t ", "\u00a0"])
def test_runs_of_blanks_are_read_as_one(blank: str) -> None:
    """A pattern that goes back over them would not come to an end."""
    assert rewrite("How high is" + blank * 900 + "the tower?") == rewrite(
        "How high is" + blank + "the tower?"
    )
    long = "a" + blank * 100_000 + "b"
    assert rewrite(long) == [long]
