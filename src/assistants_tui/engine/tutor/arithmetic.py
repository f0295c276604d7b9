"""Computes numbers: `12 * (3 + 4)`, `15% of 80`, `2 to the power of 10`."""

from assistants_tui.engine.tutor import programs, reading
from assistants_tui.engine.tutor.conversation import Call, Conversation, Reply, Say
from assistants_tui.engine.tutor.expressions import NotAnExpressionError


def reply(talk: Conversation) -> Reply | None:
    """The next step towards the value of the calculation in the question; None if there is none."""
    found = reading.calculation(talk.question)
    if found is None:
        return None
    text, tree = found
    try:
        code = programs.calculation(text, tree)
    except NotAnExpressionError:
        return None
    if talk.code_tool is None:
        return Say(programs.NO_CODE_TOOL)
    outputs = talk.outputs()
    if not outputs:
        return [Call(talk.code_tool, {"code": code})]
    results = [line.removeprefix("result ") for line in programs.answers(outputs[-1])]
    if not results:
        return Say(programs.failure(outputs[-1]))
    return Say(f"`{text}` **{results[0]}**" + "".join(f" {more}" for more in results[1:]) + ".")
