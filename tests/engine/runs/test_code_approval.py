"""Code that no sandbox confines: refused, shown to the user first, or run at the user's own risk."""

import json
from pathlib import Path
from typing import Any

import pytest

from assistants_tui.protocol.objects import Json
from support.code_interpreter import NO_SANDBOX_HERE
from support.engine import ManualClock, error_of
from support.engines import data_of, engine, names, text_of
from support.model_endpoint import calls, says
from support.patience import until

CODE = [{"type": "code_interpreter"}]
ASKING: dict[str, Any] = {"sandbox": NO_SANDBOX_HERE, "without_sandbox": "ask"}


def code(*sources: str) -> list[tuple[str, str]]:
    return [("code_interpreter", json.dumps({"code": source})) for source in sources]


def waiting(run: Json) -> Json:
    """The one call whose code a run waits for."""
    assert run["status"] == "requires_action"
    action = run["required_action"]
    assert action["type"] == "approve_code" and action["approve_code"]["reason"]
    [call] = action["approve_code"]["tool_calls"]
    return dict(call)


def path_of(run: Json) -> str:
    return f"/threads/{run['thread_id']}/runs/{run['id']}"


def decision(call: Json, what: str, **more: str) -> Json:
    return {"tool_call_id": call["id"], "decision": what, **more}


async def test_each_block_is_asked_about_and_may_be_changed_or_rejected(tmp_path: Path) -> None:
    making = "keep = 2\nwritten = open('/mnt/data/kept.txt', 'w').write('kept')\nprint('first')"
    replies = (
        calls(*code(making, "print('second')"), ("tide", "{}"), text="Let me see."),
        calls(*code("print(keep * 20)")),
        says("Here: sandbox:/mnt/data/kept.txt"),
    )
    async with engine(tmp_path, *replies, **ASKING) as served:
        tools = [*CODE, {"type": "function", "function": {"name": "tide"}}]
        thread = await served.thread("Go")
        events = await served.run(thread, await served.assistant(tools=tools))
        assert names(events)[-2:] == ["run.requires_action", "done"]
        run = events[-2][1]
        first = waiting(run)
        assert first["code_interpreter"] == {"input": making}
        path = f"{path_of(run)}/approve_code"
        refused = [
            await served.http.post(f"{path_of(run)}/submit_tool_outputs", json={"tool_outputs": []}),
            await served.http.post(path, json=decision({"id": "call_none"}, "run")),
            await served.http.post(path, json=decision(first, "maybe")),
            await served.http.post(path, json=decision(first, "reject", code="1")),
            await served.http.post(path.replace(run["id"], "run_none"), json=decision(first, "run")),
        ]
        assert [answer.status_code for answer in refused] == [400, 400, 400, 400, 404]
        assert "approve_code" in error_of(refused[0])["message"]
        step = (await served.listed(f"{path_of(run)}/steps"))[-1]
        assert step["status"] == "in_progress"
        assert step["step_details"]["tool_calls"][0]["id"] == first["id"]

        edited = making.replace("first", "edited")
        events = await served.events(path, decision(first, "run", code=edited))
        second = waiting(events[-2][1])
        assert second["code_interpreter"] == {"input": "print('second')"}
        events = await served.events(path, decision(second, "reject", reason="No need."))
        [function] = events[-2][1]["required_action"]["submit_tool_outputs"]["tool_calls"]
        answer = await served.http.post(path, json=decision(second, "run"))
        assert answer.status_code == 400
        assert "does not wait" in error_of(answer)["message"]

        outputs = [{"tool_call_id": function["id"], "output": "low"}]
        events = await served.events(f"{path_of(run)}/submit_tool_outputs", {"tool_outputs": outputs})
        [step] = data_of(events, "thread.run.step.completed")
        assert step["metadata"]["sandbox"] == "unconfined"
        assert step["metadata"]["sandbox_says"].startswith("NOT SANDBOXED")
        ran, rejected, _ = step["step_details"]["tool_calls"]
        assert ran["code_interpreter"]["input"] == edited
        assert ran["code_interpreter"]["outputs"][0]["logs"].endswith("before running it.]\nedited\n")
        told = '[The user did not let this code run. Their reason: "No need."]\n'
        assert rejected["code_interpreter"]["outputs"] == [{"type": "logs", "logs": told}]

        third = waiting(events[-2][1])
        assert (await served.post(path, decision(third, "run")))["status"] == "queued"
        run = await served.settled(thread, run["id"])
        assert run["status"] == "completed", run["last_error"]
        results = [[m["content"] for m in p["messages"] if m["role"] == "tool"] for p in served.prompts]
        assert results[1][1:] == [told, "low"]
        assert results[2][-1] == "40\n", "variables stay between the waits"
        spoken = [m["content"] for m in served.prompts[2]["messages"] if m["role"] == "assistant"]
        assert spoken == ["Let me see.", None]
        [link] = (await served.listed(f"/threads/{thread}/messages"))[-1]["content"][0]["text"]["annotations"]
        assert link["text"] == "sandbox:/mnt/data/kept.txt", "what code made before a wait is linked after it"
        assert run["usage"]["total_tokens"] == 27 + 27 + 15


async def test_code_that_waits_can_be_cancelled_expires_and_survives_its_engine(tmp_path: Path) -> None:
    clock = ManualClock()
    replies = [calls(*code("print(6 * 7)")) for _ in range(3)]
    async with engine(tmp_path, *replies, clock=clock, **ASKING) as served:
        assistant = await served.assistant(tools=CODE)
        run = (await served.run(await served.thread("Go"), assistant))[-2][1]
        late = decision(waiting(run), "run")
        assert (await served.post(f"{path_of(run)}/cancel"))["status"] == "cancelling"
        assert (await served.settled(run["thread_id"], run["id"]))["status"] == "cancelled"
        answer = await served.http.post(f"{path_of(run)}/approve_code", json=late)
        assert answer.status_code == 400
        assert '"cancelled"' in error_of(answer)["message"]

        run = (await served.run(await served.thread("Go"), assistant))[-2][1]
        clock.now += 600
        assert (await served.get(path_of(run)))["status"] == "expired"
        assert (await served.listed(f"{path_of(run)}/steps"))[0]["status"] == "expired"

        run = (await served.run(await served.thread("Go"), assistant))[-2][1]
        asked = waiting(run)
    async with engine(tmp_path, says("42."), clock=clock, **ASKING) as served:
        assert waiting(await served.get(path_of(run))) == asked
        events = await served.events(f"{path_of(run)}/approve_code", decision(asked, "run"))
        assert names(events)[-2:] == ["run.completed", "done"]
        assert text_of(data_of(events, "thread.message.completed")[0]) == "42."
        assert served.prompts[0]["messages"][-1]["content"].endswith("42\n")


@pytest.mark.parametrize(
    ("how", "logs", "sandbox"),
    [
        ("refuse", "[Code interpreter is off: this computer has no usable sandbox.", "none"),
        ("run", "42\n", "unconfined"),
    ],
)
async def test_nobody_is_asked_where_nobody_can_answer(
    tmp_path: Path, how: Any, logs: str, sandbox: str
) -> None:
    replies = calls(*code("print(6 * 7)")), says("Done.")
    async with engine(tmp_path, *replies, sandbox=NO_SANDBOX_HERE, without_sandbox=how) as served:
        events = await served.run(await served.thread("Go"), await served.assistant(tools=CODE))
        step = data_of(events, "thread.run.step.completed")[0]
        [output] = step["step_details"]["tool_calls"][0]["code_interpreter"]["outputs"]
        assert output["logs"].startswith(logs)
        assert step["metadata"]["sandbox"] == sandbox
        assert names(events)[-2:] == ["run.completed", "done"], "the run goes on either way"


async def test_a_decision_may_come_before_the_kernel_is_up(tmp_path: Path) -> None:
    """A kernel is started while the model still writes its code, and may start longer than a user decides."""
    source = "print('begun', flush=True)\nimport time\ntime.sleep(600)"
    async with engine(tmp_path, calls(*code(source)), **ASKING) as served:
        path = f"/threads/{await served.thread('Go')}/runs"
        assistant = await served.assistant(tools=CODE)
        async with served.streaming(path, {"assistant_id": assistant}) as first:
            run = await anext(data async for name, data in first if name == "thread.run.requires_action")
            path, body = f"{path_of(run)}/approve_code", decision(waiting(run), "run")
            async with served.streaming(path, body) as second:
                await anext(name async for name, _ in second if name == "thread.run.step.delta")

                async def begun() -> bool:
                    return "begun" in str(await served.listed(f"{path_of(run)}/steps"))

                await until("the code has begun", begun)
                assert (await served.post(f"{path_of(run)}/cancel"))["status"] == "cancelling"
                assert [name async for name, _ in second][-2:] == ["thread.run.cancelled", "done"]
            assert [name async for name, _ in first] == ["done"]
