"""The application is killed: nothing of it goes on, and the next start clears away what is left."""

import asyncio
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import assistants_tui
from assistants_tui.engine.code_interpreter import CodeInterpreter
from assistants_tui.engine.code_interpreter.runtime import RuntimeFolder
from support.code_interpreter import Thread
from support.processes import until_ended

PACKAGES = Path(assistants_tui.__file__).parent.parent
APPLICATION = """
import asyncio, sys
from pathlib import Path
import psutil
from assistants_tui.engine.code_interpreter import CodeInterpreter, Limits

async def main():
    interpreter = CodeInterpreter(Path(sys.argv[1]), launcher=sys.argv[2])
    sandbox = await interpreter.sandbox()
    if not sandbox.available:
        print("no sandbox", sandbox.reason, flush=True)
        return
    async def on_output(output):
        children = psutil.Process().children(recursive=True)
        print("running", *(child.pid for child in children), flush=True)
    await interpreter.run("idle", "import threading, time", {}, on_output)
    await interpreter.run("busy", sys.argv[3], {}, on_output)

asyncio.run(main())
"""

# a child that leaves its session, as a daemon does, where there can be children
CODE = """
import os, time
open('/mnt/data/kept', 'w').write('kept')
try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
except OSError:
    pass
time.sleep(0.2)
print('running')
while True:
    time.sleep(0.01)
"""


@pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])
async def test_kill_leaves_no_process_and_the_next_start_no_folder(sandbox: str, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", APPLICATION, str(tmp_path / "data"), sandbox, CODE],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": "/tmp", "PYTHONPATH": str(PACKAGES)},
    ) as application:
        assert application.stdout is not None
        word, *pids = (await asyncio.to_thread(application.stdout.readline)).split()
        if word == "no":
            pytest.skip(f"no sandbox here: {' '.join(pids)}")
        folders = set(Path("/tmp").glob("assistants-*"))
        application.send_signal(signal.SIGKILL)
    assert len(pids) >= (1 if sandbox == "landlock" else 4)
    for pid in pids:
        await until_ended(int(pid))
    left = {folder for folder in folders if any(folder.glob("*/run/s-*"))}
    assert left

    interpreter = CodeInterpreter(tmp_path / "data", launcher=sandbox)
    thread = Thread(interpreter, "busy")
    assert (await thread.run("print(open('/mnt/data/kept').read())")).status == "ok"
    assert thread.logs.endswith("Variables are lost; the files in /mnt/data are kept.]\nkept\n")
    await interpreter.close()


def test_folders_of_the_living_stay_and_those_of_the_dead_go(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        living = RuntimeFolder.create()
        (living.make() / "socket").touch()
        dead = Path(name, "assistants-dead")
        (dead / "1").mkdir(parents=True)
        (dead / "lock").touch()
        stranger = Path(name, "assistants-link")
        stranger.symlink_to("/tmp")
        unrelated = Path(name, "assistants-notes")
        unrelated.mkdir()
        second = RuntimeFolder.create()
        assert set(Path(name).iterdir()) == {living.path, second.path, stranger, unrelated}
        assert living.path.stat().st_mode & 0o777 == 0o700
        assert len(str(second.make() / "run" / "s-1")) < 100
        second.remove()
        living.remove()
        assert set(Path(name).iterdir()) == {stranger, unrelated}


def test_a_long_temporary_folder_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as name:
        long = Path(name, "x" * 80)
        long.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(long))
        folder = RuntimeFolder.create()
        assert folder.path.parent == Path("/tmp")
        folder.remove()
