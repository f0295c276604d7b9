from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.service.errors import ServiceError
from assistants_tui.service.local_paths import keep_paste, matching, pasted_paths, size_words


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Plan.txt", "plan b.txt", "it's.csv", ".hidden"):
        (tmp_path / name).write_text("four")
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "one.txt").write_text("")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    return tmp_path


def names(text: str, folder: Path) -> list[str]:
    return [entry.path.name for entry in matching(text, folder)]


def test_half_typed_paths_are_completed(folder: Path) -> None:
    assert names("", folder) == ["plans", "it's.csv", "nowhere", "plan b.txt", "Plan.txt"]
    assert names("pl", folder) == ["plans", "plan b.txt", "Plan.txt"]
    assert names("plans/", folder) == ["one.txt"]
    assert names(str(folder / "plan b"), Path("/")) == ["plan b.txt"]
    assert names(".h", folder) == [".hidden"]
    assert names("gone/and/away", folder) == []
    assert names("a\0b/", folder) == []
    assert matching("it", folder)[0].size == 4


def test_the_home_is_a_tilde(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert names("~/pl", Path("/")) == ["plans", "plan b.txt", "Plan.txt"]
    assert names("~nobody-of-that-name/", folder) == []


def test_dropped_files_are_recognised_as_terminals_paste_them(folder: Path) -> None:
    plan, other = folder / "plan b.txt", folder / "it's.csv"
    for text in (
        str(plan),
        f"'{plan}'",
        f'"{plan}" ',
        str(plan).replace(" ", "\\ "),
        f"file://{str(plan).replace(' ', '%20')}",
    ):
        assert list(pasted_paths(text)) == [plan], text
    assert list(pasted_paths(f"'{plan}' \"{other}\"")) == [plan, other]
    assert list(pasted_paths(f"file://{str(plan).replace(' ', '%20')}\nfile://{folder}/Plan.txt\n")) == [
        plan,
        folder / "Plan.txt",
    ]


def test_other_texts_are_texts(folder: Path) -> None:
    for text in (
        "",
        "plan b.txt",
        str(folder),
        f"{folder}/missing.txt",
        f"{folder}/Plan.txt and then",
        "/an 'open quote",
        "file://elsewhere/etc/hostname",
        "/" + "x" * 9000,
    ):
        assert not pasted_paths(text), text


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    assert not pasted_paths("/" + text + "\0")
    assert not pasted_paths("'" + text)


def test_a_pasted_text_is_kept_in_a_private_file(tmp_path: Path) -> None:
    path = keep_paste(tmp_path / "cache", "long\ud800 text")
    assert path.read_text() == "long? text"
    assert path.stat().st_mode & 0o077 == 0
    assert keep_paste(tmp_path / "cache", "x") != path
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceError, match="cannot be kept"):
        keep_paste(tmp_path / "file", "x")


def test_sizes_read_well() -> None:
    sizes = (0, 999, 1000, 12_345, 123_456, 512 * 1024**2, 10**13)
    assert [size_words(size) for size in sizes] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "12.3 kB",
        "123 kB",
        "537 MB",
        "10000 GB",
    ]
