"""What run steps say about how their code was kept from the rest of the computer.

The hosted API says nothing of the kind. The engine of this program says it in the metadata of the step.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from assistants_tui.protocol.objects import RunStep

_WITHOUT_EXTRA = "It comes with the extra 'code' of assistants-tui"
"""How the engine of this program says it in the logs."""


@dataclass(frozen=True, slots=True)
class StepSandbox:
    name: str
    """`none`: the code was refused. `unconfined`: it ran without any."""
    sentence: str


def of(step: RunStep) -> StepSandbox | None:
    """The sandbox of a step's code; None if the server says nothing about it."""
    said = _dict(step.get("metadata"))
    name = _text(said.get("sandbox"))
    return StepSandbox(name, _text(said.get("sandbox_says"))) if name else None


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
        _text(_dict(output).get("logs"))
        for call in _list(_dict(step.get("step_details")).get("tool_calls"))
        for output in _list(_dict(_dict(call).get("code_interpreter")).get("outputs"))
    ]


# Servers of others send what they like.


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
