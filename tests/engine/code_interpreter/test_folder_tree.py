"""Folders as hostile code leaves them: measured whole, and deleted whole."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistants_tui.engine.code_interpreter import Limits, files, folder_tree
from assistants_tui.engine.code_interpreter.folder import ThreadFolder
from assistants_tui.engine.code_interpreter.runtime import RuntimeFolder
from support.code_interpreter import OpenInterpreter, Thread

BLOCK = 64 * 1024
LONG = "x" * 250


@pytest.fixture
def quick() -> Iterator[Path]:
    """A folder where thousands of names are made and deleted quickly, if there is such a place."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


def dig(root: Path, name: str, depth: int) -> None:
    """Make folders in each other, and a file in the lowest, without ever naming a long path."""
    folder = os.open(root, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, 0o700, dir_fd=folder)
        below = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    with os.fdopen(os.open("file", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=folder), "wb") as file:
        file.write(bytes(BLOCK))
    os.close(folder)


def lock(root: Path) -> None:
    """A folder with a file that its owner may not list, in one that may be listed and not entered."""
    inner = root / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").write_bytes(bytes(BLOCK))
    inner.chmod(0)
    inner.parent.chmod(0o400)


def link(root: Path, target: Path) -> None:
    (root / "link").symlink_to(target)
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "pipe")


def test_what_is_hard_to_reach_counts(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    for folder in (root, other):
        folder.mkdir()
    (other / "large").write_bytes(bytes(4 * BLOCK))
    lock(root)
    dig(root, LONG, 20)
    link(root, other)
    root.chmod(0)
    usage = folder_tree.measure(root, 1000)
    assert (usage.names, usage.unseen) == (3 + 21 + 3, None)
    assert 2 * BLOCK <= usage.size < 4 * BLOCK
    assert folder_tree.measure(root, 5).names == 6


def test_what_is_too_deep_is_said(tmp_path: Path) -> None:
    dig(tmp_path, "d", folder_tree.DEEPEST)
    assert folder_tree.measure(tmp_path, 10_000).unseen is None
    (tmp_path / "more").mkdir()
    try:
        dig(tmp_path / "more", "d", 1500)
        assert folder_tree.measure(tmp_path, 10_000).unseen == "folders more than 64 deep"
    finally:
        assert folder_tree.remove(tmp_path / "more")  # what clears up after tests cannot delete it


def test_a_folder_that_is_renamed_all_the_time_is_no_hiding_place(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "file").write_bytes(bytes(16 * BLOCK))
    code = (
        "import itertools, os, sys\nos.chdir(sys.argv[1]); print(flush=True)\n"
        "for n in itertools.count(): os.rename(str(n), str(n + 1))"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE) as renaming:
        assert renaming.stdout is not None
        renaming.stdout.readline()
        try:
            for _ in range(50):
                usage = folder_tree.measure(tmp_path, 100)
                assert usage.size >= 16 * BLOCK or usage.unseen == "names that change too fast to be counted"
        finally:
            renaming.kill()


@pytest.mark.parametrize("kind", ["locked", "deep", "long", "links", "a link", "a file", "nothing"])
def test_everything_is_deleted_and_nothing_else(quick: Path, kind: str) -> None:
    root, other = quick / "root", quick / "other"
    other.mkdir()
    (other / "file").touch()
    if kind == "a link":
        root.symlink_to(other)
    elif kind == "a file":
        root.touch()
    elif kind != "nothing":
        root.mkdir()
        {
            "locked": lambda: lock(root),
            "deep": lambda: dig(root, "d", 1500),
            "long": lambda: dig(root, LONG, 40),
            "links": lambda: link(root, other),
        }[kind]()
    assert folder_tree.remove(root)
    assert sorted(path.name for path in quick.iterdir()) == ["other"]
    assert (other / "file").exists()


def test_what_cannot_be_deleted_is_said(tmp_path: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("root can delete everything")
    (tmp_path / "root" / "stays").mkdir(parents=True)
    tmp_path.chmod(0o500)
    try:
        assert not folder_tree.remove(tmp_path / "root")
    finally:
        tmp_path.chmod(0o700)
    assert list((tmp_path / "root").iterdir()) == []


def test_left_overs_do_not_stop_the_next_start(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(quick))
    left = RuntimeFolder.create()
    for name, make in (("deep", lambda at: dig(at, "d", 1500)), ("locked", lock)):
        (left.path / name).mkdir()
        make(left.path / name)
    os.close(left._lock)  # its owner dies
    new = RuntimeFolder.create()
    assert list(quick.glob("assistants-*")) == [new.path]
    new.remove()
    assert list(quick.iterdir()) == []


def test_a_flood_is_undone_though_an_earlier_one_was_not(quick: Path) -> None:
    data = quick / "data"
    (data / "a").mkdir(parents=True)
    (data / "a" / "kept").write_text("kept", encoding="utf-8")
    before = {"a/kept": files._stamp((data / "a" / "kept").stat())}
    (quick / "filled-1" / "left").mkdir(parents=True)
    dig(data, "d", 1500)
    (data / "a").chmod(0)
    assert files.undo(data, before)
    files.remove_filled(quick)
    assert [path.relative_to(data).as_posix() for path in data.rglob("*")] == ["a", "a/kept"]
    assert list(quick.iterdir()) == [data]


def test_a_flood_that_stays_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    if os.getuid() == 0:
        pytest.skip("root can delete everything")
    folder = ThreadFolder(tmp_path / "thread", Limits(files=2))
    folder.open()
    for name in "abc":
        (folder.data / name).touch()
    (tmp_path / "thread").chmod(0o500)
    try:
        note = folder.undo_flood()
    finally:
        (tmp_path / "thread").chmod(0o700)
    assert note == "[What the code wrote could not all be deleted: Permission denied.]"
    assert "Permission denied" in caplog.text
    assert folder.undo_flood() is None
    assert list(folder.data.iterdir()) == []


@pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])
async def test_a_deep_tree_and_a_locked_folder_are_gone_with_the_session(
    open_interpreter: OpenInterpreter, sandbox: str, tmp_path: Path
) -> None:
    thread = Thread(await open_interpreter(sandbox, seconds=20))
    await thread.run("open('/mnt/data/kept.txt', 'w').write('kept')")
    execution = await thread.run(
        "import os, time\nos.chdir('/mnt/data')\nfor _ in range(300): os.mkdir('d'); os.chdir('d')\n"
        "os.chmod('/mnt/data', 0); time.sleep(20)"
    )
    assert execution.error is not None
    assert "folders more than 64 deep; they were deleted" in execution.error
    await thread.run("print(os.listdir('/mnt/data')) if 'os' in globals() else print('new')")
    assert thread.logs == "new\n"
    await thread.run("import os; print(os.listdir('/mnt/data')); os.chmod('/mnt/data', 0o300)")
    assert thread.logs == "['kept.txt']\n"
    await thread.interpreter.close()
    again = Thread(await open_interpreter(sandbox))
    await again.run("import os; print(os.listdir('/mnt/data')); os.chmod('/mnt/data', 0)")
    assert again.logs.endswith("['kept.txt']\n")
    await again.interpreter.close_thread(again.name)
    assert list((tmp_path / "data" / "threads").iterdir()) == []
