import signal
import subprocess
import sys

import psutil

HANGING = """
import subprocess, sys, time
from assistants_tui.service.exit_guard import end_hard_after
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
end_hard_after(0.2, 129)
end_hard_after(600, 0)
{hang}
"""
IN_PYTHON = "import threading; threading.Event().wait()"
WITH_THE_LOCK = "import ctypes; ctypes.PyDLL(None).sleep(600)"


def test_a_process_that_hangs_ends_with_all_that_it_has_started() -> None:
    program = HANGING.format(hang=IN_PYTHON)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        assert process.wait(60) == 129
        assert child.wait(60) is None or not child.is_running()


def test_what_the_user_has_opened_goes_on() -> None:
    opened = """
from assistants_tui.service.exit_guard import spare
opened = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(opened.pid, flush=True)
spare(opened.pid)
end_hard_after(0.2, 129)
"""
    program = HANGING.partition("end_hard_after(0.2")[0] + opened + IN_PYTHON
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child, viewer = (psutil.Process(int(process.stdout.readline())) for _ in range(2))
        try:
            assert process.wait(60) == 129
            assert child.wait(60) is None or not child.is_running()
            assert viewer.is_running()
        finally:
            viewer.kill()


def test_it_ends_also_where_no_python_runs_any_more() -> None:
    program = HANGING.format(hang=WITH_THE_LOCK)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        assert process.wait(60) == -signal.SIGALRM
        child.kill()
