"""prompts.jsonl: appended, bounded, shared by windows, and readable whatever stands in it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.settings import prompts
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.prompts import MAX_PROMPT_CHARS, MAX_PROMPTS, add_prompts, load_prompts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "prompts.jsonl"


def test_prompts_come_back_in_order_each_once(path: Path) -> None:
    assert load_prompts(path) == ()
    for prompt in ("one\nline", 'two "quoted"', "\ud800 \U0001f600\x1b[2J\u2028", "one\nline"):
        add_prompts(path, prompt)
    assert load_prompts(path) == ('two "quoted"', "\ud800 \U0001f600\x1b[2J\u2028", "one\nline")
    assert path.stat().st_mode & 0o777 == 0o600


def test_blank_and_very_long_ones_are_not_remembered(path: Path) -> None:
    add_prompts(path, "  \n", "x" * (MAX_PROMPT_CHARS + 1))
    assert not path.exists()


def test_a_new_one_is_appended_and_the_file_stays_the_same(path: Path) -> None:
    add_prompts(path, "one")
    before, data = path.stat().st_ino, path.read_bytes()
    add_prompts(path, "two")
    assert path.stat().st_ino == before and path.read_bytes().startswith(data)


def test_the_file_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "MAX_BYTES", 2000)
    for number in range(MAX_PROMPTS + 50):
        add_prompts(path, f"{number} {'x' * 50}")
        assert path.stat().st_size <= 2 * 2000
    assert load_prompts(path)[-1].startswith(f"{MAX_PROMPTS + 49} ")
    monkeypatch.undo()
    add_prompts(path, *map(str, range(MAX_PROMPTS + 5)))
    assert load_prompts(path) == tuple(map(str, range(5, MAX_PROMPTS + 5)))


def test_a_file_that_is_shortened_to_all_of_its_prompts_keeps_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "MAX_BYTES", 100)
    for _ in range(20):
        add_prompts(path, "the same again and again", "another")
    assert load_prompts(path) == ("the same again and again", "another")


def test_a_line_that_was_torn_costs_itself_alone(path: Path) -> None:
    add_prompts(path, "one", "two")
    path.write_bytes(path.read_bytes()[:-3])
    add_prompts(path, "three")
    assert load_prompts(path) == ("one", "three")


@given(st.binary())
def test_any_content_is_survived(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("prompts") / "prompts.jsonl"
    path.write_bytes(data + b"\n[[\n3\n" + b"[" * 100_000)
    add_prompts(path, "kept")
    assert load_prompts(path)[-1] == "kept"


def test_a_link_is_not_written_through(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    (tmp_path / "other").write_text("mine")
    path.symlink_to(tmp_path / "other")
    with pytest.raises(SettingsError, match=r"prompts\.jsonl cannot be written"):
        add_prompts(path, "one")
    assert (tmp_path / "other").read_text() == "mine"
