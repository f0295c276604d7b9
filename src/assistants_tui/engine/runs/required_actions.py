"""Whether a client's answer is the one that a waiting run asks for, and the calls with their outputs."""

from collections.abc import Mapping

from assistants_tui.engine.store.runs import StoredRun
from assistants_tui.protocol.objects import StepDetails, ToolCall

ANSWERED = "This run has just been answered by another request."


class OutputsRefusedError(Exception):
    """The outputs are not what the run waits for. The message is the API's."""


class DecisionRefusedError(Exception):
    """The run does not wait for a decision on this code. The message says what it does instead."""


def outputs_fault(run: StoredRun, outputs: Mapping[str, str]) -> str | None:
    """Why a run does not accept these outputs of functions, by call ID; None if it does."""
    if run["status"] != "requires_action":
        return f'Runs in status "{run["status"]}" do not accept tool outputs.'
    action = run["required_action"]
    asked = action.get("submit_tool_outputs") if action is not None else None
    if asked is None:
        return "This run does not wait for tool outputs, but for a decision on code: see approve_code."
    wanted = [call["id"] for call in asked["tool_calls"]]
    if set(wanted) != set(outputs):
        return f"Expected tool outputs for call_ids {wanted}, got {list(outputs)}"
    return None


def decision_fault(run: StoredRun, call_id: str) -> str | None:
    """Why a run does not accept a decision on the code of a call; None if it does."""
    action = run["required_action"]
    asked = action.get("approve_code") if action is not None else None
    if asked is None:
        return f'This run is in status "{run["status"]}" and does not wait for a decision on code.'
    waiting = [call["id"] for call in asked["tool_calls"]]
    if call_id not in waiting:
        return f"The run waits for a decision on {waiting}, not on {call_id!r}."
    return None


def with_outputs(details: StepDetails, outputs: Mapping[str, str]) -> StepDetails:
    """The details of a step with the outputs of its functions, by call ID."""
    calls: list[ToolCall] = [
        {**call, "function": {**call["function"], "output": outputs[call["id"]]}}
        if call["id"] in outputs
        else call
        for call in details["tool_calls"]
    ]
    return {**details, "tool_calls": calls}
