"""What steps say about the sandbox of their code, and steps of servers that say anything at all."""

from typing import Any, cast

from hypothesis import given

from assistants_tui.protocol.objects import RunStep
from assistants_tui.service.runs import sandboxes
from assistants_tui.service.runs.sandboxes import StepSandbox
from support.hostile import damaged

REFUSED = "[No sandbox works here. It comes with the extra 'code' of assistants-tui.]\n"


def step(**changes: Any) -> RunStep:
    said = {
        "id": "step_1",
        "metadata": {"sandbox": "none", "sandbox_says": "Nothing confines it."},
        "step_details": {
            "type": "tool_calls",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "code_interpreter",
                    "code_interpreter": {"input": "1", "outputs": [{"type": "logs", "logs": REFUSED}]},
                }
            ],
        },
    }
    return cast(RunStep, said | changes)


def test_a_refusal_is_given_in_the_words_of_the_engine() -> None:
    assert sandboxes.of(step()) == StepSandbox("none", "Nothing confines it.")
    refusal = sandboxes.refusal(step())
    assert refusal == "No sandbox works here. It comes with the extra 'code' of assistants-tui."
    assert sandboxes.refusal(step(step_details={})) == "Nothing confines it."
    assert sandboxes.lacks_packages([step(step_details={}), step()])
    hosted = step(metadata=None)
    assert (sandboxes.of(hosted), sandboxes.refusal(hosted)) == (None, None)


@given(damaged(cast(dict[str, Any], step())))
def test_steps_of_any_shape_are_survived(said: dict[str, Any]) -> None:
    one = cast(RunStep, said)
    found = sandboxes.of(one)
    assert found is None or (isinstance(found.name, str) and isinstance(found.sentence, str))
    assert isinstance(sandboxes.refusal(one), str | None)
    sandboxes.lacks_packages([one])


def test_lists_and_numbers_in_place_of_objects_are_survived() -> None:
    shapes: list[Any] = [3, "x", [3], [[]], {"tool_calls": 3}, {"tool_calls": [3, {"code_interpreter": [1]}]}]
    for wrong in shapes:
        assert sandboxes.of(step(metadata=wrong)) is None
        assert sandboxes.refusal(step(step_details=wrong)) == "Nothing confines it."
    outputs = {"tool_calls": [{"code_interpreter": {"outputs": [3, {"logs": [1]}]}}]}
    assert sandboxes.refusal(step(step_details=outputs)) == "Nothing confines it."
    assert sandboxes.of(step(metadata={"sandbox": [1]})) is None
