"""Ending children that may just have ended by themselves."""

import asyncio
import signal

from assistants_tui.engine import child_process


async def test_a_child_that_has_just_ended_keeps_its_exit_code() -> None:
    for _ in range(300):  # the library's own way loses one of fifty
        child = await asyncio.create_subprocess_exec(
            *("sh", "-c", "kill -XCPU $$"), stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        await child.stdout.read()
        child_process.kill(child)
        assert await child.wait() == -signal.SIGXCPU
        child_process.kill(child)


async def test_a_child_that_goes_on_is_ended() -> None:
    child = await asyncio.create_subprocess_exec("sleep", "1000")
    child_process.kill(child)
    assert await child.wait() == -signal.SIGKILL
