"""Text that is shown as it is where Markdown is drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.tui.markdown import IncrementalMarkdown
from assistants_tui.tui.text.plain_text import LONG, as_markdown, fenced


def drawn(text: str) -> str:
    markdown = IncrementalMarkdown(200)
    markdown.feed(as_markdown(text))
    markdown.finish()
    return "\n".join(line.text.rstrip().replace("\u00a0", " ") for line in markdown)


@pytest.mark.parametrize(
    "text",
    [
        "a *b* _c_ `d` ~~e~~ <b> &amp; $f$ ^g^",
        "# not a head\n- no list\n1. none\n> no quote",
        "[x](y) ![z](w) [1]: http://example.org",
        r"\(no\) \[formula\] \\",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "```\nno fence\n```",
        "title\n=====\n-----\n***",
        "if x:\n    indented",
        "one\n\ntwo",
    ],
)
def test_signs_stay_signs_and_lines_stay_lines(text: str) -> None:
    assert drawn(text) == text


_TEXTS = st.text(st.sampled_from("ab 12*_`[]()<>#+-.!|~$^:=\"'&\\\n/@"), max_size=60)


@given(_TEXTS)
def test_nothing_is_ever_lost(text: str) -> None:
    shown = "".join(drawn(text).split())
    assert shown == "".join(text.split())


def test_a_long_text_is_shown_as_code_and_whole() -> None:
    text = "[*_\\\n" * LONG
    assert as_markdown(text) == fenced(text)
    assert text in as_markdown(text)


def test_a_fence_is_longer_than_any_in_the_text_however_long_that_is() -> None:
    assert fenced("`" * 1_000_000).startswith("`" * 1_000_001 + "\n")
    assert fenced("a ``` b ```` c").startswith("`````\n")
    assert fenced("a `` b").startswith("```\n")
