"""Whose kernel is ended for whom, and who of those that wait is next."""

import asyncio

from assistants_tui.engine.code_interpreter import CodeInterpreter
from support.code_interpreter import OpenInterpreter, Thread
from support.patience import patience


async def call(interpreter: CodeInterpreter, owner: str, name: str, code: str = "x = 1") -> str:
    thread = Thread(interpreter, name, owner=owner)
    await thread.run(code)
    return thread.logs


async def lives(interpreter: CodeInterpreter, owner: str, name: str) -> bool:
    return await call(interpreter, owner, name, "print('x' in globals())") == "True\n"


async def test_an_idle_kernel_of_who_has_most_is_ended_before_ones_own(
    open_interpreter: OpenInterpreter,
) -> None:
    interpreter = await open_interpreter(sessions=3, sessions_per_owner=2)
    for owner, name in (("ben", "b1"), ("ann", "a1"), ("ann", "a2"), ("ben", "b2")):
        await call(interpreter, owner, name)
    for owner, name in (("ben", "b1"), ("ben", "b2"), ("ann", "a2")):
        assert await lives(interpreter, owner, name), name
    await call(interpreter, "ben", "b3")  # more than a share: one of his own has to go
    assert await lives(interpreter, "ann", "a2")
    assert await lives(interpreter, "ben", "b2")


async def test_the_only_kernel_of_somebody_is_not_ended_for_who_has_more(
    open_interpreter: OpenInterpreter,
) -> None:
    interpreter = await open_interpreter(sessions=3, sessions_per_owner=3)
    for owner, name in (("ben", "b1"), ("ann", "a1"), ("ann", "a2"), ("ann", "a3")):
        await call(interpreter, owner, name)
    assert await lives(interpreter, "ben", "b1")
    assert await lives(interpreter, "ann", "a2")
    assert await lives(interpreter, "ann", "a3")


async def test_who_has_fewest_is_next(open_interpreter: OpenInterpreter) -> None:
    interpreter = await open_interpreter(sessions=2, sessions_per_owner=2)
    busy = [Thread(interpreter, name, owner="ann") for name in ("a1", "a2")]
    running = [asyncio.create_task(thread.run("print(1)\nimport time; time.sleep(60)")) for thread in busy]
    async with asyncio.timeout(patience(30)):
        for thread in busy:
            await thread.arrived.wait()
    order: list[str] = []

    async def wait(owner: str, name: str) -> None:
        thread = Thread(interpreter, name, owner=owner)
        await thread.run("import time; time.sleep(0.2)")
        assert "Waiting to start" in thread.logs
        order.append(name)

    waiting = []
    for owner, name in (("ann", "a3"), ("ann", "a4"), ("ben", "b1")):
        waiting.append(asyncio.create_task(wait(owner, name)))
        await asyncio.sleep(0)
    await interpreter.interrupt("a1")
    await asyncio.gather(running[0], *waiting)
    assert order == ["b1", "a3", "a4"]
    await interpreter.interrupt("a2")
    await running[1]


async def test_a_kernel_that_is_not_needed_yet_does_not_wait(open_interpreter: OpenInterpreter) -> None:
    interpreter = await open_interpreter(sessions=1)
    busy = Thread(interpreter, "busy")
    running = asyncio.create_task(busy.run("print(1)\nimport time; time.sleep(60)"))
    async with asyncio.timeout(patience(30)):
        await busy.arrived.wait()
        await interpreter.prestart("other")
    assert not running.done()
    await interpreter.interrupt("busy")
    await running
