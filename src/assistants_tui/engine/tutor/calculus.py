"""Derivatives and integrals: `the derivative of x^3 + 2x`, `integrate sin(t) dt from 0 to pi`."""

import re
from dataclasses import dataclass

from assistants_tui.engine.tutor import expressions, programs, reading
from assistants_tui.engine.tutor.conversation import Call, Conversation, Reply, Say
from assistants_tui.engine.tutor.expressions import Expression

_ASKED = re.compile(
    r"\b(?:(?P<integral>antiderivative|integral|integrate)|derivative|differentiate)\b(?P<rest>.+)",
    re.IGNORECASE | re.DOTALL,
)
_VARIABLE = re.compile(r"\b(?:with respect to|by|in)\s+`?([a-z])\b`?|\bd([a-z])\b", re.IGNORECASE)
_LIMITS = re.compile(
    r"\b(?:from|between)\s+(.+?)\s+(?:to|and)\s+(.+?)(?=[?!,;`]|\.(?!\d)|\s+(?:of|with)\b|$)", re.I
)


@dataclass(frozen=True)
class _Task:
    """What is asked for, and of what. `limits`: those of a definite integral."""

    integral: bool
    text: str
    tree: Expression
    variable: str
    limits: tuple[Expression, Expression] | None


def reply(talk: Conversation) -> Reply | None:
    """The next step towards the derivative or integral in the question; None if there is none."""
    task = _task(talk.question)
    if task is None:
        return None
    if talk.code_tool is None:
        return Say(programs.NO_CODE_TOOL)
    outputs = talk.outputs()
    if not outputs:
        return [Call(talk.code_tool, {"code": _program(task)})]
    return Say(_answer(task, outputs[-1]))


def _task(question: str) -> _Task | None:
    asked = _ASKED.search(question)
    if asked is None:
        return None
    rest, limits, variable = reading.in_few_words(asked["rest"]), None, ""
    if asked["integral"] and (found := _LIMITS.search(rest)) is not None:
        ends = [reading.expression(end) for end in found.groups()]
        if ends[0] is not None and ends[1] is not None:
            limits = ends[0][1], ends[1][1]
            rest = f"{rest[: found.start()]} {rest[found.end() :]}"
    if (named := _VARIABLE.search(rest)) is not None:
        variable = (named[1] or named[2]).lower()
        rest = f"{rest[: named.start()]} {rest[named.end() :]}"
    function = reading.expression(rest)
    if function is None:
        return None
    text, tree = function
    letters = expressions.letters(tree) - {"e"}
    variable = variable or ("x" if "x" in letters or not letters else min(letters))
    return _Task(bool(asked["integral"]), text, tree, variable, limits)


def _program(task: _Task) -> str:
    names = sorted((expressions.letters(task.tree) | {task.variable}) - {"e"})
    by = task.variable
    if task.limits is not None:
        low, high = map(programs.for_sympy, task.limits)
        how = f"integrate(f, ({by}, {low}, {high}))"
    else:
        how = f"integrate(f, {by})" if task.integral else f"diff(f, {by})"
    return f"""\
from sympy import *

[{", ".join(names)}] = symbols("{" ".join(names)}", seq=True)
e = E
# {task.text}
f = {programs.for_sympy(task.tree)}
result = simplify({how})
print("result =", result)
if result.is_number and not result.is_Rational:
    print("result ≈", result.evalf(6))
"""


def _answer(task: _Task, output: str) -> str:
    found = [line.removeprefix("result = ") for line in programs.answers(output)]
    if not found:
        return programs.failure(output)
    if "Integral(" in found[0]:
        return f"`{task.text}` has an integral, but no formula for it that I could find."
    result = found[0].replace("**", "^").replace("*", "·") + (
        " + C" if task.integral and task.limits is None else ""
    )
    kind = "derivative" if not task.integral else "integral"
    near = "".join(f", which is {line.removeprefix('result ')}" for line in found[1:])
    return f"The {kind} of `{task.text}` with respect to {task.variable} is **{result}**{near}."
