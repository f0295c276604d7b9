"""Whatever a text is, it is drawn in steps that are all small. They are counted; time is not measured."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistants_tui.tui.markdown import IncrementalMarkdown, Line, render
from assistants_tui.tui.markdown.code import _Lexers, lexers
from assistants_tui.tui.markdown.stream import LEFT_OUT, MAX_LINE, MAX_LINES, STEP

MOST_CALLS = 150_000
"""Calls of functions in one step, those of C and those of Python; about a fortieth of a second."""

PIECES = [
    *("[", "![", "[a](", "[a](b) ", "[1]", "]", "](", "*a_ ", "*a", "_a ", "**", "~~a", "`", "`a", "``"),
    *("<", "<a ", "<http://a>", "<br>", "<!--", "&a", "&amp;", "$a ", "$$a", "\\(a", "\\[", "\\", "\\*"),
    *("> ", ">", "- ", "1. ", "# ", " #", "#", "=", "-", "---", "+", "|", "a|", "-|", ":-", "\t", " ", "  "),
    *(
        "a",
        "word ",
        "日本",
        "e\u0301",
        "\u0301",
        "👨\u200d",
        "\u200b",
        "\u00a0",
        "a  \n",
        "a\n\n",
        "a\n",
        "\n",
    ),
    *("[x]: b\n", "[x]\n", '"x\n', "http://a.b/c ", "https://", "x = 1 # a\n", "/*", '"', "((", "{", "\x00"),
]
BEGINNINGS = [
    *("", "```python\n", "```c\n", "```\n", "~~~\n", "    ", "|a|b|\n|-|-|\n", "|" + "c|" * 300 + "\n|"),
    *("<div>\n", "<!--\n", "> ", "- ", "# ", '[a]: b "', "[", "word\n"),
]
HOSTILE = st.builds(
    lambda beginning, parts, end: beginning + "".join(piece * count for piece, count in parts) + end,
    st.sampled_from(BEGINNINGS),
    st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 700)), min_size=1, max_size=3),
    st.sampled_from(["", "\n===", "\n---", "\n|-|-|", "x\n", "\n```\n", "\n\n[x]: y"]),
)


@contextmanager
def counted() -> Iterator[list[int]]:
    """Counts calls of functions meanwhile."""
    calls = [0]

    def count(frame: FrameType, event: str, argument: object) -> None:
        calls[0] += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def one_step() -> "Iterator[bool]":
    yield False
    while True:
        yield True


def drawn_in_steps(source: str, width: int = 60) -> tuple[list[Line], int]:
    """The lines, and the calls of the step that took most."""
    markdown = IncrementalMarkdown(width)
    markdown.feed(source)
    markdown.end()
    most = 0
    while markdown.behind:
        steps = one_step()
        with counted() as calls:
            markdown.flush(lambda steps=steps: next(steps))  # type: ignore[misc]
        most = max(most, calls[0])
    return list(markdown), most


@settings(max_examples=12)
@given(HOSTILE)
@example("https://e.org/" + "a" * 12_000)
@example("[" * 12_000)
@example("".join(f"[x{number}]: http://e.org/{number}\n" for number in range(300)))
@example("|" + "c|" * 300 + "\n|" + "-|" * 300 + "\n" + ("|" + "v|" * 300 + "\n") * 5)
@example("|a|b|\n|-|-|\n" + "".join(f"|{'x' * (number % 50)}|2|\n" for number in range(700)))
def test_no_step_is_long(source: str) -> None:
    for language in ("python", "c"):
        lexers.get(language)  # loading one is no part of a step
    lines, most = drawn_in_steps(source)
    assert most <= MOST_CALLS
    assert lines == render(source, 60)


@pytest.mark.parametrize("piece", ["word ", "a", "日", "[a](b) ", "**a** b ", "`a`, ", "a\n"])
def test_the_work_follows_the_size(piece: str) -> None:
    short, long = (piece * (size // len(piece)) for size in (5_000, 20_000))
    with counted() as few:
        render(short, 60)
    with counted() as many:
        render(long, 60)
    assert many[0] < 6 * few[0]


def test_a_long_line_of_text_stays_one() -> None:
    words = "word " * 4000
    lines = render(words + "\n\nend", 40)
    assert " ".join(line.text for line in lines[:-2]) == words.strip()
    assert lines[-1].text == "end"


def test_a_long_line_of_code_is_all_there() -> None:
    code = "x = 1; " * 3000
    lines = render(f"```\n{code}\n```", 62)
    assert "".join(line.text[line.margin :] for line in lines[1:]).rstrip() == code.rstrip()
    assert len(code) > MAX_LINE


def test_a_text_that_nobody_could_scroll_through_says_that_it_is_cut() -> None:
    lines = render("a\n\n" * MAX_LINES, 40)
    assert MAX_LINES < len(lines) < MAX_LINES + STEP
    assert lines[-1].text == LEFT_OUT


def test_many_link_references_all_work() -> None:
    """A paragraph of definitions is read one after the other."""
    definitions = "".join(f"[x{number}]: https://e.org/{number}\n" for number in range(2000))
    (line,) = render(f"{definitions}\n[x0] [x1999]", 60)
    assert [run.link for run in line.runs if run.link] == ["https://e.org/0", "https://e.org/1999"]


def test_many_marks_on_one_letter_take_several_rows() -> None:
    lines = render("e" + "\u0301" * 5000, 20)
    assert max(len(line.text) for line in lines) <= 8 * 20
    assert sum(len(line.text) for line in lines) == 5001


def test_a_lexer_that_is_not_loaded_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code is shown without colours until it is."""
    loaded: list[str] = []
    monkeypatch.setattr(lexers, "loaded", lambda language: language in loaded)
    markdown = IncrementalMarkdown(40)
    markdown.feed("```python\nx = 1\n```")
    markdown.end()
    markdown.flush(lambda: False)
    plain = list(markdown)
    assert markdown.behind
    assert {run.style for run in plain[1].runs} == {"block"}
    loaded.append("python")
    assert markdown.flush(lambda: False) == 0
    assert list(markdown) == render("```python\nx = 1\n```", 40)
    assert [line.text for line in markdown] == [line.text for line in plain]


def test_a_lexer_that_cannot_be_loaded_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    import pygments.lexers

    working = pygments.lexers.get_lexer_by_name

    def broken(name: str) -> object:
        if name == "c":
            raise ValueError(name)
        return working(name)

    monkeypatch.setattr(pygments.lexers, "get_lexer_by_name", broken)
    fresh = _Lexers()
    assert not fresh.loaded("c")
    assert not fresh.loaded("ini")
    for thread in threading.enumerate():
        if thread.name == "lexers":
            thread.join()
    assert fresh.loaded("c") and fresh.get("c") is None
    assert fresh.loaded("ini") and fresh.get("ini") is not None
