"""state.toml: remembered between starts, shared by windows, and harmless when it is damaged."""

from dataclasses import replace
from pathlib import Path

import pytest

from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.state import (
    MAX_DRAFT_CHARS,
    MAX_DRAFTS,
    MAX_PROMPT_CHARS,
    MAX_PROMPTS,
    AppState,
    DraftFile,
    KeptDraft,
    ProfileState,
    load_state,
    update_state,
)

DRAFTS = {
    "": KeptDraft("new\n"),
    "thread_1": KeptDraft("\U0001f600", (DraftFile("a.csv", "/data/a.csv", use="CODE"),)),
    "thread_2": KeptDraft("", (DraftFile("p.txt", "/p.txt", pasted=True), DraftFile("b", file_id="file_1"))),
}
FULL = AppState(
    last_profile="team",
    theme="dusk",
    pane_sizes={"left": 30},
    hidden_panes=frozenset({"inspector"}),
    focus="thread-list",
    profiles={
        "team": ProfileState("thread_1", "asst_1", 1200, "msg_1", DRAFTS),
        "local": ProfileState(),
    },
    prompts=("one\nline", 'two "quoted"'),
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
    update_state(path, lambda state: state.with_prompt("hi"))
    assert load_state(path) == AppState(
        theme="dusk", profiles={"a": ProfileState(tokens_used=5)}, prompts=("hi",)
    )


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
        'theme = "dusk"\nprompts = ["a", 3]\n[profiles.x]\nlast_thread = "t"\ntokens_used = -4\n'
        '[pane_sizes]\na = 3\nb = "x"\n'
    )
    assert load_state(path) == AppState(
        theme="dusk", prompts=("a",), profiles={"x": ProfileState("t")}, pane_sizes={"a": 3}
    )


def test_prompts_are_bounded_and_not_repeated(path: Path) -> None:
    state = AppState()
    for number in range(MAX_PROMPTS + 5):
        state = state.with_prompt(f"prompt {number}")
    assert len(state.prompts) == MAX_PROMPTS
    assert state.with_prompt("prompt 50").prompts[-1] == "prompt 50"
    assert len({*state.with_prompt("prompt 50").prompts}) == MAX_PROMPTS
    assert state.with_prompt("  \n") is state
    assert state.with_prompt("x" * (MAX_PROMPT_CHARS + 1)) is state


def test_a_directory_that_cannot_be_written_is_named(path: Path) -> None:
    path.parent.write_text("a file is in the way")
    with pytest.raises(SettingsError, match=r"state\.toml cannot be written"):
        update_state(path, lambda state: FULL)


def test_drafts_are_bounded_and_blank_ones_forgotten() -> None:
    state = ProfileState()
    for number in range(MAX_DRAFTS + 3):
        state = state.with_draft(f"thread_{number}", KeptDraft("a"))
    assert len(state.drafts) == MAX_DRAFTS
    assert "thread_2" not in state.drafts
    state = state.with_draft(None, KeptDraft("b")).with_draft("thread_9", KeptDraft(" \n"))
    state = state.with_draft(None, KeptDraft("c"))
    assert state.drafts[""] == KeptDraft("c")
    assert "thread_9" not in state.drafts
    long = state.with_draft(None, KeptDraft("x" * (MAX_DRAFT_CHARS + 1)))
    assert long.drafts[""] == KeptDraft("x" * MAX_DRAFT_CHARS), "its end is lost, but not all of it"


def test_drafts_of_any_shape_are_read_as_far_as_they_make_sense(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(
        "[profiles.x.drafts]\n"
        'a = "only text"\n'  # as earlier versions wrote all of them
        "b = 3\n"
        'c = {text = 3, files = "x"}\n'
        'd = {text = "t", files = [3, {name = "n"}, {name = "n", path = "/p", use = 3, pasted = "yes"}]}\n'
    )
    assert load_state(path).profile("x").drafts == {
        "a": KeptDraft("only text"),
        "d": KeptDraft("t", (DraftFile("n", "/p"),)),
    }
