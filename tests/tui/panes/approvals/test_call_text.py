"""A function call in words: nothing is left out without a mark, and nothing hides."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.service.approvals.actions import Decision, FunctionCall, State
from assistants_tui.service.functions.registry import Function
from assistants_tui.tui.panes.approvals import call_text

TIDE = Function({"name": "tide"}, "tides.py", "1")
CALL = FunctionCall(id="call_1", name="tide", arguments='{"port": "Oulu"}')
ASKED = CALL.asked(TIDE, {"port": "Oulu", "not a name": [1]}, "", "")


@pytest.mark.parametrize(
    ("state", "decision", "words"),
    [
        ("checking", None, "looking for it…"),
        ("waiting", None, "may it run?"),
        ("running", "once", "running…"),
        ("answered", "once", "done"),
        ("answered", "always", "done without asking"),
        ("answered", "refused", "declined"),
        ("answered", "never", "declined, as always"),
        ("answered", "typed", "answered"),
    ],
)
def test_the_title_says_how_far_a_call_is(state: State, decision: Decision | None, words: str) -> None:
    assert call_text.title(replace(ASKED, state=state, decision=decision)).plain == f"tide  tides.py  {words}"


def test_the_title_says_what_is_missing() -> None:
    assert call_text.title(CALL.asked(None, {}, "", "")).plain == (
        "tide  not a function of yours: write its output"
    )
    failed = replace(ASKED, state="answered", failed=True, decision="once")
    assert call_text.title(failed).plain.endswith("  failed")


def test_a_name_is_one_line_and_says_how_long_it_is() -> None:
    assert call_text.shown_name(replace(CALL, name="")) == "(no name)"
    assert call_text.shown_name(replace(CALL, name="a\nb")) == "a‹U+000A›b"
    long = call_text.shown_name(replace(CALL, name="a" * 1_200))
    assert long == "a" * 120 + " ‹1,080 more characters›"
    assert call_text.whole_text(replace(CALL, name="a" * 1_200)).startswith("a" * 1_200)


def test_arguments_are_as_the_model_wrote_them_where_they_cannot_be_used() -> None:
    assert call_text.arguments_text(ASKED) == 'port = "Oulu"\n"not a name" = [1]'
    assert call_text.arguments_text(CALL) == CALL.arguments


def test_the_whole_text_has_what_is_wrong_and_what_has_changed() -> None:
    call = replace(CALL, problem="It does not fit.", changed="It has changed.")
    assert call_text.whole_text(call) == f"{CALL.arguments}\n\nIt does not fit.\nIt has changed."


def test_an_output_is_shown_once_it_is_there() -> None:
    assert call_text.output(replace(ASKED, output="0.4 m")).plain == ""
    call = replace(ASKED, state="answered", output="0.4 m", seconds=1.26)
    assert call_text.output(call).plain == "→ 0.4 m  1.3 s"
    failed = replace(call, failed=True, printed="in line 3\n", seconds=0)
    assert call_text.output(failed).plain == "→ 0.4 m\nin line 3"


@given(st.text(alphabet="ab\n", max_size=40), st.integers(0, 12), st.integers(1, 500))
def test_what_a_card_leaves_out_is_counted(text: str, lines: int, width: int) -> None:
    text = "\n".join([text, *["x" * width] * lines])
    shown = call_text.cut(text, "Space shows all").plain
    assert call_text.is_cut(text) is ("Space shows all" in shown)
