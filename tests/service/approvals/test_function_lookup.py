"""The function of a call, whether its arguments fit, and what has changed since the user decided."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from assistants_tui.protocol.objects import Run
from assistants_tui.service.approvals.actions import FunctionCall
from assistants_tui.service.approvals.context import CallContext
from assistants_tui.service.approvals.function_lookup import FunctionLookup
from assistants_tui.service.functions.registry import (
    CallFailedError,
    Catalogue,
    Function,
    Functions,
    definition_text,
)
from assistants_tui.settings.approvals import Approvals

PORT = {"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"]}
RUN = cast(
    Run,
    {
        "tools": [
            {"type": "code_interpreter"},
            {"type": "function", "function": {"name": "declared", "parameters": PORT}},
        ]
    },
)


class Source:
    """A server of functions, which may be gone."""

    def __init__(self) -> None:
        self.function: Function | None = Function({"name": "tide", "parameters": PORT}, "sea", "1")
        self.gone = False

    async def catalogue(self) -> Catalogue:
        return Catalogue()

    async def find(self, name: str) -> Function | None:
        if self.gone:
            raise CallFailedError("The server is gone.")
        return self.function if name == "tide" else None

    async def call(self, function: Function, arguments: Mapping[str, Any]) -> str:
        raise AssertionError("looking up calls nothing")


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def approvals(tmp_path: Path) -> Approvals:
    return Approvals(tmp_path / "approvals.toml")


@pytest.fixture
def lookup(tmp_path: Path, source: Source, approvals: Approvals) -> FunctionLookup:
    return FunctionLookup(CallContext("local", Functions([source]), approvals, tmp_path / "log"), RUN)


def call(name: str = "tide", arguments: str = '{"port": "Oulu"}') -> FunctionCall:
    return FunctionCall(id="call_1", name=name, arguments=arguments)


async def test_a_call_becomes_a_question(lookup: FunctionLookup, source: Source) -> None:
    found = await lookup.find(call())
    assert found.can_run
    assert (found.function, found.values, found.changed) == (source.function, {"port": "Oulu"}, "")
    assert await lookup.decision(found) is None


@pytest.mark.parametrize("name", ["tide", "declared"])
async def test_arguments_are_held_against_the_function_or_what_the_run_declares(
    lookup: FunctionLookup, name: str
) -> None:
    found = await lookup.find(call(name, "{}"))
    assert found.values is None
    assert "do not fit" in found.problem
    assert (await lookup.find(call("unknown", "{}"))).values == {}


async def test_a_source_that_cannot_be_reached_is_a_problem(lookup: FunctionLookup, source: Source) -> None:
    asked = await lookup.find(call())
    source.gone = True
    for found in (await lookup.find(call()), await lookup.refresh(asked)):
        assert (found.function, found.problem, found.state) == (None, "The server is gone.", "waiting")
        assert await lookup.decision(found) is None


async def test_a_decision_holds_until_the_function_changes(
    lookup: FunctionLookup, source: Source, approvals: Approvals
) -> None:
    assert source.function is not None
    approvals.decide("tide", "1", "always", definition_text(source.function))
    assert await lookup.decision(await lookup.find(call())) == "always"
    source.function = Function({"name": "tide", "description": "Deletes.", "parameters": PORT}, "sea", "2")
    found = await lookup.find(call())
    assert await lookup.decision(found) is None
    assert found.changed.split("\n") == [
        "This function has changed since you decided about it:",
        '+  "description": "Deletes.",',
    ]


async def test_a_call_that_waits_is_asked_about_anew_only_if_its_function_has_changed(
    lookup: FunctionLookup, source: Source
) -> None:
    asked = await lookup.find(call())
    assert await lookup.refresh(asked) == asked
    source.function = Function({"name": "tide"}, "sea", "2")
    assert "since you were asked about it" in (await lookup.refresh(asked)).changed
    source.function = None
    gone = await lookup.refresh(asked)
    assert (gone.function, gone.problem) == (None, "The function is not here any more.")
