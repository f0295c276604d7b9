"""A run that searches, runs code and calls a function of the client's, all in one turn."""

import json

from support.engine import upload
from support.engines import ServedEngine, data_of, names, text_of
from support.model_endpoint import calls, says

TOOLS = [
    {"type": "file_search"},
    {"type": "code_interpreter"},
    {"type": "function", "function": {"name": "tide"}},
]


async def test_all_three_in_one_turn(served_engine: ServedEngine) -> None:
    file = await upload(served_engine.http, "ledger.md", b"The rent is due in May.")
    attachment = {"file_id": file["id"], "tools": TOOLS[:1]}
    message = {"role": "user", "content": "Go", "attachments": [attachment]}
    thread = (await served_engine.post("/threads", {"messages": [message]}))["id"]
    served_engine.replies(
        calls(
            ("file_search", json.dumps({"query": "rent"})),
            ("code_interpreter", json.dumps({"code": "print(6 * 7)"})),
            ("tide", json.dumps({"port": "Oulu"})),
        ),
        says("May【0:0†ledger.md】, 42, low."),
    )
    events = await served_engine.run(thread, await served_engine.assistant(tools=TOOLS))
    assert names(events)[-2:] == ["run.requires_action", "done"]
    run = events[-2][1]
    [asked] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert asked["function"] == {"name": "tide", "arguments": '{"port": "Oulu"}'}
    path = f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs"
    outputs = [{"tool_call_id": asked["id"], "output": "low"}]
    more = await served_engine.events(path, {"tool_outputs": outputs})

    search, code, function = more[0][1]["step_details"]["tool_calls"]
    assert [result["file_id"] for result in search["file_search"]["results"]] == [file["id"]]
    assert code["code_interpreter"]["outputs"] == [{"type": "logs", "logs": "42\n"}]
    assert function["function"]["output"] == "low"
    answer = data_of(more, "thread.message.completed")[0]
    assert text_of(answer) == "May【0:0†ledger.md】, 42, low."
    [annotation] = answer["content"][0]["text"]["annotations"]
    assert annotation["file_citation"] == {"file_id": file["id"]}
    results = [m["content"] for m in served_engine.prompts[1]["messages"] if m["role"] == "tool"]
    assert "due in May" in results[0] and results[1:] == ["42\n", "low"]
