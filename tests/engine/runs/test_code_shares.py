"""Users of one service share its kernels: one who takes all he can get leaves some to the others."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from assistants_tui.engine.code_interpreter import Limits
from support.engines import BETA, ServedEngine, data_of, engine
from support.model_endpoint import Reply, calls, says
from support.patience import until

TOOLS = [{"type": "code_interpreter"}]
SLEEP = "import time\nprint('at work', flush=True)\ntime.sleep(100)"
MINE = "[Waiting to start: as much code of yours is running as may run at once (1).]\n"


@pytest.fixture
async def users(tmp_path: Path) -> AsyncIterator[tuple[ServedEngine, ServedEngine]]:
    """A service with two kernels, as two users with keys of their own see it."""
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(
            engine(tmp_path, api_keys={"key-a": "ann", "key-b": "ben"}, code_limits=Limits(sessions=2))
        )
        ann, ben = [
            await stack.enter_async_context(
                httpx2.AsyncClient(
                    base_url=f"{served.url}/v1",
                    headers={**BETA, "Authorization": f"Bearer {key}"},
                    timeout=60,
                )
            )
            for key in ("key-a", "key-b")
        ]
        yield replace(served, http=ann), replace(served, http=ben)


def code(text: str) -> Reply:
    return calls(("code_interpreter", json.dumps({"code": text})))


async def begin(user: ServedEngine, *replies: Reply) -> tuple[str, str]:
    """A new thread and a run in it that has this answer of the model."""
    user.replies(*replies)
    assistant, thread = await user.assistant(tools=TOOLS), await user.thread("Go")
    run = await user.post(f"/threads/{thread}/runs", {"assistant_id": assistant})
    return thread, run["id"]


async def logs(user: ServedEngine, thread: str, run: str) -> str:
    """What the code of a run has put out so far."""
    found: list[dict[str, Any]] = []
    for step in await user.listed(f"/threads/{thread}/runs/{run}/steps"):
        for call in step["step_details"].get("tool_calls", ()):
            found += call["code_interpreter"]["outputs"]
    return "".join(output["logs"] for output in found)


async def until_put_out(user: ServedEngine, thread: str, run: str, expected: str) -> None:
    async def put_out() -> bool:
        return expected in await logs(user, thread, run)

    await until(f"the code has put out {expected!r}", put_out, seconds=60)


async def test_one_user_does_not_take_all_kernels(users: tuple[ServedEngine, ServedEngine]) -> None:
    ann, ben = users
    first = await begin(ann, code(SLEEP))
    await until_put_out(ann, *first, "at work")
    second = await begin(ann, code("print('second')"))
    await until_put_out(ann, *second, MINE)  # told while it waits

    ben.replies(code("print('of ben')"), says("Done."))
    events = await ben.run(await ben.thread("Go"), await ben.assistant(tools=TOOLS))
    [call] = data_of(events, "thread.run.step.completed")[0]["step_details"]["tool_calls"]
    assert call["code_interpreter"]["outputs"] == [{"type": "logs", "logs": "of ben\n"}]
    assert await logs(ann, *second) == MINE

    ann.replies(says("Done."))
    await ann.post(f"/threads/{first[0]}/runs/{first[1]}/cancel")
    await until_put_out(ann, *second, "second")
    assert await logs(ann, *second) == f"{MINE}second\n"


async def test_a_run_that_waits_can_be_cancelled(users: tuple[ServedEngine, ServedEngine]) -> None:
    ann, _ = users
    first = await begin(ann, code(SLEEP))
    await until_put_out(ann, *first, "at work")
    thread, run = await begin(ann, code("print('second')"))
    await until_put_out(ann, thread, run, MINE)
    await ann.post(f"/threads/{thread}/runs/{run}/cancel")

    async def cancelled() -> bool:
        status: str = (await ann.get(f"/threads/{thread}/runs/{run}"))["status"]
        return status == "cancelled"

    await until("the run is cancelled", cancelled)
    assert "second" not in (await logs(ann, thread, run)).removeprefix(MINE)


async def test_the_shares_are_used_up_by_one_who_is_alone(tmp_path: Path) -> None:
    async with engine(tmp_path, code_limits=Limits(sessions=2)) as alone:
        runs = []
        for _ in range(2):
            runs.append(await begin(alone, code(SLEEP)))
            await until_put_out(alone, *runs[-1], "at work")
        thread, run = await begin(alone, code("1"))
        await until_put_out(alone, thread, run, "as much code is running here as may run at once (2).]")
