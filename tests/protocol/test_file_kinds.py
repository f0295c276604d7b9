"""The one table of file kinds, as the client and the engine use it."""

from pathlib import Path

import pytest

from assistants_tui.engine.search.documents.reading import read
from assistants_tui.protocol import file_kinds
from assistants_tui.protocol.file_kinds import KINDS, kind_of
from assistants_tui.protocol.objects import Assistant
from assistants_tui.service.files.attachments import Use, uses
from assistants_tui.service.files.upload_queue import searchable_files

SEARCHER: Assistant = {"id": "asst_1", "tools": [{"type": "file_search"}]}  # type: ignore[typeddict-item]


@pytest.mark.parametrize("suffix", file_kinds.SEARCHABLE)
def test_what_is_searched_is_offered(suffix: str, tmp_path: Path) -> None:
    assert uses(f"A{suffix.upper()}", SEARCHER)[0] is Use.SEARCH
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"words")
    assert searchable_files([tmp_path]) == [path]


@pytest.mark.parametrize("name", ["main.rs", "conf.yaml", "Makefile", "sub/Dockerfile", "README", "a.JSONL"])
def test_text_that_people_attach_is_read(name: str) -> None:
    assert read(b"some words", name).text == "some words"


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.zip", "a.exe", "a", ".bashrc", "", "photo.png"])
def test_what_is_not_text_is_left_to_code(name: str) -> None:
    assert not kind_of(name).searchable
    assert Use.SEARCH not in uses(name, SEARCHER)


def test_every_kind_that_is_read_is_searchable() -> None:
    assert all(kind.searchable for kind in KINDS.values() if kind.reader is not None)
    assert {name for name, kind in KINDS.items() if kind.searchable and kind.reader is None} == {"doc"}
    assert {name for name, kind in KINDS.items() if kind.image} == {"gif", "jpeg", "jpg", "png", "webp"}
