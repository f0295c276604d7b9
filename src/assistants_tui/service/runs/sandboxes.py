"""What run steps say about how their code was kept from the rest of the computer.

The hosted API says nothing of the kind. The engine of this program says it in the metadata of the step.
"""

from dataclasses import dataclass

from assistants_tui.service.wire import RunStep


@dataclass(frozen=True, slots=True)
class StepSandbox:
    name: str
    """`none`: the code was refused. `unconfined`: it ran without any."""
    sentence: str


def of(step: RunStep) -> StepSandbox | None:
    """The sandbox of a step's code; None if the server says nothing about it."""
    said = step.get("metadata") or {}
    name = said.get("sandbox")
    return StepSandbox(name, said.get("sandbox_says", "")) if name else None


def refusal(step: RunStep) -> str | None:
    """Why the code of a step was refused, in the engine's words; None if it was not."""
    sandbox = of(step)
    if sandbox is None or sandbox.name != "none":
        return None
    outputs = [
        output.get("logs") or ""
        for call in step["step_details"].get("tool_calls") or ()
        for output in (call.get("code_interpreter") or {}).get("outputs") or ()
    ]
    return next(filter(None, outputs), sandbox.sentence).strip().removeprefix("[").removesuffix("]")
