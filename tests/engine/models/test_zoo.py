"""Every behaviour of the zoo, through a real engine and real sockets, to the end of a run."""

import json

import pytest

from assistants_tui.protocol.objects import Json
from support.engines import ServedEngine, text_of
from support.model_endpoint import Reply, Request
from support.zoo import history, reasoning, streams, tool_calls
from support.zoo.behaviour import Behaviour

BEHAVIOURS = [
    *streams.BEHAVIOURS,
    *reasoning.BEHAVIOURS,
    *history.BEHAVIOURS,
    *tool_calls.BEHAVIOURS,
]


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=str)
async def test_a_run_comes_to_its_end(served_engine: ServedEngine, behaviour: Behaviour) -> None:
    def answer(request: Request) -> Reply:
        return behaviour.answer(request.body, len(served_engine.prompts) - 1)

    assert served_engine.endpoint is not None
    served_engine.endpoint.otherwise = answer
    thread = await served_engine.thread(*behaviour.questions)
    assistant = await served_engine.assistant(tools=list(behaviour.tools))
    run = (await served_engine.run(thread, assistant))[-2][1]
    called: list[Json] = []
    while run["status"] == "requires_action":
        asked = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        called += [json.loads(call["function"]["arguments"]) for call in asked]
        outputs = [{"tool_call_id": call["id"], "output": "2 m"} for call in asked]
        path = f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs"
        run = (await served_engine.events(path, {"tool_outputs": outputs}))[-2][1]
    assert run["status"] == behaviour.status, run["last_error"]
    assert behaviour.error in ((run["last_error"] or {}).get("message") or "")
    if behaviour.called is not None:
        assert called == list(behaviour.called)
    if behaviour.said is not None:
        newest = (await served_engine.listed(f"/threads/{thread}/messages"))[-1]
        assert (newest["role"], text_of(newest)) == ("assistant", behaviour.said)
