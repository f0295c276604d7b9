import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.tui.panes.slash import (
    COMMANDS,
    Completion,
    UnknownCommandError,
    completions,
    message,
    named,
    parse,
)


def parsed(text: str) -> tuple[str, str] | None:
    found = parse(text)
    return None if found is None else (found[0].name, found[1])


def test_a_line_with_a_slash_is_a_command() -> None:
    assert parsed("/new") == ("new", "")
    assert parsed("/rename  My sums ") == ("rename", "My sums")
    assert parsed("/instructions Be brief.\nBe kind.") == ("instructions", "Be brief.\nBe kind.")
    assert parsed("/reg") == ("regenerate", "")


@pytest.mark.parametrize("text", ["2 / 3", "//new", "/usr/bin is a folder", "/* note */", "/", "/2 + 3"])
def test_other_texts_are_messages(text: str) -> None:
    assert parse(text) is None


def test_two_slashes_stand_for_one() -> None:
    assert message("//new") == "/new"
    assert message("2 / 3") == "2 / 3"


@pytest.mark.parametrize("text", ["/nwe", "/a", "/rename one\ntwo"])
def test_mistakes_are_explained(text: str) -> None:
    with pytest.raises(UnknownCommandError, match="two"):
        parse(text)


def test_commands_are_completed_with_their_arguments_and_meaning() -> None:
    assert len(completions("/", {})) == len(COMMANDS)
    assert completions("/re", {}) == [
        Completion("/regenerate", "/regenerate", "Replace the last answer by a new one"),
        Completion("/rename ", "/rename title", "Give the thread a title"),
    ]
    assert not completions("/new\n", {})
    assert not completions("hello", {})
    assert not completions("//", {})


def test_arguments_are_completed_where_there_is_a_choice() -> None:
    choices = {"export": lambda typed: named("export", ["markdown", "json", "html"], typed)}
    assert [one.text for one in completions("/export m", choices)] == ["/export markdown", "/export html"]
    assert not completions("/export json", choices)
    assert not completions("/rename x", choices)


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    completions("/" + text, {})
    with contextlib.suppress(UnknownCommandError):
        parse("/" + text)
