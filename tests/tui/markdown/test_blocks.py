"""The block structure is that of markdown-it, which is tested against the CommonMark specification."""

from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from assistants_tui.tui.markdown import code_blocks
from assistants_tui.tui.markdown.block_syntax import split_row
from assistants_tui.tui.markdown.block_types import Paragraph, References
from assistants_tui.tui.markdown.blocks import BlockParser
from assistants_tui.tui.markdown.open_blocks import OpenBlocks
from assistants_tui.tui.markdown.source import folded_code

Tree = list[Any]


class Outline:
    """A sink that builds nested lists: `["quote", ...]`, `["list", ["item", ...]]`, `["text", source]`."""

    def __init__(self) -> None:
        self.root: Tree = ["root"]
        self.path = [self.root]
        self.code: list[str] = []
        self.rows: Tree = []

    def add(self, *node: Any) -> Tree:
        new = list(node)
        self.path[-1].append(new)
        return new

    def open_quote(self, *, gap: bool) -> None:
        self.path.append(self.add("quote"))

    def open_list(self, *, gap: bool) -> None:
        self.path.append(self.add("list"))

    def open_item(self, marker: str, *, gap: bool) -> None:
        self.path.append(self.add("item"))

    def close(self) -> None:
        self.path.pop()

    def open_paragraph(self, paragraph: Paragraph, *, gap: bool) -> None: ...

    def close_paragraph(self, lines: list[str]) -> None:
        if lines:
            self.add("text", "\n".join(lines).strip())

    def paragraph_to_heading(self, lines: list[str], level: int) -> None:
        self.add("heading", level, "\n".join(lines).strip())

    def paragraph_to_table(self, before: list[str], head: str, alignments: list[str]) -> None:
        self.close_paragraph(before)
        self.rows = self.add("table", split_row(head))

    def table_row(self, source: str) -> None:
        width = len(self.rows[1])
        self.rows.append((split_row(source) + [""] * width)[:width])

    def heading(self, text: str, level: int, *, gap: bool) -> None:
        self.add("heading", level, text)

    def rule(self, *, gap: bool) -> None:
        self.add("rule")

    def open_code(self, language: str, *, fenced: bool, gap: bool) -> None:
        self.code = self.add("code", language)

    def code_line(self, text: str) -> None:
        self.code.append(text if text.strip() else "")

    def html_line(self, text: str, *, first: bool, gap: bool) -> None:
        if first:
            self.code = self.add("html")
        self.code.append(text)

    def close_leaf(self) -> None:
        while self.code[:1] == ["html"] and not self.code[-1].strip():
            del self.code[-1]


def ours(source: str) -> tuple[Tree, dict[str, object]]:
    outline = Outline()
    references: References = {}
    parser = BlockParser(OpenBlocks(outline, references))
    for line in source.split("\n"):
        # CommonMark and markdown-it differ in what may be underlined behind a lazy continuation
        lazy = isinstance(parser.leaf, Paragraph) and parser.leaf.lazy
        assume(not lazy or line.strip(" \t-=|:"))
        parser.line(line)
    parser.close()
    return outline.root, {label: found["href"] for label, found in references.items()}


_LEAVES = {"fence", "code_block", "html_block"}
_OPEN = {
    "blockquote_open": "quote",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "list_item_open": "item",
}


def theirs(source: str) -> tuple[Tree, dict[str, object]]:
    env: dict[str, Any] = {}
    markdown = MarkdownIt("commonmark").enable("table").disable("inline").disable("text_join")
    path: list[Tree] = [["root"]]
    for token in markdown.parse(source + "\n", env):
        their_token(token, path)
    return path[0], {label: found["href"] for label, found in env.get("references", {}).items()}


def their_token(token: Token, path: list[Tree]) -> None:
    kind = token.type
    if kind in _OPEN:
        path.append([_OPEN[kind]])
        path[-2].append(path[-1])
    elif kind in {"paragraph_open", "heading_open", "table_open", "tr_open"}:
        level = [int(token.tag[1])] if token.tag[0] == "h" else []
        start = {"p": ["text"], "table": ["table"], "tr": []}.get(token.tag, ["heading", *level])
        path.append(start)
        path[-2].append(path[-1])
    elif kind == "inline":
        path[-1].append("\n".join(line.lstrip(" \t") for line in token.content.split("\n")))
    elif kind == "hr":
        path[-1].append(["rule"])
    elif kind in {"fence", "code_block"}:
        lines = token.content.split("\n")[:-1]
        path[-1].append(["code", token.info.strip(), *(line if line.strip() else "" for line in lines)])
    elif kind == "html_block":
        path[-1].append(["html", *token.content.rstrip().split("\n")])
    elif kind.endswith("_close") and kind not in {"thead_close", "tbody_close", "th_close", "td_close"}:
        path.pop()


WORDS = st.sampled_from(["text", "*a*", "b", "|", "c | d", "1", "<b>", "[x]", "\\|"])
MARKED = """
# h|## h ##|#no|---|***|- - -|===|-|- a|-  b|-     c|* d|+|1. e|2. f|1) g|12345678901. h|>|> q|>> r|>- s
- > t|- - u
```|```py|~~~|`` x|````|<div>|</div>|<!-- c|-->|<b>x</b>|\\# no|<pre>|</pre>|- # h|- ```|> ```|[x]
- [ ] v|1. - > w
"""
TABLES = ["|a|b|", "|-|-|", "a | b", "--|--", ":-:|-", "|1|2|3|", "-| a", "| \\| |"]
# markdown-it ends a paragraph behind a definition; CommonMark does not, so these stand apart
DEFINITIONS = ["[x]: /y\n", "[x]: /z 't'\n", "[y]:\n/u\n", "[y]: /u (a\nb)\n"]
LINES = st.one_of(
    st.lists(WORDS, min_size=1, max_size=4).map(" ".join),
    st.sampled_from([*MARKED.strip().replace("\n", "|").split("|"), *TABLES, *DEFINITIONS, "", "", ""]),
)
INDENTS = st.sampled_from(["", "", "", "", " ", "  ", "   "])
DEEP = st.sampled_from(["", "   ", "    ", "     ", "\t", "  \t", "      ", "\t\t"])
DENSE = st.lists(st.builds("{}{}".format, INDENTS, LINES), min_size=1, max_size=12).map("\n".join)
# CommonMark takes indented lines for lazy continuations where markdown-it does not, so these stand apart
SPARSE = st.lists(st.builds("{}{}".format, DEEP, LINES), min_size=1, max_size=8).map("\n\n".join)


@settings(max_examples=400)
@given(st.one_of(DENSE, DENSE, SPARSE))
@example("> a\nb\n> c")
@example("- a\n\n  b\n\n\n- c")
@example("a | b\n- | -\n1 | 2\n\n3")
@example("[x]: /y\n===")
@example("\t- a\n\n\t\tb")
def test_the_structure_is_that_of_the_reference_parser(source: str) -> None:
    assert ours(source) == theirs(source)


def test_code_is_kept_as_it_was_written() -> None:
    listed = "1. x\n\n   ```make\n   all:\n   \tcc  -o x\n\n   ```\n\n"
    source = listed + "```\n\ttab\r\n```\r\n\n    indented\n\n      more\n"
    assert [(block.language, block.source) for block in code_blocks(source)] == [
        ("make", "all:\n\tcc  -o x\n\n"),
        ("", "\ttab\n"),
        ("", "indented\n\n  more\n"),
    ]


@pytest.mark.parametrize(
    ("source", "cells"),
    [
        ("| a | b |", ["a", "b"]),
        ("a|b", ["a", "b"]),
        (r"a \| b | c", ["a | b", "c"]),
        ("||", [""]),
        ("| |x|", ["", "x"]),
    ],
)
def test_the_cells_of_a_row(source: str, cells: list[str]) -> None:
    assert split_row(source) == cells


def test_folded_code_keeps_its_beginning_and_says_how_much_is_missing() -> None:
    source = "- one\n  ```py\n  a\n  b\n  c\n  d\n  ```\nend\n\n```\nx\ny\nz\n```"
    assert folded_code(source, 2) == (
        "- one\n  ```py\n  a\n  b\n  … 2 more lines\n  ```\nend\n\n```\nx\ny\nz\n```"
    )
    assert folded_code(source, 4) == source


@given(source=st.text("ab`~>- \n\t", max_size=80), keep=st.integers(0, 3))
def test_folding_code_leaves_everything_else_as_it_was(source: str, keep: int) -> None:
    short = folded_code(source, keep)
    assert folded_code(source, 1000) == source
    whole, folded = code_blocks(source), code_blocks(short)
    assert len(whole) == len(folded)
    for before, after in zip(whole, folded, strict=True):
        assert after.lines[:keep] == before.lines[:keep]
        assert len(after.lines) <= max(keep + 1, 1) or after.lines == before.lines
