"""What a strict function is called with fits its schema before a client hears of the call."""

from typing import Any

import pytest

from assistants_tui.engine.runs.strict_arguments import MAX_REFUSALS, NOT_CALLED, StrictFunctions
from assistants_tui.protocol.objects import Json
from support.engine import error_of
from support.engines import ServedEngine, data_of, names, text_of
from support.model_endpoint import calls, says

SCHEMA: Json = {
    "type": "object",
    "properties": {"port": {"type": "string", "enum": ["Oulu", "Vaasa"]}},
    "required": ["port"],
    "additionalProperties": False,
}


def function(name: str = "tide", *, strict: bool = True) -> Json:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, "strict": strict}}


@pytest.mark.parametrize(
    ("arguments", "says_so"),
    [
        ('{"port": "Oulu"}', None),
        ('{"port": "Rome", "port": "Oulu"}', None),
        ('{"port": "Rome"}', "do not fit its schema: at $.port, 'enum'"),
        ('{"port": "Oulu", "day": 1}', "at $, 'additionalProperties'"),
        ("{}", "at $, 'required'"),
        ('["Oulu"]', "at $, 'type'"),
        ('{"port": "Ou', "are not valid JSON"),
        ("[" * 100_000, "are not valid JSON"),
    ],
)
def test_faults(arguments: str, says_so: str | None) -> None:
    fault = StrictFunctions([function()]).fault("tide", arguments)
    assert fault is None if says_so is None else fault is not None and says_so in fault
    assert StrictFunctions([function(strict=False)]).fault("tide", arguments) is None


def test_a_pattern_that_makes_others_go_back_for_ever() -> None:
    parameters: Json = {"type": "object", "properties": {"port": {"pattern": "^(a+)+$"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters, "strict": True}}
    wrong = '{"port": "' + "a" * 10_000 + '!"}'
    assert "at $.port, 'pattern' does not hold" in (StrictFunctions([tool]).fault("f", wrong) or "")


def test_arguments_of_very_many_values() -> None:
    fault = StrictFunctions([function()]).fault("tide", '{"port": [' + "[]," * 500_000 + "[]]}")
    assert fault == "The arguments of 'tide' have more than 100,000 values."


def asked(events: list[Any]) -> list[str]:
    """The arguments that a client is asked to call functions with."""
    [run] = data_of(events, "thread.run.requires_action")
    made = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    return [call["function"]["arguments"] for call in made]


@pytest.mark.parametrize("made", ['"{\\"port\\": \\"Oulu\\"}"', '{"port": "Oulu"}{"port": "Oulu"}'])
async def test_arguments_that_can_only_mean_what_fits(served_engine: ServedEngine, made: str) -> None:
    served_engine.replies(calls(("tide", made)))
    assistant = await served_engine.assistant(tools=[function()])
    events = await served_engine.run(await served_engine.thread("How high?"), assistant)
    assert asked(events) == ['{"port": "Oulu"}']


async def test_the_model_is_asked_again(served_engine: ServedEngine) -> None:
    served_engine.replies(
        calls(("tide", '{"port": "Rome"}')),
        calls(("tide", '{"port": "Oulu"')),
        calls(("tide", '{"port": "Oulu"}')),
    )
    assistant = await served_engine.assistant(tools=[function()])
    events = await served_engine.run(await served_engine.thread("How high?"), assistant)
    # Nothing of the refused calls was told: the stream is that of one call.
    assert names(events) == [
        *("run.created", "run.queued", "run.in_progress", "run.step.created", "run.step.in_progress"),
        *("run.step.delta", "run.requires_action", "done"),
    ]
    assert asked(events) == ['{"port": "Oulu"}']
    first, second = served_engine.prompts[1:]
    assert "do not fit its schema: at $.port" in first["messages"][-1]["content"]
    assert "not valid JSON" in second["messages"][-1]["content"]
    assert first["messages"][-2]["tool_calls"][0]["function"]["arguments"] == '{"port": "Rome"}'


async def test_the_run_goes_on_with_what_is_called_right(served_engine: ServedEngine) -> None:
    served_engine.replies(calls(("tide", '{"port": "x"}')), calls(("tide", '{"port": "Vaasa"}')))
    assistant = await served_engine.assistant(tools=[function()])
    thread = await served_engine.thread("How high?")
    events = await served_engine.run(thread, assistant)
    [run] = data_of(events, "thread.run.requires_action")
    [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    served_engine.replies(says("0.2 m"))
    outputs = [{"tool_call_id": call["id"], "output": "0.2"}]
    path = f"/threads/{thread}/runs/{run['id']}"
    await served_engine.post(f"{path}/submit_tool_outputs", {"tool_outputs": outputs})
    ended = await served_engine.settled(thread, run["id"])
    assert ended["status"] == "completed" and ended["usage"]["prompt_tokens"] == 20 + 20 + 10
    assert text_of((await served_engine.listed(f"/threads/{thread}/messages"))[-1]) == "0.2 m"


async def test_one_wrong_call_holds_back_those_beside_it(served_engine: ServedEngine) -> None:
    """A client would answer them, and the model would never hear of the wrong one."""
    both = (("tide", '{"port": "Oulu"}'), ("weather", '{"port": "x"}'))
    right = (("tide", '{"port": "Oulu"}'), ("weather", '{"anything": 1}'))
    served_engine.replies(calls(("weather", "{}"), ("tide", "{}")), calls(*both), calls(*right))
    assistant = await served_engine.assistant(tools=[function(), function("weather", strict=False)])
    events = await served_engine.run(await served_engine.thread("How high?"), assistant)
    told = [message["content"] for message in served_engine.prompts[1]["messages"][-2:]]
    assert told[0] == NOT_CALLED and "at $, 'required'" in told[1]
    assert asked(events) == ['{"port": "Oulu"}', '{"port": "x"}']


async def test_a_model_that_never_learns(served_engine: ServedEngine) -> None:
    served_engine.replies(*[calls(("tide", "{}"))] * (MAX_REFUSALS + 1))
    assistant = await served_engine.assistant(tools=[function()])
    events = await served_engine.run(await served_engine.thread("How high?"), assistant)
    [run] = data_of(events, "thread.run.failed")
    assert run["last_error"] == {
        "code": "server_error",
        "message": "The model called functions wrongly 3 times. The last time: "
        "The arguments of 'tide' do not fit its schema: at $, 'required' does not hold.",
    }
    assert not data_of(events, "thread.run.step.created")


async def test_a_schema_that_is_none(served_engine: ServedEngine) -> None:
    wrong: Json = {"type": "object", "properties": {"port": {"type": "text"}}}
    for strict, status in ((True, 400), (False, 200)):
        tool = {"type": "function", "function": {"name": "f", "parameters": wrong, "strict": strict}}
        response = await served_engine.http.post("/assistants", json={"model": "m", "tools": [tool]})
        assert response.status_code == status
        if strict:
            error = error_of(response)
            assert (error["code"], error["param"]) == (
                "invalid_function_parameters",
                "tools[0].function.parameters",
            )
