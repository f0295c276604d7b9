"""Solves equations: one unknown of any degree, and systems of linear equations."""

import re
from fractions import Fraction

from assistants_tui.engine.tutor import expressions, programs, reading
from assistants_tui.engine.tutor.conversation import Call, Conversation, Reply, Say
from assistants_tui.engine.tutor.expressions import (
    Expression,
    NotAnExpressionError,
    NotPolynomialError,
    Number,
    Operation,
)

_MAX_UNKNOWNS = 8


def reply(talk: Conversation) -> Reply | None:
    """The next step towards the solution of the equations in the question; None if there are none."""
    found = reading.equations(talk.question)
    task = _Task([text for text, _ in found], [sides for _, sides in found])
    unknowns = sorted(
        {letter for sides in task.sides for side in sides for letter in expressions.letters(side)}
    )
    if not found or len(unknowns) > _MAX_UNKNOWNS:
        return None
    if talk.code_tool is None:
        return Say(programs.NO_CODE_TOOL)
    if len(unknowns) > len(task.sides):
        return Say(_too_few(unknowns, len(task.sides)))
    try:
        wanted = _programs(task, unknowns)
    except NotAnExpressionError:
        return None
    outputs = talk.outputs()
    # The next program is for when the one before lacked a library, or its library could not do it.
    if not outputs or (len(outputs) < len(wanted) and programs.has_failed(outputs[-1])):
        return [Call(talk.code_tool, {"code": wanted[len(outputs)]})]
    return Say(_answer(task, unknowns, outputs[-1]))


class _Task:
    """Equations as they were written, and their sides."""

    def __init__(self, texts: list[str], sides: list[tuple[Expression, Expression]]) -> None:
        self.texts = texts
        self.sides = sides

    @property
    def differences(self) -> list[Expression]:
        """Each equation as an expression that is to be zero."""
        return [Operation("-", left, right) for left, right in self.sides]


def _programs(task: _Task, unknowns: list[str]) -> list[str]:
    """Programs that solve it; the later ones are for when the earlier ones lack a library."""
    try:
        polynomials = [expressions.polynomial(tree) for tree in task.differences]
    except NotPolynomialError:
        polynomials = []
    degrees = [expressions.degree(coefficients) for coefficients in polynomials]
    first, sides = task.texts[0], task.sides[0]
    match len(task.sides), len(unknowns), degrees:
        case _, 0, _:
            program = programs.comparison(first, sides)
        case 1, 1, [0]:
            # The unknown falls out, and what is left is true or false.
            rest = Number(str(polynomials[0].get((), 0)))
            program = programs.comparison(first, (rest, Number("0")))
        case 1, 1, [1]:
            program = programs.linear(first, sides, unknowns[0])
        case 1, 1, [2]:
            program = programs.quadratic(first, sides, unknowns[0])
        case 1, 1, [degree]:
            powers = [((unknowns[0], n),) if n else () for n in range(degree, -1, -1)]
            coefficients = [polynomials[0].get(power, Fraction(0)) for power in powers]
            program = programs.polynomial(first, coefficients, unknowns[0])
        case _, _, [*_] if degrees and max(degrees) <= 1:
            program = programs.system(task.texts, task.sides, unknowns)
        case count, _, _:
            program = programs.with_sympy(task.texts, task.sides, unknowns)
            if count == 1:
                return [program, programs.numeric(first, sides, unknowns[0])]
    return [program]


def _answer(task: _Task, unknowns: list[str], output: str) -> str:
    lines = programs.answers(output)
    if not lines:
        return programs.failure(output)
    if lines[0] in ("true", "false"):
        return f"`{task.texts[0]}` is **{lines[0]}**" + (f", whatever {unknowns[0]} is." if unknowns else ".")
    solutions = [line for line in lines if re.match(r"\w+ [=≈] ", line)]
    if not solutions:
        return f"{lines[0]}, says the calculation."
    shown = ", ".join(f"**{line}**" for line in solutions)
    what = "The solution is" if len(unknowns) == len(solutions) else "The solutions are"
    parts = [f"{what} {shown}."]
    if len(task.sides) == 1 and len(unknowns) == 1 and (steps := _steps(task, unknowns[0], solutions[0])):
        numbered = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))
        parts.append(f"Step by step:\n\n{numbered}")
    checks = [line.removeprefix("check: ") for line in output.splitlines() if line.startswith("check: ")]
    if checks:
        parts.append("Putting it back in: " + "; ".join(f"`{check}`" for check in checks) + ".")
    return "\n\n".join(parts)


def _steps(task: _Task, unknown: str, solution: str) -> list[str]:
    """How to solve a linear equation by hand; empty for others."""
    try:
        left, right = (expressions.polynomial(side) for side in task.sides[0])
    except NotPolynomialError:
        return []
    key = ((unknown, 1),)
    a, b, c, d = (side.get(which, Fraction(0)) for side in (left, right) for which in (key, ()))
    if not set(left) | set(right) <= {key, ()} or a == c:
        return []
    steps = [f"Write the equation: `{_side(a, b, unknown)} = {_side(c, d, unknown)}`."]
    if c:
        a, c = a - c, Fraction(0)
        steps.append(f"Bring every {unknown} to the left: `{_side(a, b, unknown)} = {_side(c, d, unknown)}`.")
    if b:
        word, size, way = ("Subtract", b, "from") if b > 0 else ("Add", -b, "to")
        d, b = d - b, Fraction(0)
        steps.append(f"{word} {size} {way} both sides: `{_side(a, b, unknown)} = {d}`.")
    if a not in (0, 1):
        steps.append(f"Divide both sides by {a}: `{solution}`.")
    return steps


def _side(slope: Fraction, constant: Fraction, unknown: str) -> str:
    if not slope:
        return str(constant)
    factor = {Fraction(1): "", Fraction(-1): "-"}.get(
        slope, str(slope) if slope.denominator == 1 else f"({slope})"
    )
    if not constant:
        return f"{factor}{unknown}"
    return f"{factor}{unknown} {'+' if constant > 0 else '-'} {abs(constant)}"


def _too_few(unknowns: list[str], equations: int) -> str:
    names = " and ".join((", ".join(unknowns[:-1]), unknowns[-1]))
    count = "one equation" if equations == 1 else f"{equations} equations"
    return (
        f"I found {count} for {len(unknowns)} unknowns ({names}), which is not enough to find their values. "
        f"Give me {len(unknowns)} equations, and I will solve them together."
    )
