"""Names from a server are safe on every system, and still recognisable."""

from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.service.file_names import name_to_send, numbered, safe_file_name
from assistants_tui.service.safe_text import UNSAFE

HOSTILE = st.text(
    st.sampled_from('abé文.:/\\ \0\n\t\x1b\u202e\ud800"<>|?*~%$(CON)' + "\N{GRINNING FACE}"), max_size=300
) | st.sampled_from(["con", "NUL.txt", "lpt1.a.b", "COM¹", "aux .txt", "..", ".", "~", "-rf", "a" * 400])


@given(HOSTILE)
def test_whatever_a_server_says_the_name_is_safe(name: str) -> None:
    safe = safe_file_name(name)
    assert safe
    assert len(safe.encode()) <= 200
    assert PurePosixPath(safe).name == PureWindowsPath(safe).name == safe
    assert not safe.startswith(".")
    assert not safe.endswith((".", " "))
    assert not UNSAFE.search(safe)
    assert "\n" not in safe
    assert not PureWindowsPath(safe).is_reserved()
    assert safe_file_name(safe) == safe


@given(HOSTILE)
def test_a_safe_name_can_be_used(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("names")
    (folder / safe_file_name(name)).touch()
    assert [one.parent for one in folder.iterdir()] == [folder]


@pytest.mark.parametrize(
    "name", ["report.pdf", "2026 plan (1).tar.gz", "Übersicht 文.csv", "no ending", "a.b"]
)
def test_an_ordinary_name_stays(name: str) -> None:
    assert safe_file_name(name) == name


def test_numbers_go_before_the_ending() -> None:
    assert [*islice(numbered("a.tar.gz"), 3)] == ["a.tar.gz", "a (2).tar.gz", "a (3).tar.gz"]
    assert [*islice(numbered("plain"), 2)] == ["plain", "plain (2)"]
    assert [*islice(numbered(Path("x.y z").name), 2)][1] == "x.y z (2)"


@given(HOSTILE.filter(lambda name: name.isprintable() or "\ud800" not in name))
def test_a_name_that_is_sent_has_no_control_characters(name: str) -> None:
    sent = name_to_send(PurePosixPath(name))
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in sent)
    assert name_to_send(PurePosixPath("a/Übersicht\n文.csv")) == "Übersicht_文.csv"
