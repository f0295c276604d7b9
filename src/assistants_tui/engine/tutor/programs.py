"""The Python that the tutor writes, and how it reads what it prints.

Each program prints its results as lines such as `x = 1`, and how they fit as `check: …`.
"""

import re
from collections.abc import Sequence
from fractions import Fraction

from assistants_tui.engine.tutor import expressions
from assistants_tui.engine.tutor.expressions import Expression, Operation

NO_CODE_TOOL = (
    "I solve this kind of problem by writing a small Python program and running it, but this assistant does "
    "not have the code interpreter. Turn it on for the assistant and ask me again."
)

_ANSWER = re.compile(
    r"^(?:(?:[A-Za-zα-ω]|result) [=≈] .+|true|false|no solution|.*infinitely many solutions.*)$"
)
_EXCEPTION = re.compile(r"\b[A-Z]\w*Error\b")


def answers(output: str) -> list[str]:
    """The lines of an output that are results."""
    return [line for line in output.splitlines() if _ANSWER.match(line)]


def has_failed(output: str) -> bool:
    """Whether a program ended with an exception and without a result."""
    return bool(_EXCEPTION.search(output)) and not answers(output)


def failure(output: str) -> str:
    """What to tell when a program gave no result."""
    words = output.strip() or "nothing"
    return (
        "I wrote a small Python program for this and asked the code interpreter to run it, but it gave no "
        f"result. It says:\n\n```text\n{words[-1500:]}\n```"
    )


def linear(text: str, sides: tuple[Expression, Expression], unknown: str) -> str:
    """One unknown, to the first power."""
    left, right = (expressions.source(side) for side in sides)
    return f"""\
from fractions import Fraction

# {text}
def left({unknown}):
    return {left}

def right({unknown}):
    return {right}

# The difference of the sides is a straight line; two of its points give its zero.
at_0 = Fraction(left(Fraction(0)) - right(Fraction(0)))
slope = left(Fraction(1)) - right(Fraction(1)) - at_0
{unknown} = -at_0 / slope
print("{unknown} =", {unknown})
print("check:", left({unknown}), "=", right({unknown}))
"""


def quadratic(text: str, sides: tuple[Expression, Expression], unknown: str) -> str:
    """One unknown, to the second power."""
    difference = expressions.source(Operation("-", *sides))
    return f"""\
from fractions import Fraction
from math import isqrt, sqrt

# {text}, with everything on the left
def f({unknown}):
    return Fraction({difference})

# a*{unknown}**2 + b*{unknown} + c, from three of its values
c = f(Fraction(0))
a = (f(Fraction(1)) + f(Fraction(-1))) / 2 - c
b = f(Fraction(1)) - a - c
d = b * b - 4 * a * c
print("a, b, c:", a, b, c, " discriminant:", d)

def root_of(q):
    p = Fraction(isqrt(q.numerator), isqrt(q.denominator))
    return p if p * p == q else None

root = root_of(abs(d))
middle = -b / (2 * a)
if d < 0:
    size = sqrt(-d) / (2 * abs(a)) if root is None else root / (2 * abs(a))
    for sign in "-+":
        print("{unknown} =", middle, sign, f"{{size}}i")
elif root is None:
    for value in (middle - sqrt(d) / (2 * abs(a)), middle + sqrt(d) / (2 * abs(a))):
        print("{unknown} ≈", f"{{value:.10g}}")
else:
    for value in sorted({{middle - root / (2 * a), middle + root / (2 * a)}}):
        print("{unknown} =", value)
        print("check: f(" + str(value) + ") =", f(value))
"""


def polynomial(text: str, coefficients: Sequence[Fraction], unknown: str) -> str:
    """One unknown, to a higher power. Coefficients from the highest power down."""
    listed = ", ".join(f'Fraction("{value}")' for value in coefficients)
    return f"""\
from fractions import Fraction

# {text}: the coefficients of the polynomial that is zero
p = [{listed}]

def value(p, x):
    total = 0
    for coefficient in p:
        total = total * x + coefficient
    return total

# Durand and Kerner's method approaches all roots at once.
degree = len(p) - 1
roots = [(0.4 + 0.9j) ** n * (1 + max(abs(float(c / p[0])) for c in p)) ** 0.5 for n in range(degree)]
for _ in range(2000):
    for i in range(degree):
        below = 1
        for j in range(degree):
            if j != i:
                below *= roots[i] - roots[j]
        roots[i] -= value([float(c / p[0]) for c in p], roots[i]) / below

# A root that is near a simple fraction and fits exactly is that fraction.
exact = set()
for root in roots:
    near = Fraction(root.real).limit_denominator(1000)
    if value(p, near) == 0:
        exact.add(near)
for root in sorted(exact):
    print("{unknown} =", root)
    print("check: f(" + str(root) + ") =", value(p, root))
for root in sorted(roots, key=lambda root: (root.real, root.imag)):
    if any(abs(root - float(known)) < 1e-4 for known in exact):
        continue
    imaginary = "" if abs(root.imag) < 1e-6 else f" {{'+' if root.imag > 0 else '-'}} {{abs(root.imag):.8g}}i"
    print("{unknown} ≈", f"{{root.real:.8g}}" + imaginary)
"""


def system(
    texts: Sequence[str], sides: Sequence[tuple[Expression, Expression]], unknowns: Sequence[str]
) -> str:
    """As many unknowns, each to the first power."""
    names = ", ".join(unknowns)
    rows = "\n".join(
        f"    lambda {names}: {expressions.source(Operation('-', *pair))},  # {text}"
        for text, pair in zip(texts, sides, strict=True)
    )
    return f"""\
from fractions import Fraction

names = {list(unknowns)!r}
# Each equation with everything on the left
equations = [
{rows}
]

# The coefficients of each equation, from its value at zero and at one for each unknown
zero = [Fraction(0)] * len(names)
matrix = []
for equation in equations:
    constant = Fraction(equation(*zero))
    row = []
    for i in range(len(names)):
        point = zero.copy()
        point[i] = Fraction(1)
        row.append(equation(*point) - constant)
    matrix.append([*row, -constant])

# Gauss and Jordan: clear one column after the other
rank = 0
for column in range(len(names)):
    pivot = next((r for r in range(rank, len(matrix)) if matrix[r][column]), None)
    if pivot is None:
        continue
    matrix[rank], matrix[pivot] = matrix[pivot], matrix[rank]
    matrix[rank] = [cell / matrix[rank][column] for cell in matrix[rank]]
    for r in range(len(matrix)):
        if r != rank:
            matrix[r] = [a - matrix[r][column] * b for a, b in zip(matrix[r], matrix[rank])]
    rank += 1

if any(row[-1] for row in matrix[rank:]):
    print("no solution")
elif rank < len(names):
    print("infinitely many solutions")
else:
    values = [matrix[i][-1] for i in range(len(names))]
    for name, value in zip(names, values):
        print(name, "=", value)
    for equation in equations:
        print("check: left - right =", equation(*values))
"""


def with_sympy(
    texts: Sequence[str], sides: Sequence[tuple[Expression, Expression]], unknowns: Sequence[str]
) -> str:
    """Whatever SymPy can solve, where it is installed."""
    names = " ".join(unknowns)
    zeros = ",\n    ".join(for_sympy(Operation("-", *pair)) for pair in sides)
    return f"""\
import sympy
from sympy import *

[{", ".join(unknowns)}] = symbols("{names}", seq=True)
# {"; ".join(texts)}
solutions = solve([
    {zeros}
], [{", ".join(unknowns)}], dict=True)
if not solutions:
    print("no solution")
for solution in solutions:
    for name, value in solution.items():
        print(name, "=", value)
"""


def numeric(text: str, sides: tuple[Expression, Expression], unknown: str) -> str:
    """One unknown in any function, by looking for places where the sides cross."""
    difference = expressions.source(Operation("-", *sides), exact=False)
    return f"""\
import math

# {text}, with everything on the left
def f({unknown}):
    try:
        return {difference}
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.nan

found = []
points = [n / 64 for n in range(-6400, 6401)]
for low, high in zip(points, points[1:]):
    if f(low) == 0:
        found.append(low)
    elif f(low) * f(high) < 0:
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (low, middle) if f(low) * f(middle) <= 0 else (middle, high)
        if abs(f(middle)) < 1e-6:
            found.append(middle)
if not found:
    print("no solution")
for value in found[:10]:
    print("{unknown} ≈", f"{{value:.10g}}")
"""


def comparison(text: str, sides: tuple[Expression, Expression]) -> str:
    """Two sides without an unknown."""
    exact = all(expressions.is_exact(side) for side in sides)
    left, right = (expressions.source(side, exact=exact) for side in sides)
    equal = "left == right" if exact else "math.isclose(left, right)"
    return f"""\
import math
from fractions import Fraction

# {text}
left = {left}
right = {right}
print("left:", left, " right:", right)
print("true" if {equal} else "false")
"""


def calculation(text: str, tree: Expression) -> str:
    """One value."""
    exact = expressions.is_exact(tree)
    head = "import math\nfrom fractions import Fraction\n" if exact else "import math\n"
    shown = (
        """\
print("result =", result)
if Fraction(result).denominator != 1:
    print("result ≈", f"{float(result):.12g}")"""
        if exact
        else 'print("result ≈", f"{result:.12g}")'
    )
    return f"{head}\n# {text}\nresult = {expressions.source(tree, exact=exact)}\n{shown}\n"


def for_sympy(tree: Expression) -> str:
    """An expression as source for a program that has imported everything of SymPy."""
    return expressions.source(tree, exact=False).replace("math.log10(", "log(10, ").replace("math.", "")
