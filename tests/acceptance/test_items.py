"""The acceptance list is complete, and every test that it names is there."""

import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent
ITEMS: dict[str, dict[str, Any]] = tomllib.loads((TESTS / "acceptance/items.toml").read_text("utf-8"))


def test_every_number_is_there_once() -> None:
    assert list(ITEMS) == [f"S-{number:03}" for number in range(1, 248)]


def test_each_is_proven_or_covered_or_says_what_is_open() -> None:
    faults = {number: fault for number, item in ITEMS.items() if (fault := _fault(item))}
    assert faults == {}


def test_every_named_test_is_there() -> None:
    named = {name for item in ITEMS.values() for name in item.get("tests", ())}
    assert {name for name in named if not _is_there(name)} == set()


def _fault(item: dict[str, Any]) -> str | None:
    covering = ITEMS.get(item.get("covered_by", ""), {}).get("tests")
    if item.keys() - {"asks", "side", "tests", "covered_by", "open"}:
        return "It has an unknown key."
    if not item["asks"] or item["side"] not in ("engine", "client", "both"):
        return "It does not say what it asks of whom."
    if "covered_by" in item:
        return None if covering and "tests" not in item else "The item that covers it has no tests."
    if not item["tests"] and item["side"] != "client":
        return "What the engine has to do needs a test."
    if not item["tests"] and not item.get("open"):
        return "It has neither tests nor says what is missing."
    return None


def _is_there(name: str) -> bool:
    path, *qualified = name.split("::")
    return "::".join(qualified) in _tests_of(TESTS.parent / path)


@cache
def _tests_of(path: Path) -> set[str]:
    """The test functions of a file, those of its classes with the name of the class before them."""
    if not path.is_file():
        return set()
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        prefix, inside = (f"{node.name}::", node.body) if isinstance(node, ast.ClassDef) else ("", [node])
        found |= {
            prefix + each.name for each in inside if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        }
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}
