"""state.toml: remembered between starts, shared by windows, and harmless when it is damaged."""

from dataclasses import replace
from pathlib import Path

import pytest

from assistants_tui.settings.drafts import DraftFile, KeptDraft, load_draft, save_draft
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.prompts import add_prompts, load_prompts
from assistants_tui.settings.state import (
    AppState,
    ProfileState,
    load_state,
    take_over,
    update_state,
    used_last,
)

FULL = AppState(
    last_profile="team",
    theme="dusk",
    pane_sizes={"left": 30},
    hidden_panes=frozenset({"inspector"}),
    focus="thread-list",
    recent_commands=("app.theme", "threads.rename"),
    profiles={
        "team": ProfileState("thread_1", "asst_1", 1200, "msg_1"),
        "local": ProfileState(),
    },
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.toml"


def test_what_is_remembered_is_there_at_the_next_start(path: Path) -> None:
    assert load_state(path) == AppState()
    assert update_state(path, lambda state: FULL) == FULL
    assert load_state(path) == FULL


def test_two_windows_keep_what_the_other_wrote(path: Path) -> None:
    update_state(path, lambda state: replace(state, theme="dusk"))
    update_state(path, lambda state: state.with_profile("a", ProfileState(tokens_used=5)))
    assert load_state(path) == AppState(theme="dusk", profiles={"a": ProfileState(tokens_used=5)})


def test_a_profile_begins_with_nothing_and_changes_alone() -> None:
    changed = FULL.with_profile("new", replace(FULL.profile("new"), tokens_used=1))
    assert (changed.profile("new").tokens_used, changed.profile("newer")) == (1, ProfileState())
    assert {name: changed.profile(name) for name in FULL.profiles} == FULL.profiles


def test_a_change_that_changes_nothing_writes_nothing(path: Path) -> None:
    update_state(path, lambda state: FULL)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    update_state(path, lambda state: state)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize(
    "text",
    [
        b"\xff",
        b"a = [",
        b"last_profile = 3\ntheme = ''\npane_sizes = 4\nhidden_panes = 'x'\nprofiles = [1]\nprompts = 3",
        b"pane_sizes = {left = -1, right = true}\nprofiles = {a = 3}\nprompts = [1, {}]",
    ],
)
def test_damage_gives_the_defaults(path: Path, text: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(text)
    assert load_state(path) == AppState()
    update_state(path, lambda state: replace(state, theme="dusk"))
    assert load_state(path) == AppState(theme="dusk")


def test_damage_in_one_place_leaves_the_others(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(
        'theme = "dusk"\n[profiles.x]\nlast_thread = "t"\ntokens_used = -4\n[pane_sizes]\na = 3\nb = "x"\n'
    )
    assert load_state(path) == AppState(theme="dusk", profiles={"x": ProfileState("t")}, pane_sizes={"a": 3})


def test_a_directory_that_cannot_be_written_is_named(path: Path) -> None:
    path.parent.write_text("a file is in the way")
    with pytest.raises(SettingsError, match=r"state\.toml cannot be written"):
        update_state(path, lambda state: FULL)


OLD = """theme = "dusk"
prompts = ["one\\nline", "two", 3]

[profiles.x]
last_thread = "thread_1"

[profiles.x.drafts]
"" = "only text"
thread_1 = {text = "t", files = [3, {name = "n", path = "/p"}]}
thread_2 = "older"
thread_3 = 3
"""
"""As earlier versions wrote state.toml."""


def test_what_earlier_versions_kept_in_the_file_is_taken_over_once(path: Path) -> None:
    prompts, drafts = path.with_name("prompts.jsonl"), path.with_name("drafts")
    path.parent.mkdir()
    path.write_text(OLD)
    add_prompts(prompts, "zero")
    save_draft(drafts, "x", "thread_2", KeptDraft("newer"))
    for _ in range(2):
        take_over(path)
        assert load_state(path) == AppState(theme="dusk", profiles={"x": ProfileState("thread_1")})
        assert load_prompts(prompts) == ("zero", "one\nline", "two")
        assert load_draft(drafts, "x", "") == KeptDraft("only text")
        assert load_draft(drafts, "x", "thread_1") == KeptDraft("t", (DraftFile("n", "/p"),))
        assert load_draft(drafts, "x", "thread_2") == KeptDraft("newer")
        assert load_draft(drafts, "x", "thread_3") == KeptDraft()
        assert "prompts" not in path.read_text() and "drafts" not in path.read_text()


def test_drafts_that_cannot_be_moved_stay_and_keep_nothing_else_from_being_written(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(OLD)
    drafts = path.with_name("drafts")
    drafts.write_text("a file is in the way")
    with pytest.raises(SettingsError, match="drafts"):
        take_over(path)
    update_state(path, lambda state: replace(state, theme="night"))
    assert load_state(path).theme == "night"
    assert load_state(path).profile("x").last_thread == "thread_1"
    drafts.unlink()
    take_over(path)
    assert load_draft(drafts, "x", "") == KeptDraft("only text")
    assert "drafts" not in path.read_text()


def test_drafts_are_taken_over_without_prompts(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('[profiles.x.drafts]\nthread_1 = "text"\n')
    take_over(path)
    assert load_draft(path.with_name("drafts"), "x", "thread_1") == KeptDraft("text")
    assert not path.with_name("prompts.jsonl").exists()


def test_nothing_is_written_where_there_is_nothing_to_take_over(path: Path) -> None:
    take_over(path)
    assert not path.exists()


def test_a_file_stays_small_whatever_is_written_and_sent(path: Path) -> None:
    """It is read before the first frame, and written when the user goes to another pane."""
    update_state(path, lambda state: FULL)
    before = path.read_bytes()
    add_prompts(path.with_name("prompts.jsonl"), *(f"{n} {'x' * 1900}" for n in range(200)))
    save_draft(path.with_name("drafts"), "team", "thread_1", KeptDraft("y" * 500_000))
    assert path.read_bytes() == before
    assert len(before) < 1000


def test_a_command_that_is_used_again_is_the_newest_and_is_there_once() -> None:
    assert used_last("b", ["a", "b", "c"]) == ("b", "a", "c")
    assert used_last("new", [str(number) for number in range(30)]) == ("new", *map(str, range(7)))
