"""Decisions about functions: kept, bound to what the function is, and never in the way when damaged."""

import stat
from pathlib import Path

import pytest

from assistants_tui.settings.approvals import Approvals


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "approvals.toml"


def test_decisions_are_kept_for_the_function_as_it_was(path: Path) -> None:
    approvals = Approvals(path)
    assert approvals.decision("tide", "a") is None
    approvals.decide("tide", "a", "always")
    approvals.decide("wipe", "b", "never")
    again = Approvals(path)
    assert (again.decision("tide", "a"), again.decision("wipe", "b")) == ("always", "never")
    assert again.decision("tide", "changed") is None
    again.decide("tide", "a", None)
    assert approvals.decision("tide", "a") is None
    assert approvals.decision("wipe", "b") == "never"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_the_user_saw_is_told_once_the_function_has_changed(path: Path) -> None:
    approvals = Approvals(path)
    assert approvals.seen("tide", "a") is None
    approvals.decide("tide", "a", "always", seen="Height of the tide")
    assert approvals.seen("tide", "a") is None
    assert approvals.seen("tide", "changed") == "Height of the tide"


def test_letting_it_run_once_decides_nothing_and_forgets_nothing(path: Path) -> None:
    approvals = Approvals(path)
    approvals.decide("tide", "a", "never", seen="Height of the tide")
    approvals.let_run("tide", "b", "Height and time of the tide")
    approvals.let_run("wipe", "c", "Wipes")
    assert (approvals.decision("tide", "a"), approvals.decision("tide", "b")) == ("never", None)
    assert approvals.decision("wipe", "c") is None
    assert approvals.seen("tide", "b") is None
    assert approvals.seen("tide", "changed") == "Height and time of the tide"
    assert approvals.seen("wipe", "changed") == "Wipes"


def test_letting_it_run_once_leaves_what_was_decided_for_good(path: Path) -> None:
    approvals = Approvals(path)
    approvals.decide("tide", "1", "always", "seen")
    approvals.let_run("tide", "1", "seen")
    assert approvals.decision("tide", "1") == "always"
    approvals.let_run("tide", "2", "seen now")
    assert (approvals.decision("tide", "2"), approvals.seen("tide", "3")) == (None, "seen now")
    assert approvals.decision("tide", "1") == "always", "the function may become that again"
    assert (approvals.seen("tide", "1"), approvals.seen("tide", "2")) == (None, None)
    approvals.decide("tide", "2", "never", "seen later")
    assert (approvals.decision("tide", "1"), approvals.seen("tide", "3")) == (None, "seen later")


@pytest.mark.parametrize(
    "text", ["not toml [", "tide = 'always'", "[tide]\nfingerprint = 'a'\ndecision = 'maybe'"]
)
def test_a_damaged_file_decides_nothing(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    assert Approvals(path).decision("tide", "a") is None


def test_a_call_belongs_to_the_window_that_was_first(path: Path) -> None:
    one, two = Approvals(path), Approvals(path)
    assert one.claim("call/../1")
    assert not two.claim("call/../1")
    assert two.claim("call_2")
    one.release("call/../1")
    assert two.claim("call/../1")
    assert [entry.parent for entry in path.parent.iterdir()] == [path.parent] * 2
