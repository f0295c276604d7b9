"""The kernel of a run's first code starts while the model is still writing that code."""

import asyncio
import json

from support.engines import ServedEngine, data_of, names
from support.model_endpoint import DONE, Reply, chunk, says
from support.patience import until
from support.processes import running


def kernels() -> set[int]:
    """The processes below this one that listen for code."""
    return {process.pid for process in running("connection_file")}


async def test_the_kernel_is_there_before_the_code_is(served_engine: ServedEngine) -> None:
    written = asyncio.Event()
    begun = {"index": 0, "id": "call_1", "type": "function"}
    code = json.dumps({"code": "print(6 * 7)"})
    served_engine.replies(
        Reply(
            [
                chunk({"tool_calls": [{**begun, "function": {"name": "code_interpreter", "arguments": ""}}]}),
                chunk({"tool_calls": [{"index": 0, "function": {"arguments": code[:12]}}]}),
                written,  # the model thinks about the rest
                chunk({"tool_calls": [{"index": 0, "function": {"arguments": code[12:]}}]}),
                chunk(finish_reason="tool_calls"),
                DONE,
            ]
        ),
        says("42."),
    )
    before = kernels()
    assistant = await served_engine.assistant(tools=[{"type": "code_interpreter"}])
    thread = await served_engine.thread("Go")
    run = asyncio.create_task(served_engine.run(thread, assistant))
    path = f"/threads/{thread}/runs"
    await until("the run is there", lambda: served_engine.listed(path))
    path += f"/{(await served_engine.listed(path))[0]['id']}/steps"
    await until("its step is there", lambda: served_engine.listed(path))
    step = (await served_engine.listed(path))[0]
    assert step["metadata"]["sandbox_says"], "what will confine the code is told before it runs"
    await until("a kernel is there", lambda: kernels() - before)
    early = kernels() - before
    written.set()
    events = await run
    assert names(events)[-2:] == ["run.completed", "done"]
    step = data_of(events, "thread.run.step.completed")[0]
    [output] = step["step_details"]["tool_calls"][0]["code_interpreter"]["outputs"]
    assert output["logs"] == "42\n"
    assert early <= kernels(), "the code ran in that kernel"
