"""Writes are all or nothing, private, and guarded."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from assistants_tui.settings import files
from assistants_tui.settings.files import SettingsError, locked, private_directory, write_atomic


def test_a_write_replaces_everything_and_keeps_the_previous_version(tmp_path: Path) -> None:
    path, backup = tmp_path / "a.toml", tmp_path / "a.previous.toml"
    for text in (b"one", b"two", b"three"):
        with locked(path):
            write_atomic(path, text, backup=backup)
    assert (path.read_bytes(), backup.read_bytes()) == (b"three", b"two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_previous_version_is_kept_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    path, backup = tmp_path / "a.toml", tmp_path / "a.previous.toml"
    with locked(path):
        write_atomic(path, b"one")
        write_atomic(path, b"two", backup=backup)
    assert (path.read_bytes(), backup.read_bytes()) == (b"two", b"one")


def test_what_a_killed_write_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    script = (
        "import os, sys, pathlib\n"
        "from assistants_tui.settings import files\n"
        "os.fsync = lambda descriptor: os._exit(9)\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "with files.locked(path): files.write_atomic(path, b'half')\n"
    )
    path.write_bytes(b"before")
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == 9
    assert path.read_bytes() == b"before"
    with locked(path):
        write_atomic(path, b"after")
    assert path.read_bytes() == b"after"
    assert not [one for one in tmp_path.iterdir() if one.name.endswith(".tmp")]


def test_a_lock_that_stays_taken_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LOCK_TIMEOUT", 0.01)
    path = tmp_path / "a.toml"
    with locked(path), pytest.raises(SettingsError, match="another window"), locked(path):
        pass
    with locked(path):
        pass


def test_a_linked_backup_is_refused_as_well(tmp_path: Path) -> None:
    path, backup = tmp_path / "a.toml", tmp_path / "b.toml"
    path.write_bytes(b"one")
    backup.symlink_to(tmp_path / "elsewhere")
    with locked(path), pytest.raises(SettingsError, match=r"b\.toml is a symbolic link"):
        write_atomic(path, b"two", backup=backup)
    assert path.read_bytes() == b"one"


def test_only_directories_that_are_made_are_made_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_directory(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
