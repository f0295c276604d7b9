"""Sessions: variables that stay, output as it comes, stopping, ending, and many of them at once."""

import asyncio
import contextlib
import importlib.util
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from assistants_tui.engine.code_interpreter import CodeInterpreter, Image, Logs, Output, fonts
from support.code_interpreter import OpenInterpreter, Thread
from support.patience import until
from support.processes import status

BOTH = pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])
LOST = "Variables are lost; the files in /mnt/data are kept."
RESTARTED = f"[The session was restarted. {LOST}]\n"


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def runtime_folders() -> set[Path]:
    """Those of this process: each holds the lock in it."""
    mine = {path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}
    return {path for path in Path(tempfile.gettempdir()).glob("assistants-*") if path / "lock" in mine}


@BOTH
async def test_variables_stay_and_values_are_shown(open_interpreter: OpenInterpreter, sandbox: str) -> None:
    thread = Thread(await open_interpreter(sandbox))
    assert (
        await thread.run("import sys\nx = 20\nprint('out'); print('err', file=sys.stderr)")
    ).status == "ok"
    assert sorted(thread.logs.split()) == ["err", "out"]
    assert (await thread.run("x += 1\nx * 2")).status == "ok"
    assert thread.logs == "42\n"
    execution = await thread.run("def f():\n    return 1 / 0\nf()")
    assert execution.status == "error"
    assert execution.error is not None
    assert "ZeroDivisionError: division by zero" in execution.error
    assert thread.logs == f"{execution.error}\n"
    assert "\x1b" not in thread.logs
    assert (await thread.run("this is no Python")).status == "error"
    assert "SyntaxError" in thread.logs
    assert (await thread.run("x")).status == "ok"
    assert thread.logs == "21\n"
    for ending in ("exit()", "quit()", "import sys; sys.exit()", "raise SystemExit(0)"):
        assert (await thread.run(ending)).error is None
        assert thread.logs == ""
    assert (await thread.run("x")).status == "ok"
    assert (
        await thread.run("import time; time.sleep(0); '/mnt/data/a' + __import__('os').getcwd()[:0]")
    ).error is None
    assert thread.logs == "'/mnt/data/a'\n"


@BOTH
async def test_pictures(open_interpreter: OpenInterpreter, sandbox: str) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("matplotlib is not installed: it comes with the extra 'code'")
    thread = Thread(await open_interpreter(sandbox, images=2))
    execution = await thread.run("import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.title('t')")
    assert execution.status == "ok"
    assert [image.name for image in thread.images] == ["image-1.png"]
    assert thread.images[0].media_type == "image/png"
    assert thread.images[0].data.startswith(b"\x89PNG\r\n\x1a\n")
    await thread.run("from PIL import Image\nImage.new('RGB', (2, 2), 'red')")
    assert [image.media_type for image in thread.images] == ["image/png"]
    await thread.run("for n in range(4):\n    plt.figure(); plt.plot([n])\nplt.show()")
    assert len(thread.images) == 2
    assert "[Only 2 images of one call are shown.]" in thread.logs
    await thread.run("from IPython.display import SVG\nSVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')")
    assert thread.images[0].media_type == "image/svg+xml"
    execution = await thread.run("fig, ax = plt.subplots(); fig.savefig('/mnt/data/chart.png'); plt.close()")
    assert thread.images == []
    assert [(file.name, file.media_type) for file in execution.files] == [("chart.png", "image/png")]


@BOTH
async def test_fonts_are_looked_for_once(sandbox: str, tmp_path: Path) -> None:
    folder = fonts.folder(tmp_path / "data")
    if folder is None:
        pytest.skip("matplotlib is not installed: it comes with the extra 'code'")
    interpreter = CodeInterpreter(tmp_path / "data", launcher=sandbox)
    try:
        if not (state := await interpreter.sandbox()).available:
            pytest.skip(f"no sandbox here: {state.reason}")
        await Thread(interpreter, "first").run("1")
        await until("the folder is there", folder.exists)
        assert [path.name for path in folder.iterdir() if path.name.startswith("fontlist-")]
        second = Thread(interpreter, "second")
        await second.run(
            "import glob, os; print(len(glob.glob(os.environ['MPLCONFIGDIR'] + '/fontlist-*.json')))"
        )
        assert second.logs == "1\n"
    finally:
        await interpreter.close()


@BOTH
async def test_packages_of_the_extra_work(open_interpreter: OpenInterpreter, sandbox: str) -> None:
    missing = [
        name
        for name in ("numpy", "pandas", "sympy", "openpyxl", "pypdf")
        if not importlib.util.find_spec(name)
    ]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: they come with the extra 'code'")
    thread = Thread(await open_interpreter(sandbox))
    execution = await thread.run(
        "import numpy as np, pandas as pd, sympy, pypdf, io\n"
        "frame = pd.DataFrame({'a': np.arange(3), 'b': list('xyz')})\n"
        "frame.to_excel('/mnt/data/t.xlsx'); frame.to_csv('/mnt/data/t.csv', index=False)\n"
        "assert pd.read_excel('/mnt/data/t.xlsx')['a'].sum() == 3\n"
        "writer = pypdf.PdfWriter(); writer.add_blank_page(9, 9); writer.write('/mnt/data/t.pdf')\n"
        "x = sympy.symbols('x')\n"
        "print(np.linalg.det(np.eye(50)), sympy.integrate(sympy.sin(x), x), sympy.solve(3 * x + 11 - 14, x))"
    )
    assert execution.error is None
    assert thread.logs == "1.0 -cos(x) [1]\n"
    assert sorted(file.name for file in execution.files) == ["t.csv", "t.pdf", "t.xlsx"]


async def test_processes_of_ordinary_code_work(open_interpreter: OpenInterpreter) -> None:
    thread = Thread(await open_interpreter("bubblewrap"))
    execution = await thread.run(
        "import asyncio, multiprocessing, shutil, sqlite3, threading\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from multiprocessing.shared_memory import SharedMemory\n"
        "def double(x): return 2 * x\n"
        "with multiprocessing.Pool(2) as pool: assert pool.map(double, [1, 2]) == [2, 4]\n"
        "with ProcessPoolExecutor(2) as pool: assert list(pool.map(double, [1])) == [2]\n"
        "with multiprocessing.Manager() as manager: assert manager.list([1])[0] == 1\n"
        "memory = SharedMemory(create=True, size=10); memory.close(); memory.unlink()\n"
        "async def cat():\n"
        "    process = await asyncio.create_subprocess_exec('cat', stdin=-1, stdout=-1)\n"
        "    assert await process.communicate(b'x' * 300_000) == (b'x' * 300_000, None)\n"
        "waiting = threading.Thread(target=asyncio.run, args=(cat(),)); waiting.start(); waiting.join()\n"
        "base = sqlite3.connect('/mnt/data/base'); base.execute('pragma journal_mode = wal')\n"
        "base.execute('create table t (a)'); shutil.copy2('/mnt/data/base', '/mnt/data/copy')\n"
        "print(multiprocessing.get_start_method())"
    )
    assert execution.error is None
    assert thread.logs == "fork\n"


async def test_a_missing_module_says_what_to_do(thread: Thread) -> None:
    hidden = "import sys; sys.modules['pandas'] = None\n"
    execution = await thread.run(f"{hidden}import pandas")
    assert "import of pandas halted" in str(execution.error)
    execution = await thread.run("import seaborn_or_other")
    assert execution.error is not None
    assert execution.error.endswith(
        "seaborn_or_other is not available in the code interpreter, which has no network to install it from."
    )


async def test_output_comes_while_code_runs_and_stopping_keeps_variables(thread: Thread) -> None:
    call = asyncio.create_task(
        thread.run("x = 1\nprint('started')\nimport time\nwhile True: time.sleep(0.01)")
    )
    async with asyncio.timeout(20):
        await thread.arrived.wait()
    assert thread.logs == "started\n"
    assert not call.done()
    started = time.monotonic()
    await thread.interpreter.interrupt(thread.name)
    execution = await call
    assert time.monotonic() - started < 10
    assert (execution.status, execution.error) == (
        "killed",
        "The code was stopped on request. Variables are kept.",
    )
    assert thread.logs.endswith("[The code was stopped on request. Variables are kept.]\n")
    assert (await thread.run("x")).status == "ok"
    await thread.interpreter.interrupt(thread.name)  # nothing runs: nothing happens
    await thread.interpreter.interrupt("another thread")
    assert (await thread.run("x")).status == "ok"


@pytest.mark.parametrize(
    "code",
    [
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\nprint('started')\ntime.sleep(99)",
        "try:\n  print('started')\n  time.sleep(99)\nfinally: time.sleep(99)",
    ],
)
async def test_code_that_does_not_listen_is_stopped_within_two_seconds(thread: Thread, code: str) -> None:
    call = asyncio.create_task(thread.run(f"import signal, time\n{code}"))
    async with asyncio.timeout(20):
        await thread.arrived.wait()
    started = time.monotonic()
    await thread.interpreter.interrupt(thread.name)
    execution = await call
    assert time.monotonic() - started < 10  # two seconds, and what a busy machine takes to notice
    assert execution.status == "killed"
    assert execution.error is not None
    assert "Variables are lost" in execution.error


async def test_a_call_is_stopped_before_it_runs(thread: Thread) -> None:
    call = asyncio.create_task(thread.run("open('/mnt/data/ran', 'x')"))
    await asyncio.sleep(0)
    await until("the kernel starts", children)
    await thread.interpreter.interrupt(thread.name)
    execution = await call
    assert (execution.status, execution.error) == ("killed", "The code was stopped on request.")
    assert (await thread.run("import os; print(os.listdir('/mnt/data'))")).files == ()
    assert thread.logs == "[]\n"


async def test_two_threads_run_at_once_and_know_nothing_of_each_other(
    open_interpreter: OpenInterpreter,
) -> None:
    interpreter = await open_interpreter()
    threads = [Thread(interpreter, name) for name in ("thread_a", "thread_b")]
    await asyncio.gather(*(interpreter.prestart(thread.name) for thread in threads))
    calls = [
        asyncio.create_task(thread.run(f"mine = {thread.name!r}; print(mine)\nimport time; time.sleep(60)"))
        for thread in threads
    ]
    async with asyncio.timeout(30):
        for thread in threads:
            await thread.arrived.wait()
    assert not any(call.done() for call in calls)
    await interpreter.interrupt("thread_a")
    assert (await calls[0]).status == "killed"
    assert not calls[1].done()
    await interpreter.interrupt("thread_b")
    await calls[1]
    for thread in threads:
        await thread.run("mine")
        assert thread.logs == f"{thread.name!r}\n"


async def test_one_session_more_ends_the_one_idle_longest(open_interpreter: OpenInterpreter) -> None:
    interpreter = await open_interpreter(sessions=2)
    a, b, c = (Thread(interpreter, name) for name in "abc")
    for thread in (a, b, c):
        await thread.run("x = 1")
    assert (await b.run("x")).status == "ok"
    assert (await a.run("'x' in globals()")).status == "ok"
    assert a.logs == f"{RESTARTED}False\n"


async def test_a_session_too_many_waits_for_one_to_end(open_interpreter: OpenInterpreter) -> None:
    interpreter = await open_interpreter(sessions=1)
    a, b = Thread(interpreter, "a"), Thread(interpreter, "b")
    first = asyncio.create_task(a.run("print(1)\nimport time; time.sleep(60)"))
    async with asyncio.timeout(20):
        await a.arrived.wait()
    c = Thread(interpreter, "c")
    second, third = asyncio.create_task(b.run("print(2)")), asyncio.create_task(c.run("print(3)"))
    await until("both wait", lambda: "Waiting" in b.logs and "Waiting" in c.logs)
    assert not second.done()
    await interpreter.interrupt("c")  # one that waits can be stopped, too
    assert (await third).status == "killed"
    await interpreter.interrupt("a")
    assert (await first).status == "killed"
    assert (await second).status == "ok"
    assert b.logs == "[Waiting to start: as much code is running here as may run at once (1).]\n2\n"


async def test_nothing_goes_on_between_calls(open_interpreter: OpenInterpreter) -> None:
    thread = Thread(await open_interpreter("bubblewrap"))
    await thread.run(
        "import threading, time, subprocess\nn = 0\n"
        "def count():\n    global n\n    while True:\n        n += 1; time.sleep(0.001)\n"
        "threading.Thread(target=count, daemon=True).start()\n"
        "child = subprocess.Popen(['sleep', '1000'])"
    )
    await until(
        "all processes stand still",
        lambda: all(status(process) == psutil.STATUS_STOPPED for process in children()),
    )
    assert len(children()) == 4
    await thread.run("first = n; time.sleep(0.1); print(n > first, child.poll())")
    assert thread.logs == "True None\n"


async def test_an_idle_session_ends_and_the_next_call_is_told(open_interpreter: OpenInterpreter) -> None:
    thread = Thread(await open_interpreter(idle_seconds=0.2))
    await thread.interpreter.prestart(thread.name)
    await until("no process is left", lambda: not children())
    await thread.run("x = 1")
    assert thread.logs == ""  # nothing was lost
    await until("no process is left", lambda: not children())
    await thread.run("print('x' in globals())")
    assert thread.logs == f"{RESTARTED}False\n"


async def test_what_the_receiver_raises_ends_the_code(thread: Thread) -> None:
    async def fail(output: Output) -> None:
        raise LookupError("no such run")

    with pytest.raises(LookupError):
        await thread.interpreter.run(thread.name, "print(1)\nimport time; time.sleep(60)", {}, fail)
    assert (await thread.run("print('x')")).status == "ok"
    assert thread.logs == f"[The call failed. {LOST}]\nx\n"


async def test_a_cancelled_call_stops_its_code_and_keeps_variables(thread: Thread) -> None:
    call = asyncio.create_task(
        thread.run("x = 1; open('/mnt/data/made', 'w').close()\nprint(1)\nimport time; time.sleep(60)")
    )
    async with asyncio.timeout(20):
        await thread.arrived.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert thread.logs == "1\n"
    execution = await thread.run("x")
    assert thread.logs == "1\n"
    assert [file.name for file in execution.files] == ["made"]


async def test_a_cancelled_call_ends_code_that_goes_on(thread: Thread) -> None:
    code = "import time\ntry:\n  print(1); time.sleep(60)\nfinally: time.sleep(60)"
    call = asyncio.create_task(thread.run(code))
    async with asyncio.timeout(20):
        await thread.arrived.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await thread.run("print('x')")).status == "ok"
    assert thread.logs == f"[The call was cancelled. {LOST}]\nx\n"


async def test_a_receiver_that_never_returns_is_left(thread: Thread) -> None:
    called = asyncio.Event()

    async def hang(output: Output) -> None:
        called.set()
        await asyncio.Event().wait()

    call = asyncio.create_task(thread.interpreter.run(thread.name, "print(1)", {}, hang))
    async with asyncio.timeout(20):
        await called.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await thread.run("1")).status == "ok"


async def test_a_kernel_that_ends_between_calls(thread: Thread) -> None:
    await thread.run("x = 1")
    for process in children():
        with contextlib.suppress(psutil.NoSuchProcess):  # the launcher takes its children with it
            process.kill()
    await until("no process is left", lambda: not children())
    await until(
        "no thread is left",
        lambda: "watchdog of code" not in {running.name for running in threading.enumerate()},
    )
    execution = await thread.run("print('x' in globals())")
    told = thread.logs
    if (
        execution.status == "killed"
    ):  # its end was not known yet: the call itself says so, and the next one runs
        await thread.run("print('x' in globals())")
        told += thread.logs
    ended = "The Python process ended unexpectedly (it was ended by SIGKILL)."
    assert told == f"[{ended} {LOST}]\nFalse\n"


@BOTH
async def test_closing_leaves_nothing_even_while_code_runs(
    open_interpreter: OpenInterpreter, sandbox: str
) -> None:
    interpreter = await open_interpreter(sandbox)
    assert len(runtime_folders()) == 1
    running, idle = Thread(interpreter, "running"), Thread(interpreter, "idle")
    await idle.run("1")
    call = asyncio.create_task(
        running.run(
            "import os\ntry: os.fork() or os.setsid()\nexcept OSError: pass\n"
            "print(1, flush=True)\nwhile True: pass"
        )
    )
    async with asyncio.timeout(20):
        await running.arrived.wait()
    assert children()
    await interpreter.close()
    assert (await call).status == "killed"
    assert children() == []
    assert runtime_folders() == set()
    execution = await idle.run("1")
    assert (execution.status, execution.error) == ("error", "Code interpreter is closed.")
    await interpreter.close()


async def test_a_kernel_that_cannot_start_is_an_answer(
    open_interpreter: OpenInterpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter = await open_interpreter()
    thread = Thread(interpreter)
    (tmp_path / "data" / "threads").write_text("in the way", encoding="utf-8")
    await interpreter.prestart(thread.name)
    execution = await thread.run("1")
    assert execution.status == "error"
    assert "in the way" not in thread.logs
    assert "threads" in str(execution.error)
    (tmp_path / "data" / "threads").unlink()
    assert (await thread.run("1")).status == "ok"


async def test_calls_of_one_thread_wait_for_each_other(thread: Thread) -> None:
    seen: list[str] = []

    async def keep(output: Output) -> None:
        assert isinstance(output, Logs | Image)
        seen.append(output.text if isinstance(output, Logs) else "")

    codes = ["n = 0", "n += 1; print('a', n)", "n += 1; print('b', n)"]
    calls = [thread.interpreter.run(thread.name, code, {}, keep) for code in codes]
    assert [execution.status for execution in await asyncio.gather(*calls)] == ["ok", "ok", "ok"]
    assert seen == ["a 1\n", "b 2\n"]


async def test_it_can_be_opened_and_closed_unused(tmp_path: Path) -> None:
    interpreter = CodeInterpreter(tmp_path / "data")
    await interpreter.close()
    interpreter = CodeInterpreter(tmp_path / "data")
    await asyncio.gather(interpreter.sandbox(), interpreter.sandbox())
    await interpreter.close()
    assert runtime_folders() == set()


async def test_output_as_careless_code_makes_it(open_interpreter: OpenInterpreter) -> None:
    thread = Thread(await open_interpreter("bubblewrap"))
    await thread.run("print('half a character: \\ud800.'); print('after')")
    assert thread.logs == "half a character: \N{REPLACEMENT CHARACTER}.\nafter\n"
    execution = await thread.run("raise ValueError('\\ud800 again')")
    assert execution.error is not None
    assert execution.error.endswith("ValueError: \N{REPLACEMENT CHARACTER} again")
    await thread.run("'\\ud800'")
    assert thread.logs == "'\\ud800'\n"
    await thread.run(
        "import sys\nfor i in range(3001): sys.stderr.write(f'\\r{i:4}/3000 |{\"#\" * (i // 100):30}|')\n"
        "print(file=sys.stderr)\nprint('x' * 70_000)"
    )
    assert "3000/3000 |##############################|\n" in thread.logs
    assert "2999/3000" not in thread.logs
    assert "x" * 70_000 in thread.logs, "what was overwritten leaves room for the rest"
    execution = await thread.run("def down(n): return down(n + 1)\ndown(0)")
    assert execution.error is not None
    assert len(execution.error) < 2000
    assert "RecursionError: maximum recursion depth exceeded" in execution.error
    assert "frames in the middle are not shown.]" in execution.error
    await thread.run("import subprocess\nsubprocess.run(['printf', r'a\\377b\\n'])")
    assert "a\N{REPLACEMENT CHARACTER}b\n" in thread.logs
