"""What Markdown looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from assistants_tui.tui.markdown import STYLES, render


def shown(source: str, width: int = 40, *, breaks: bool = False) -> str:
    return "\n".join(line.text.rstrip() for line in render(source, width, breaks=breaks))


def styled(source: str, width: int = 60) -> list[tuple[str, str]]:
    return [(run.text, run.style) for line in render(source, width) for run in line.runs if run.style]


def links(source: str) -> list[tuple[str, str]]:
    return [(run.text, run.link) for line in render(source, 80) for run in line.runs if run.link]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("one\ntwo  \nthree\\\nfour", "one two\nthree\nfour"),
        ("# One\ntext\n\nTwo\n---\n* * *", "One\n\ntext\n\nTwo\n\n" + "─" * 40),
        ("- a\n- b\n\n  c\n  1. d\n  2. e\n- f", "• a\n• b\n\n  c\n  1. d\n  2. e\n• f"),
        ("9. a\n9. b", "9. a\n10. b"),
        ("- [ ] open\n- [x] done\n- [X]no", "☐ open\n☑ done\n• [X]no"),
        ("-\n- a", "•\n• a"),
        ("> a\n>\n> - b\n\nc", "▌ a\n▌\n▌ • b\n\nc"),
        ("<b>x</b>\n\n<div>\n  y\n</div>", "<b>x</b>\n\n<div>\n  y\n</div>"),
        ("a[1] and [2]", "a[1] and [2]"),
        ("[r][x] and [x]\n\n[x]: https://e.org", "r and x"),
        ("a **b", "a **b"),
        (r"so \(a_1 * b_1\) and $x_2 * y_2$ and $$\frac{1}{2}$$ for $5 or $6", None),
        ("the price is \\$5", "the price is $5"),
        ("    indented\n      code", " indented\n   code"),
    ],
)
def test_blocks_and_text(source: str, expected: str | None) -> None:
    assert shown(source, 40 if expected is not None else 100) == (source if expected is None else expected)


def test_line_breaks_of_people_are_kept() -> None:
    assert shown("Dear\nall", breaks=True) == "Dear\nall"


def test_styles() -> None:
    assert styled("a **b *c*** `d` ~~e~~ [f](https://g.h) $i$ [1] ![j](x) <k>") == [
        ("b ", "strong"),
        ("c", "strong em"),
        ("d", "code"),
        ("e", "strike"),
        ("f", "link"),
        ("$i$", "math"),
        ("[1]", "mark"),
        ("[image: j]", "image"),
        ("<k>", "html"),
    ]


def test_only_web_addresses_are_links() -> None:
    source = (
        "[a](https://a.b) [b](HTTP://c.d) [c](sandbox:/mnt/data/x.csv) [d](javascript:alert(1)) [e](file:///etc)"
        " <f@g.h> https://i.j/k_(l), ![m](https://n.o/p.png) [q](mailto:q@r.s) [t](ssh://u)"
    )
    assert links(source) == [
        ("a", "https://a.b"),
        ("b", "HTTP://c.d"),
        ("https://i.j/k_(l)", "https://i.j/k_(l)"),
        ("[image: m]", "https://n.o/p.png"),
    ]
    text = shown(source, 400)
    assert "c (sandbox:/mnt/data/x.csv)" in text
    assert "t (ssh://u)" in text


def test_a_code_block() -> None:
    lines = render("```python\ndef f(x):\n    return 'äö'  # c\n```", 30)
    assert [line.text.rstrip() for line in lines] == [
        " python" + " " * 18 + "copy",
        " def f(x):",
        "     return 'äö'  # c",
    ]
    assert all(line.fill == "block" and line.margin == 1 for line in lines)
    assert lines[0].runs[-1].link == "code:0"
    kinds = {run.text.strip(): run.style for line in lines[1:] for run in line.runs}
    assert kinds["def"] == "block keyword"
    assert kinds["'äö'"] == "block string"
    assert kinds["# c"] == "block comment"


@pytest.mark.parametrize(
    ("language", "source", "style"),
    [
        ("c", "int a; /* one\ntwo\n*/ int b;", "block comment"),
        ("python", 'x = """one\ntwo\n"""', "block string"),
        ("js", "let a = `one\ntwo`;", "block string"),
        ("html", "<!-- one\ntwo -->", "block comment"),
    ],
)
def test_comments_and_strings_over_several_lines(language: str, source: str, style: str) -> None:
    lines = render(f"```{language}\n{source}\n```", 40)
    assert any(run.style == style and "two" in run.text for run in lines[2].runs)


@pytest.mark.parametrize("language", ["nonsense", "../../etc", "text", "json", "console", "diff"])
def test_any_language_shows_its_code(language: str) -> None:
    assert "one: 1" in shown(f"```{language}\none: 1\n```")


def test_a_table_that_fits() -> None:
    assert shown("|a|b|c|\n|:-|:-:|-:|\n|1|2|3|\n|wide|wider|w|\n|x|\n|1|2|3|4|") == (
        "a    │   b   │ c\n─────┼───────┼──\n1    │   2   │ 3\n"
        "wide │ wider │ w\nx    │       │\n1    │   2   │ 3"
    )


def test_a_table_that_is_folded() -> None:
    assert shown("|id|text|\n|-|-|\n|1|one two three four five|\n|2|six|", 20) == (
        "id │ text\n───┼────────────────\n1  │ one two three\n   │ four five\n┄┄┄┼┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄\n2  │ six"
    )


def test_a_table_with_more_columns_than_room_is_a_list_of_fields() -> None:
    head = "|" + "|".join(f"column {n}" for n in range(6)) + "|\n" + "|-" * 6 + "|\n"
    rows = "|" + "|".join(f"value {n}" for n in range(6)) + "|\n"
    fields = "\n".join(f"column {n}: value {n}" for n in range(6))
    assert shown(head + rows + rows, 30) == f"{fields}\n────────────\n{fields}"


def test_breaking_lines_in_languages_without_spaces() -> None:
    assert shown("日本語の文章です。はい、そうです。", 10) == "日本語の文\n章です。は\nい、そうで\nす。"
    assert shown("a 日本語", 6) == "a 日本\n語"


def test_hostile_characters_become_visible() -> None:
    source = (
        "a\x1b[31m \u202eb `c\x9b` \x07\n\n```\n\x1b]0;x\x07\n```\n\n|\u2066|\n|-|\n\n<d\x1b>\n\n&#x202e;"
    )
    text = "".join(line.text for line in render(source, 60))
    assert not set(text) & set("\x1b\x07\x9b\u202e\u2066")
    assert "␛[31m" in text


WORDS = st.lists(
    st.one_of(
        st.text(st.sampled_from("ab é日本、。👩\u200d👧☁\ufe0f\u0301\t-_"), max_size=12),
        st.text(max_size=5),
    ),
    max_size=20,
).map(" ".join)


STARTS = st.sampled_from(["", "- ", "> ", "# ", "1. > - ", "    ", "|a|b|\n|-|-|\n|", "```\n"])


@given(WORDS, STARTS, st.integers(4, 60))
def test_no_line_is_wider_than_asked(words: str, start: str, width: int) -> None:
    for line in render(start + words, width):
        assert sum(cell_len(run.text) for run in line.runs) <= width
        assert line.margin <= len(line.text)
        assert {name for run in line.runs for name in run.style.split()} <= set(STYLES)


@pytest.mark.parametrize(
    "piece", [">", "- ", "[", "*a ", "`", "![", "<", "$", "\\(", "x", "[x](", "1. ", "~", "&", "|"]
)
def test_a_hostile_text_does_no_harm(piece: str) -> None:
    assert render(piece * 10000, 80)
    assert render("|" * 3000 + "\n" + "|-" * 3000 + "\n" + piece * 1000, 80)


@pytest.mark.parametrize(
    "source",
    [
        "2*3*4",
        "2**3 and 4**5",
        "__init__.py",
        "see __main__.py, and __add__(a, b)",
        "x = 3*4*5 + 6*7",
        "5 * 2 and 3*4*5",
    ],
)
def test_stars_of_products_and_underscores_of_names_stay(source: str) -> None:
    assert shown(source, 60) == source


@pytest.mark.parametrize(
    ("source", "text", "style"),
    [
        ("**2** *3* is", "2", "strong"),
        ("a*b*c", "b", "em"),
        ("__bold__ text", "bold", "strong"),
        ("__bold__.", "bold", "strong"),
        ("**5**", "5", "strong"),
        ("**Step 1**2 x", "Step 1", "strong"),
        ("**5**10 x", "5", "strong"),
        ("*5*10 x", "5", "em"),
        ("**2*3*4 = 24**", "2*3*4 = 24", "strong"),
        ("__Note__(optional)", "Note", "strong"),
        ("__important__.Then", "important", "strong"),
    ],
)
def test_what_is_emphasis_stays_so(source: str, text: str, style: str) -> None:
    assert (text, style) in styled(source, 60)
