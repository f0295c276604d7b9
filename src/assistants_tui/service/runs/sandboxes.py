"""What run steps say about how their code was kept from the rest of the computer.

The hosted API says nothing of the kind. The engine of this program says it in the metadata of the step.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from assistants_tui.service.wire import RunStep

_WITHOUT_EXTRA = "It comes with the extra 'code' of assistants-tui"
"""How the engine of this program says it in the logs."""


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
    return next(filter(None, _logs(step)), sandbox.sentence).strip().removeprefix("[").removesuffix("]")


def lacks_packages(steps: Iterable[RunStep]) -> bool:
    """Whether code wanted a package of the extra `code` that the engine does not have."""
    return any(_WITHOUT_EXTRA in logs for step in steps for logs in _logs(step))


def _logs(step: RunStep) -> list[str]:
    return [
        output.get("logs") or ""
        for call in step["step_details"].get("tool_calls") or ()
        for output in (call.get("code_interpreter") or {}).get("outputs") or ()
    ]
