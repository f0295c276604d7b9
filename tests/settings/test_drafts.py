"""drafts/: one file for each thread, bounded, and readable as far as it makes sense."""

import json
import os
from pathlib import Path

import pytest

from assistants_tui.settings import drafts
from assistants_tui.settings.drafts import (
    MAX_DRAFT_CHARS,
    DraftFile,
    KeptDraft,
    load_draft,
    save_draft,
)
from assistants_tui.settings.files import SettingsError

DRAFTS = {
    "": KeptDraft("new\n"),
    "thread_1": KeptDraft("\U0001f600\ud800", (DraftFile("a.csv", "/data/a.csv", use="CODE"),)),
    "../../thread": KeptDraft("", (DraftFile("p", "/p", pasted=True), DraftFile("b", file_id="file_1"))),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "drafts"


def test_what_is_written_is_there_at_the_next_start_and_an_empty_draft_is_forgotten(folder: Path) -> None:
    for thread_id, draft in DRAFTS.items():
        assert load_draft(folder, "team", thread_id) == KeptDraft()
        save_draft(folder, "team", thread_id, draft)
    for thread_id, draft in DRAFTS.items():
        assert load_draft(folder, "team", thread_id) == draft
        assert load_draft(folder, "local", thread_id) == KeptDraft()
        save_draft(folder, "team", thread_id, KeptDraft(" \n"))
        assert load_draft(folder, "team", thread_id) == KeptDraft()
    assert not list(folder.glob("*.json"))


def test_a_draft_writes_its_own_file_alone(folder: Path) -> None:
    save_draft(folder, "team", "thread_1", KeptDraft("one"))
    (first,) = folder.glob("*.json")
    before = first.stat()
    for text in ("tw", "two"):
        save_draft(folder, "team", "thread_2", KeptDraft(text))
    assert (first.stat().st_mtime_ns, first.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert {file.stat().st_mode & 0o777 for file in folder.glob("*.json")} == {0o600}


def test_the_oldest_are_forgotten_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MAX_DRAFTS", 20)
    for number in range(20):
        save_draft(folder, "team", f"thread_{number}", KeptDraft("a"))
    for number, file in enumerate(sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)):
        os.utime(file, (number, number))
    save_draft(folder, "team", "", KeptDraft("b"))
    assert len([*folder.glob("*.json")]) == 20
    assert load_draft(folder, "team", "") == KeptDraft("b")


def test_a_very_long_one_is_cut(folder: Path) -> None:
    save_draft(folder, "team", "", KeptDraft("x" * (MAX_DRAFT_CHARS + 1)))
    assert load_draft(folder, "team", "") == KeptDraft("x" * MAX_DRAFT_CHARS), "not all of it is lost"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\xff", KeptDraft()),
        (b"[" * 100_000, KeptDraft()),
        (b"3", KeptDraft()),
        (b'"only text"', KeptDraft("only text")),
        (json.dumps({"text": 3, "files": "x"}).encode(), KeptDraft()),
        (
            json.dumps(
                {
                    "text": "t",
                    "files": [3, {"name": "n"}, {"name": "n", "path": "/p", "use": 3, "pasted": 1}],
                }
            ).encode(),
            KeptDraft("t", (DraftFile("n", "/p"),)),
        ),
    ],
)
def test_files_of_any_shape_are_read_as_far_as_they_make_sense(
    folder: Path, data: bytes, found: KeptDraft
) -> None:
    save_draft(folder, "team", "", KeptDraft("x"))
    (file,) = folder.glob("*.json")
    file.write_bytes(data)
    assert load_draft(folder, "team", "") == found


def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file is in the way")
    for draft in (KeptDraft("x"), KeptDraft()):
        with pytest.raises(SettingsError, match=r"drafts.* cannot be written"):
            save_draft(folder, "team", "", draft)
