"""However an answer is cut into pieces, what is on the screen at the end is what the whole text gives."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistants_tui.tui.markdown import IncrementalMarkdown, Line, render

WORDS = st.sampled_from(
    [
        *(
            "word",
            "**bold**",
            "*em*",
            "`code`",
            "~~gone~~",
            "[link](https://example.org/a_b)",
            "[ref]",
            "[1]",
        ),
        *(
            "![pic](http://p.q/r.png)",
            "<b>",
            "<br>",
            "https://example.org/x.",
            "日本語の文章です。",
            "中文，测试",
        ),
        *(
            "👩\u200d👩\u200d👧\u200d👦",
            "☁\ufe0f",
            "é",
            "e\u0301",
            "**",
            "*",
            "_",
            "__",
            "`",
            "[",
            "](",
            "$x_1$",
            "$5",
        ),
        *(
            "\\(a_b\\)",
            "\\*",
            "&amp;",
            "snake_case",
            "a|b",
            "antidisestablishmentarianism",
            "```",
            "~~~",
            "#",
        ),
        *("-", "1.", ">", "|", "\u202e", "\x1b[31m", "<!--", "-->", "http://a.b"),
    ]
)
PROSE = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)
LINES = st.one_of(
    PROSE,
    st.builds(
        "{} {}".format,
        st.sampled_from(
            [
                "#",
                "##",
                "######",
                "-",
                "*",
                "+",
                "1.",
                "2.",
                "7)",
                ">",
                ">>",
                "> -",
                "- [ ]",
                "- [x]",
                "- - -",
                "[ref]:",
                "[ref]: <",
                "- #",
            ]
        ),
        PROSE,
    ),
    st.builds("| {} | {} |".format, PROSE, PROSE),
    st.builds(
        "{}{}".format,
        st.sampled_from(["```", "~~~", "```py", "~~~js", "````", "<div>", "<!--", "-->", "</div>", "$$"]),
        st.just(""),
    ),
    st.sampled_from(
        [
            "",
            "",
            "",
            "---",
            "===",
            "***",
            "-",
            "- ",
            "|---|---|",
            "| :-: | --: |",
            "--|--",
            "[ref]: https://example.org 'title'",
            "[other]: /x",
            "\\",
            "def f(x): return 'y'  # z",
            '"""',
            "/* c",
            "*/",
        ]
    ),
)
INDENTED = st.builds(
    "{}{}".format, st.sampled_from(["", "", "", "  ", "   ", "    ", "\t", "      ", "> ", ">"]), LINES
)
DOCUMENTS = st.lists(INDENTED, max_size=25).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda end: end.join(lines))
)
WIDTHS = st.sampled_from([3, 9, 24, 40, 79, 160])


def streamed(source: str, width: int, cuts: list[int], flushed: list[bool]) -> list[Line]:
    """The lines after feeding the source in pieces, some of them drawn, watched through what `flush`
    promises."""
    markdown = IncrementalMarkdown(width)
    seen: list[Line] = []
    watched = len(source) < 3000
    places = sorted({cut % (len(source) + 1) for cut in cuts})
    for index, (start, end) in enumerate(zip([0, *places], [*places, len(source)], strict=True)):
        markdown.feed(source[start:end])
        if flushed[index % len(flushed)]:
            changed = markdown.flush()
            if watched:
                seen[changed:] = list(markdown)[changed:]
                assert seen == list(markdown)
    changed = markdown.finish()
    if watched:
        seen[changed:] = list(markdown)[changed:]
        assert seen == list(markdown)
    assert len(list(markdown)) == len(markdown)
    return list(markdown)


@settings(max_examples=200)
@given(
    DOCUMENTS,
    WIDTHS,
    st.lists(st.integers(0, 2000), max_size=40),
    st.lists(st.booleans(), min_size=1, max_size=5),
)
@example("a\n-", 20, [1, 2], [True])
@example("a | b\n- | -", 20, list(range(12)), [True])
@example("[a]: /x\n[a]", 20, list(range(12)), [True])
@example("x\r\n\r\ny", 20, [2, 3, 4], [True])
@example("- [x] " + "word " * 300, 30, list(range(0, 1500, 3)), [True])
def test_any_cutting_gives_the_same_lines(
    source: str, width: int, cuts: list[int], flushed: list[bool]
) -> None:
    assert streamed(source, width, cuts, flushed) == render(source, width)


@settings(max_examples=40)
@given(DOCUMENTS, WIDTHS)
def test_character_by_character(source: str, width: int) -> None:
    assert streamed(source, width, list(range(len(source))), [True]) == render(source, width)


@settings(max_examples=6)
@given(
    st.lists(WORDS, min_size=300, max_size=900), st.sampled_from([" ", "\n", ""]), WIDTHS, st.integers(3, 97)
)
def test_a_long_paragraph(words: list[str], between: str, width: int, step: int) -> None:
    source = between.join(words)
    assert streamed(source, width, list(range(0, len(source), step)), [True]) == render(source, width)


@pytest.mark.parametrize(
    ("source", "text", "style"),
    [
        ("so **bo", "bo", "strong"),
        ("so **bo ", "bo", "strong"),
        ("so `co", "co", "code"),
        ("so **", "so", ""),
        ("- a **b `c", "c", "strong code"),
    ],
)
def test_open_markup_is_not_seen_while_text_arrives(source: str, text: str, style: str) -> None:
    markdown = IncrementalMarkdown(40)
    markdown.feed(source)
    markdown.flush()
    (line,) = markdown
    assert not set(line.text) & {"*", "`"}
    assert (line.runs[-1].text, line.runs[-1].style) == (text, style)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("text\n", "-"),
        ("text\n", "=="),
        ("text\n", "1."),
        ("a | b\n", "| --"),
        ("text\n", "```py"),
        ("text\n", "> >"),
    ],
)
def test_a_line_that_may_become_anything_is_not_shown_yet(before: str, now: str) -> None:
    markdown = IncrementalMarkdown(40)
    markdown.feed(before)
    markdown.flush()
    shown = list(markdown)
    markdown.feed(now)
    markdown.flush()
    assert list(markdown) == shown


@pytest.mark.parametrize("start", ["", "- ", "> ", "1. > - "])
@pytest.mark.parametrize("body", ["```py\n", "| a | b |\n|--|--|\n", "- x\n", "", "<!--\n"])
def test_a_block_that_never_ends(start: str, body: str) -> None:
    row = "| cell number {} | another |\n" if body.startswith("|") else "line number {} (and more)\n"
    indent = " " * len(start) if ">" not in start else start.replace("1.", "  ").replace("-", " ")
    lines = [body, *(row.format(n * n * n) for n in range(200))]
    source = start + indent.join(lines)
    assert streamed(source, 60, list(range(0, len(source), 17)), [True]) == render(source, 60)
