"""Whether an engine is alive, as others on its data directory see it."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assistants_tui.engine.runs.instance_lock import InstanceLock

ENGINE = """
import sys
from pathlib import Path
from assistants_tui.engine.runs.instance_lock import InstanceLock
lock = InstanceLock(Path(sys.argv[1]))
print(lock.name, flush=True)
sys.stdin.read()
"""


def test_engines_that_start_at_once_keep_their_locks(tmp_path: Path) -> None:
    def start(_: int) -> InstanceLock:
        lock = InstanceLock(tmp_path)
        lock.tidy()
        return lock

    for _ in range(20):
        with ThreadPoolExecutor(8) as pool:
            engines = list(pool.map(start, range(8)))
        observer = InstanceLock(tmp_path)
        assert [observer.state(engine.name) for engine in engines] == ["alive"] * 8
        for engine in [*engines, observer]:
            engine.leave()
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_process_is_alive_until_it_is_gone(tmp_path: Path) -> None:
    observer = InstanceLock(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        os.kill(process.pid, signal.SIGSTOP)
        try:
            observer.tidy()
            assert observer.state(name) == "alive"
        finally:
            process.kill()
        process.wait()
        assert observer.state(name) == "dead"
        observer.tidy()
    assert observer.state(name) == "unknown"
    assert observer.state(observer.name) == "alive"
    observer.leave()
