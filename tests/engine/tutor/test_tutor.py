"""The tutor's answers, from Python that is really run."""

import asyncio
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.models.base import ChatRequest, Finish, TextDelta, ToolCallDelta
from assistants_tui.engine.runs.tool_definitions import CODE_INTERPRETER, FILE_SEARCH
from assistants_tui.engine.tutor import Tutor, expressions
from assistants_tui.protocol.objects import Json


def ran(code: str) -> str:
    """What a program prints; its error otherwise."""
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


async def turn(request: ChatRequest) -> tuple[str, list[tuple[str, str, Json]], Finish]:
    """One turn: text, calls (ID, name, arguments), and how it ended."""
    text, finish = "", None
    calls: list[list[str]] = []
    async for delta in Tutor(pace=0).stream(request):
        match delta:
            case TextDelta(piece):
                text += piece
            case ToolCallDelta(position, identity, name, arguments):
                if position == len(calls):
                    calls.append([identity, name, ""])
                calls[position][2] += arguments
            case Finish():
                finish = delta
    assert finish is not None
    return text, [(identity, name, json.loads(arguments)) for identity, name, arguments in calls], finish


async def answer(question: str, **fields: Any) -> tuple[str, list[str]]:
    """The answer after all programs have been run, and the programs."""
    messages: list[Json] = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": question},
    ]
    programs: list[str] = []
    fields = {"tools": [CODE_INTERPRETER], **fields}
    while True:
        text, calls, finish = await turn(ChatRequest("tutor", messages, **fields))
        if not calls:
            assert finish.reason == "stop"
            return text, programs
        assert finish.reason == "tool_calls"
        for identity, name, arguments in calls:
            programs.append(arguments["code"])
            call = {"id": identity, "function": {"name": name, "arguments": json.dumps(arguments)}}
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": identity, "content": ran(arguments["code"])})


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("I need to solve the equation `3x + 11 = 14`. Can you help me?", ["x = 1"]),
        ("Solve 2(x - 3) = x/2 + 1", ["x = 14/3"]),
        ("what is y if 0.5y - 1 = 2y?", ["y = -2/3"]),
        ("3x = 12 please", ["x = 4"]),
        ("$\\frac{1}{2}x = 4$", ["x = 8"]),
        ("解方程 5x－3＝12", ["x = 3"]),
        ("x plus 4 equals 10", ["x = 6"]),
        ("x^2 - 5x + 6 = 0", ["x = 2", "x = 3"]),
        ("x² = 2", ["x ≈ -1.414213562", "x ≈ 1.414213562"]),
        ("x^2 + 4 = 0", ["x = 0 - 2i", "x = 0 + 2i"]),
        ("-x^2 + 4x = 4", ["x = 2"]),
        ("x^3 - 6x^2 + 11x = 6", ["x = 1", "x = 2", "x = 3"]),
        ("x^3 = 2", ["x ≈ 1.259921"]),
        ("x + y = 10 and x - y = 2", ["x = 6", "y = 4"]),
        ("Solve: 2a + b = 5, a - b = 1", ["a = 2", "b = 1"]),
        ("x + y = 1; 2x + 2y = 3", ["no solution"]),
        ("x + y = 1; 2x + 2y = 2", ["infinitely many solutions"]),
        ("0x = 5", ["false"]),
        ("Is 2 + 2 = 5?", ["false"]),
        ("Is 1/3 + 1/6 = 1/2?", ["true"]),
        ("sin(x) = 0.5", ["0.52359877"]),
        ("What is 12 * (3 + 4)?", ["= 84"]),
        ("15% of 80", ["= 12"]),
        ("1/3 + 1/6", ["= 1/2", "≈ 0.5"]),
        ("What's 2 to the power of 10?", ["= 1024"]),
        ("the square root of 144", ["≈ 12"]),
        ("5!", ["= 120"]),
        ("1,000 + 24", ["= 1024"]),
        ("0.1 + 0.2", ["= 3/10"]),
        ("2 * pi", ["≈ 6.28318530718"]),
    ],
)
async def test_problems_and_their_results(question: str, expected: list[str]) -> None:
    text, programs = await answer(question)
    assert programs, text
    for result in expected:
        assert result in text, text


async def test_the_way_is_shown_in_steps() -> None:
    text, _ = await answer("3x + 11 = 14")
    assert text == (
        "The solution is **x = 1**.\n\nStep by step:\n\n"
        "1. Write the equation: `3x + 11 = 14`.\n"
        "2. Subtract 11 from both sides: `3x = 3`.\n"
        "3. Divide both sides by 3: `x = 1`.\n\n"
        "Putting it back in: `14 = 14`."
    )


async def test_a_library_that_is_missing_is_replaced_by_other_code() -> None:
    text, programs = await answer("cos(x) = x")
    assert "x ≈ 0.7390851332" in text or "x = " in text
    assert "sympy" in programs[0] and len(programs) in (1, 2)


@pytest.mark.parametrize(
    "question",
    [
        "Tell me a joke.",
        "What happened on 2024-11-20?",
        "Call me at 555-123-4567",
        "I am here.",
        "Is this a = sign?",
        "99999999^99999999",
        "10000000!",
        "(" * 500 + "1" + ")" * 500 + " + 1",
        "x" * 5000 + " = 1",
        "= = = =",
    ],
)
async def test_what_it_cannot_do_it_says(question: str) -> None:
    text, programs = await answer(question)
    assert not programs
    assert "offline tutor" in text and "model_url" in text and "`3x + 11 = 14`" in text


@given(st.text(max_size=80))
def test_no_question_breaks_the_reading(question: str) -> None:
    request = ChatRequest("tutor", [{"role": "user", "content": question}], tools=[CODE_INTERPRETER])
    asyncio.run(turn(request))


FORECAST: Json = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a place",
        "parameters": {"type": "object", "properties": {"location": {"type": "string"}}},
    },
}


@pytest.mark.parametrize(
    "question",
    [
        "What is the weather in" + " " * 20_000 + "x!a",
        "What is the weather in" + "\n" * 20_000 + "x!a",
        "Weather " + "in a " * 20_000 + "!x",
        "Integrate x " + "from a " * 20_000,
        "Integrate x from" + " " * 20_000 + "a to" + " " * 20_000,
    ],
    ids=["blanks", "lines", "places", "limits", "blanks in limits"],
)
async def test_long_questions_are_read_as_fast_as_short_ones(question: str) -> None:
    """A pattern that goes back over thousands of blanks would not come to an end."""
    await turn(
        ChatRequest("tutor", [{"role": "user", "content": question}], tools=[FORECAST, CODE_INTERPRETER])
    )


@given(st.from_regex(r"[-+*/^()!%.0-9xy ]{1,25}", fullmatch=True))
def test_the_source_of_an_expression_means_the_same(text: str) -> None:
    try:
        tree = expressions.parse(text)
        source = expressions.source(tree)
        coefficients = expressions.polynomial(tree)
    except (expressions.NotAnExpressionError, expressions.NotPolynomialError, ZeroDivisionError):
        return
    values = {"x": Fraction(3, 7), "y": Fraction(-5, 2)}
    if "**" in source and any(len(part) > 3 for part in source.replace("(", " ").split()):
        return
    expected = Fraction(0)
    for monomial, factor in coefficients.items():
        term = factor
        for letter, power in monomial:
            term *= values[letter] ** power
        expected += term
    computed = ran(
        "from fractions import Fraction\nimport math\n"
        f"x, y = Fraction(3, 7), Fraction(-5, 2)\nprint(Fraction({source}))"
    )
    assert computed.strip() == str(expected)


async def test_without_the_tool_it_says_so() -> None:
    text, _, _ = await turn(ChatRequest("tutor", [{"role": "user", "content": "3x = 6"}]))
    assert "code interpreter" in text


async def test_a_tool_that_cannot_run_is_passed_on_in_plain_words() -> None:
    question = {"role": "user", "content": "3x = 6"}
    _, [(identity, name, arguments)], _ = await turn(
        ChatRequest("tutor", [question], tools=[CODE_INTERPRETER])
    )
    call = {"id": identity, "function": {"name": name, "arguments": json.dumps(arguments)}}
    messages: list[Json] = [
        question,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": identity, "content": "[Code interpreter is off: no sandbox.]\n"},
    ]
    text, calls, _ = await turn(ChatRequest("tutor", messages, tools=[CODE_INTERPRETER]))
    assert not calls and "Code interpreter is off: no sandbox." in text


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What is the derivative of x^3 + 2x?", "of `x^3 + 2x` with respect to x is **3·x^2 + 2**."),
        ("Differentiate sin(2t) with respect to t, please.", "is **2·cos(2·t)**."),
        ("differentiate `a*x^2` by a", "with respect to a is **x^2**."),
        ("Integrate 2x + 1 dx", "The integral of `2x + 1` with respect to x is **x·(x + 1) + C**."),
        ("What is the integral of x^2 from 0 to 3?", "is **9**."),
        ("Find the integral of sin(x) from 0 to pi.", "is **2**."),
        ("integral of exp(x) between 0 and 1", "is **-1 + E**, which is ≈ 1.71828."),
        ("the derivative of e^x", "is **exp(x)**."),
        ("Can you give me the antiderivative of 1/x?", "is **log(x) + C**."),
    ],
)
async def test_derivatives_and_integrals(question: str, said: str) -> None:
    pytest.importorskip("sympy", reason="the packages of the extra `code` are not installed")
    text, programs = await answer(question)
    assert said in text
    assert len(programs) == 1


async def test_calculus_needs_a_formula_and_code() -> None:
    text, programs = await answer("What is a derivative, and what an integral?")
    assert not programs and "I cannot answer this" in text
    text, programs = await answer("What is the derivative of x^2?", tools=[])
    assert not programs and "does not have the code interpreter" in text


async def test_the_first_answer_introduces_itself() -> None:
    first, _, _ = await turn(ChatRequest("tutor", [{"role": "user", "content": "Hello"}]))
    later, _ = await answer("3x = 6")
    assert "offline tutor" in first and "press F3" in first
    assert "offline tutor" not in later


async def test_tables_are_summarised(tmp_path: Path) -> None:
    (tmp_path / "tides.csv").write_text("port;height\nOulu;1.5\nVaasa;0.5\n")
    messages: list[Json] = [
        {"role": "system", "content": "Files that the code interpreter can read:\n- /mnt/data/tides.csv"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Please have a look.\n\n[Attached: tides.csv]"},
    ]
    _, [(identity, name, arguments)], _ = await turn(ChatRequest("tutor", messages, tools=[CODE_INTERPRETER]))
    assert '"/mnt/data/tides.csv"' in arguments["code"] or "'/mnt/data/tides.csv'" in arguments["code"]
    code = (
        arguments["code"]
        .replace("/mnt/data", str(tmp_path))
        .replace("import matplotlib", "import no_library")
    )
    call = {"id": identity, "function": {"name": name, "arguments": json.dumps(arguments)}}
    messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
    messages.append({"role": "tool", "tool_call_id": identity, "content": ran(code)})
    text, calls, _ = await turn(ChatRequest("tutor", messages, tools=[CODE_INTERPRETER]))
    assert not calls
    assert text == (
        "`tides.csv` has 2 rows with the columns port, height.\n\n"
        "Its numbers:\n\n- **height**: from 0.5 to 1.5, 1 on average\n\n"
        "I cannot draw it, because matplotlib is not installed for the code interpreter."
    )


async def test_documents_are_not_searched_and_it_says_so() -> None:
    request = ChatRequest("tutor", [{"role": "user", "content": "How many holidays?"}], tools=[FILE_SEARCH])
    text, calls, _ = await turn(request)
    assert not calls and "documents" in text


LOCATION = {"location": {"type": "string", "description": "The city"}}
WEATHER: Json = {
    "type": "function",
    "function": {
        "name": "getCurrentWeather",
        "description": "Get the weather in a location",
        "parameters": {
            "type": "object",
            "properties": {
                **LOCATION,
                "unit": {
                    "type": "string",
                    "enum": ["c", "f"],
                    "description": "Degrees Celsius (c) or Fahrenheit (f)",
                },
            },
            "required": ["location"],
        },
    },
}
NICKNAME: Json = {
    "type": "function",
    "function": {
        "name": "getNickname",
        "description": "Get the nickname of a city",
        "parameters": {"type": "object", "properties": LOCATION, "required": ["location"]},
    },
}


@pytest.mark.parametrize(
    ("question", "calls"),
    [
        ("What's the weather in San Francisco?", [("getCurrentWeather", {"location": "San Francisco"})]),
        ("weather in paris?", [("getCurrentWeather", {"location": "paris"})]),
        (
            "What is the weather in Oulu in Fahrenheit?",
            [("getCurrentWeather", {"location": "Oulu", "unit": "f"})],
        ),
        (
            "How is the weather in Paris and London today?",
            [("getCurrentWeather", {"location": "Paris"}), ("getCurrentWeather", {"location": "London"})],
        ),
        (
            "What's the weather in San Francisco, CA and Rio de Janeiro?",
            [
                ("getCurrentWeather", {"location": "San Francisco, CA"}),
                ("getCurrentWeather", {"location": "Rio de Janeiro"}),
            ],
        ),
        (
            "What's the weather and the nickname of Los Angeles?",
            [
                ("getCurrentWeather", {"location": "Los Angeles"}),
                ("getNickname", {"location": "Los Angeles"}),
            ],
        ),
        ("What is the nickname of 'L.A.'?", [("getNickname", {"location": "L.A."})]),
        ("Tell me a joke", []),
        ("What's the weather?", []),
    ],
)
async def test_functions_are_called_as_the_question_asks(
    question: str, calls: list[tuple[str, Json]]
) -> None:
    request = ChatRequest("tutor", [{"role": "user", "content": question}], tools=[WEATHER, NICKNAME])
    text, made, _ = await turn(request)
    assert [call[1:] for call in made] == calls
    if not calls:
        assert "getCurrentWeather" in text


async def test_outputs_become_the_answer() -> None:
    question = {"role": "user", "content": "Weather and nickname of Oulu?"}
    tools = [WEATHER, NICKNAME]
    _, made, _ = await turn(ChatRequest("tutor", [question], tools=tools, parallel_tool_calls=False))
    assert [name for _, name, _ in made] == ["getCurrentWeather"]
    messages: list[Json] = [{"role": "assistant", "content": "Hi"}, question]
    outputs = {
        "getCurrentWeather": '{"degrees": 3, "sky": "grey"}',
        "getNickname": "White City of the North",
    }
    while True:
        text, made, _ = await turn(ChatRequest("tutor", messages, tools=tools, parallel_tool_calls=False))
        if not made:
            break
        [(identity, name, arguments)] = made
        call = {"id": identity, "function": {"name": name, "arguments": json.dumps(arguments)}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": identity, "content": outputs[name]})
    assert text == (
        "**getCurrentWeather** (Oulu):\n\n- degrees: 3\n- sky: grey\n\n"
        "**getNickname** (Oulu): White City of the North"
    )


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "getNickname"}}])
async def test_a_forced_call_is_made_whatever_the_question(choice: Any) -> None:
    request = ChatRequest(
        "tutor", [{"role": "user", "content": "hello"}], tools=[WEATHER, NICKNAME], tool_choice=choice
    )
    _, [(_, name, arguments)], _ = await turn(request)
    assert name == ("getNickname" if isinstance(choice, dict) else "getCurrentWeather")
    assert arguments["location"]


async def test_no_calls_where_none_are_allowed() -> None:
    request = ChatRequest(
        "tutor", [{"role": "user", "content": "weather in Oulu"}], tools=[WEATHER], tool_choice="none"
    )
    text, made, _ = await turn(request)
    assert text and not made


SCHEMA: Json = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["b", "c"]},
        "text": {"$ref": "#/$defs/text"},
        "count": {"type": "integer", "minimum": 3},
        "more": {"type": "array", "items": {"type": "boolean"}, "minItems": 2},
    },
    "required": ["kind", "text", "count", "more"],
    "$defs": {"text": {"type": ["string", "null"]}},
}


async def test_json_on_request() -> None:
    messages = [{"role": "user", "content": "hello"}]
    plain, _, _ = await turn(ChatRequest("tutor", messages, response_format={"type": "json_object"}))
    assert "offline tutor" in json.loads(plain)["answer"]
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    shaped, _, _ = await turn(ChatRequest("tutor", messages, response_format=wanted))
    value = json.loads(shaped)
    assert (value["kind"], value["count"], value["more"]) == ("b", 3, [False, False])
    assert "offline tutor" in value["text"]


async def test_it_keeps_to_its_tokens() -> None:
    request = ChatRequest("tutor", [{"role": "user", "content": "hello"}], max_completion_tokens=5)
    text, _, finish = await turn(request)
    assert finish.reason == "length" and finish.usage is not None and finish.usage.completion_tokens == 5
    assert len(text.split()) <= 6
