"""What Landlock keeps a process from, also on systems that know less of it than this one."""

import subprocess
import sys
from pathlib import Path

import pytest

from assistants_tui.engine.code_interpreter.guest import landlock

PROGRAM = """
import ctypes, os, socket, sys
from assistants_tui.engine.code_interpreter.guest import landlock

version, folder = int(sys.argv[1]), sys.argv[2]
landlock.version = lambda: version
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
allowed = (("read", landlock.READ), ("file", landlock.READ), ("write", landlock.WRITE))
landlock.restrict([(f"{folder}/{name}", access) for name, access in allowed])
tries = "read/a r, file r, write/a w, write/a r, read/a w, other r, other w"
for name, mode in map(str.split, tries.split(", ")):
    try:
        open(f"{folder}/{name}", mode)
        print(name, mode, "works")
    except PermissionError:
        print(name, mode, "is refused")
try:
    socket.socket().bind(("127.0.0.1", 0))
    print("bind works")
except PermissionError:
    print("bind is refused")
"""


@pytest.mark.skipif(landlock.version() < landlock.OLDEST, reason="this system has no Landlock, or an old one")
@pytest.mark.parametrize("version", range(landlock.OLDEST, 8))
def test_only_what_is_allowed_works(version: int, tmp_path: Path) -> None:
    if version > landlock.version():
        pytest.skip("this system does not know so much")
    for name in ("read/a", "file", "write/a", "other"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(version), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.splitlines() == [
        "read/a r works",
        "file r works",
        "write/a w works",
        "write/a r works",
        "read/a w is refused",
        "other r is refused",
        "other w is refused",
        f"bind {'works' if version < 4 else 'is refused'}",
    ]


@pytest.mark.skipif(sys.platform == "linux" and landlock.version() > 0, reason="this system has Landlock")
def test_without_landlock_nothing_is_restricted_silently() -> None:
    with pytest.raises(OSError):
        landlock.restrict([])
