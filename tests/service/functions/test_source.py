"""Definitions from Python source: what signatures and docstrings say, without running anything."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.protocol.objects import Json
from assistants_tui.service.functions.definitions import function_problem
from assistants_tui.service.functions.source import FoundFunction, SourceError, functions_in


def only(source: str) -> FoundFunction:
    (found,) = functions_in(source)
    return found


def schema(hint: str, before: str = "") -> Any:
    """The schema of a parameter with this type hint."""
    found = only(f"{before}\ndef f(x: {hint}):\n    'Does it.'\n")
    return (found.definition["parameters"])["properties"]["x"]


def test_a_whole_function() -> None:
    found = only('''
import typing

async def current_weather(city: str, unit: typing.Literal["c", "f"] = "c", *, days: int = 1) -> str:
    """Weather of a city.

    Only for today and the days after it.

    Args:
        city: Name of the city,
            in any language.
        unit (str): Celsius or Fahrenheit.
        days: How many days.

    Returns:
        A sentence.
    """
''')
    assert found.definition == {
        "name": "current_weather",
        "description": "Weather of a city.\n\nOnly for today and the days after it.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Name of the city, in any language."},
                "unit": {
                    "type": "string",
                    "enum": ["c", "f"],
                    "description": "Celsius or Fahrenheit.",
                    "default": "c",
                },
                "days": {"type": "integer", "description": "How many days.", "default": 1},
            },
            "required": ["city"],
            "additionalProperties": False,
        },
    }
    assert found.notes == ()
    assert found.line == 4


@pytest.mark.parametrize(
    "docstring",
    [
        "Does it.\n\nArgs:\n    x: The place.\n",
        "Does it.\n\nParameters\n----------\nx : str\n    The place.\n",
        "Does it.\n\n:param x: The place.\n:type x: str\n",
        "Does it.\n\n@param x: The place.\n",
    ],
    ids=["google", "numpy", "sphinx", "epydoc"],
)
def test_docstrings_in_every_style(docstring: str) -> None:
    found = only(f"def f(x: str):\n    {docstring!r}\n")
    assert found.definition.get("description") == "Does it."
    assert found.definition["parameters"]["properties"]["x"]["description"] == "The place."


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("str", {"type": "string"}),
        ("bool", {"type": "boolean"}),
        ("float", {"type": "number"}),
        ("None", {"type": "null"}),
        ("Any", {}),
        ("list", {"type": "array"}),
        ("list[int]", {"type": "array", "items": {"type": "integer"}}),
        ("typing.Sequence[str]", {"type": "array", "items": {"type": "string"}}),
        ("set[str]", {"type": "array", "uniqueItems": True, "items": {"type": "string"}}),
        ("tuple[int, ...]", {"type": "array", "items": {"type": "integer"}}),
        ("tuple[()]", {"type": "array", "maxItems": 0}),
        (
            "tuple[int, str]",
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        ("dict[str, float]", {"type": "object", "additionalProperties": {"type": "number"}}),
        ("Optional[str]", {"type": ["string", "null"]}),
        ("str | None", {"type": ["string", "null"]}),
        ("int | str | None", {"type": ["integer", "string", "null"]}),
        (
            "Union[int, list[int]]",
            {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]},
        ),
        ("Literal['a', 1, None]", {"type": ["string", "integer", "null"], "enum": ["a", 1, None]}),
        ("Literal['a'] | None", {"type": ["string", "null"], "enum": ["a", None]}),
        ("'str | None'", {"type": ["string", "null"]}),
        ("Annotated[int, 'How many']", {"type": "integer", "description": "How many"}),
        ("Annotated[int, Doc('How many')]", {"type": "integer", "description": "How many"}),
        (
            "Annotated[int, Field(ge=1, le=9, description='How many')]",
            {"type": "integer", "minimum": 1, "maximum": 9, "description": "How many"},
        ),
        ("datetime.date", {"type": "string", "format": "date"}),
        ("pathlib.Path", {"type": "string"}),
    ],
)
def test_type_hints(hint: str, expected: Json) -> None:
    assert schema(hint) == expected


@pytest.mark.parametrize(
    ("before", "hint", "expected"),
    [
        ("class U(str, Enum):\n    C = 'c'\n    F = 'f'", "U", {"type": "string", "enum": ["c", "f"]}),
        (
            "class U(StrEnum):\n    COLD = auto()\n    HOT = auto()",
            "U",
            {"type": "string", "enum": ["cold", "hot"]},
        ),
        ("class U(Enum):\n    A = auto()\n    B = auto()", "U", {"type": "integer", "enum": [1, 2]}),
        ("Unit = Literal['c', 'f']", "Unit", {"type": "string", "enum": ["c", "f"]}),
        ("Id = NewType('Id', int)", "Id", {"type": "integer"}),
        (
            "@dataclass\nclass P:\n    'A place.'\n    lat: float\n    lon: float = 0.5\n    K: ClassVar = 1",
            "P",
            {
                "type": "object",
                "properties": {"lat": {"type": "number"}, "lon": {"type": "number", "default": 0.5}},
                "required": ["lat"],
                "description": "A place.",
            },
        ),
        (
            "class A(TypedDict):\n    a: int\nclass P(A, total=False):\n    b: int\n    c: Required[int]",
            "P",
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}, "c": {"type": "integer"}},
                "required": ["a", "c"],
            },
        ),
        (
            "class P(BaseModel):\n    n: int = Field(description='N', ge=1)\n"
            "    m: str = Field('x', max_length=3)\n",
            "P",
            {
                "type": "object",
                "properties": {
                    "n": {"type": "integer", "description": "N", "minimum": 1},
                    "m": {"type": "string", "maxLength": 3},
                },
                "required": ["n"],
            },
        ),
    ],
)
def test_classes_and_aliases_of_the_same_source(before: str, hint: str, expected: Json) -> None:
    assert schema(hint, before) == expected


def test_a_member_of_an_enumeration_as_default() -> None:
    found = only("class U(Enum):\n    C = 'c'\ndef f(x: U = U.C): 'Does it.'\n")
    assert found.definition["parameters"]["properties"]["x"]["default"] == "c"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f(x): 'Does it.'", "x has no type hint"),
        ("def f(x: Foo): 'Does it.'", "The type Foo is not known here"),
        ("def f(x: Literal[FOO]): 'Does it.'", "Literal[FOO] is not known"),
        ("def f(*names: str): 'Does it.'", "*names has no name"),
        ("def f(**more: str): 'Does it.'", "**more lets models pass anything"),
        ("def f(): pass", "no docstring"),
        (f"def f():\n    {'word ' * 400!r}", "cut to 1,024"),
        ("def größe(): 'Does it.'", "The name has to change"),
        ("class N:\n    next: 'N'\ndef f(x: N): 'Does it.'", "N holds itself"),
        ("X = list['X']\ndef f(x: X): 'Does it.'", "too deep"),
    ],
)
def test_what_the_source_leaves_open_is_noted(source: str, said: str) -> None:
    assert said in " ".join(only(source).notes)


def test_only_public_functions_of_the_top_level_count() -> None:
    nested = "class C:\n    def d(self): ...\nif True:\n    def e(): ...\n"
    source = f"def a(): ...\ndef _b(): ...\n{nested}async def f(): ..."
    assert [found.definition["name"] for found in functions_in(source)] == ["a", "f"]


def test_the_source_is_never_run(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    opening = f"open({str(trace)!r}, 'w')"
    source = f"{opening}\n@{opening}\ndef f(x={opening}): 'Does it.'\n"
    assert "default" not in only(source).definition["parameters"]["properties"]["x"]
    assert not trace.exists()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f(:", "Not Python at line 1"),
        ("def f():\n  return\n bad", "line 3"),
        ("\0", "Python"),
        ("(" * 10_000, "Python"),
        ("x = 1\n" * 200_000, "longer than"),
        ("def f(x: " + "list[" * 900 + "int" + "]" * 900 + "): 'Does it.'", "Python"),
    ],
)
def test_what_is_no_python(source: str, said: str) -> None:
    try:
        functions_in(source)
    except SourceError as error:
        assert said in str(error)
    else:
        assert "list[" in source  # deep types are read as far as they are described


def test_classes_that_hold_each_other_many_times_stay_small() -> None:
    source = "".join(
        f"class C{n}:\n" + "".join(f"    f{field}: C{n + 1}\n" for field in range(9)) for n in range(12)
    )
    found = only(source + "class C12:\n    x: int\ndef f(x: C0): 'Does it.'\n")
    assert len(json.dumps(found.definition)) < 500_000
    assert any("too deep" in note for note in found.notes)


HINTS = st.recursive(
    st.sampled_from(
        ["str", "int", "float", "bool", "None", "Any", "Foo", "Literal['a', 2]", "Unit", "Place"]
    ),
    lambda inner: (
        inner.map("list[{}]".format)
        | inner.map("Optional[{}]".format)
        | inner.map("dict[str, {}]".format)
        | inner.map("'{}'".format).filter(lambda text: text.count("'") == 2)
        | st.tuples(inner, inner).map(lambda pair: f"Union[{pair[0]}, {pair[1]}]")
        | st.tuples(inner, inner).map(lambda pair: f"tuple[{pair[0]}, {pair[1]}]")
    ),
    max_leaves=8,
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: (
        name.isidentifier() and not name.startswith("_") and name not in {"if", "is", "in", "as", "or"}
    )
)


@given(
    parameters=st.dictionaries(
        NAMES.map("p_{}".format), st.tuples(HINTS, st.sampled_from(["", " = 1", " = None"]))
    ),
    doc=st.text(st.characters(blacklist_categories=["Cs"]), max_size=60),
)
def test_every_definition_is_one_that_servers_take(parameters: dict[str, tuple[str, str]], doc: str) -> None:
    listed = ", ".join(f"{name}: {hint}{default}" for name, (hint, default) in parameters.items())
    star = "*, " if listed else ""
    source = (
        "class Unit(Enum):\n    C = 'c'\nclass Place:\n    lat: float\n    near: 'list[Place]'\n"
        f"def found({star}{listed}):\n    {doc!r}\n"
    )
    definition = only(source).definition
    assert function_problem({**definition}) is None
    assert json.loads(json.dumps(definition)) == definition
    assert list(definition["parameters"]["properties"]) == list(parameters)


@given(st.text(max_size=80))
def test_whatever_is_pasted_there_is_an_answer(source: str) -> None:
    try:
        functions_in(source)
    except SourceError as error:
        assert str(error).endswith(".")
