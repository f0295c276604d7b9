"""Calls that a run waits for: what runs, what never does, and that all outputs go out together."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from assistants_tui.protocol.objects import Run, ToolCall, ToolOutput
from assistants_tui.service.approvals.pending_calls import CallContext, PendingCalls
from assistants_tui.service.functions.mcp_servers import McpServers
from assistants_tui.service.functions.python_functions import PythonFunctions
from assistants_tui.service.functions.registry import Functions, FunctionSource
from assistants_tui.settings.approvals import Approvals
from assistants_tui.settings.config import FunctionSettings, McpServer
from support import mcp_raw_server

SOURCE = '''
from pathlib import Path

def tide(port: str) -> str:
    """The tide."""
    with Path(__file__).with_name("ran").open("a") as file:
        file.write(port + " ")
    if port == "Atlantis":
        raise ValueError("it sank")
    return f"{port}: 0.4 m"
'''
DECLARED = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}


class Table:
    """The user's folder, decisions and log, and what was submitted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "functions"
        self.folder.mkdir()
        (self.folder / "tides.py").write_text(SOURCE)
        self.log = folder / "calls.log"
        self.approvals = folder / "approvals.toml"
        self.submitted: list[Sequence[ToolOutput]] = []
        self.sources: list[FunctionSource] = [PythonFunctions(self.folder, FunctionSettings())]

    def desk(self) -> CallContext:
        return CallContext("local", Functions(self.sources), Approvals(self.approvals), self.log)

    async def calls(self, *calls: tuple[str, str, str]) -> PendingCalls:
        """Calls given by ID, name and arguments, looked at but not decided on."""
        run: Any = {
            "id": "run_1",
            "thread_id": "thread_1",
            "expires_at": None,
            "tools": [{"type": "function", "function": {"name": "forecast", "parameters": DECLARED}}],
        }
        wanted: Any = [
            {"id": key, "type": "function", "function": {"name": name, "arguments": arguments}}
            for key, name, arguments in calls
        ]
        pending = PendingCalls(
            cast(Run, run), cast("list[ToolCall]", wanted), self.desk(), self.submit, lambda: None
        )
        pending.begin()
        await pending.settled()
        return pending

    async def submit(self, outputs: Sequence[ToolOutput]) -> None:
        self.submitted.append(outputs)

    @property
    def ran(self) -> str:
        path = self.folder / "ran"
        return path.read_text() if path.exists() else ""

    @property
    def logged(self) -> list[tuple[str, str]]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [(line["decision"], line["outcome"]) for line in lines]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


async def test_nothing_runs_before_the_user_agrees(table: Table) -> None:
    pending = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    assert table.ran == ""
    assert pending.calls[0].can_run
    pending.run("call_1")
    await pending.settled()
    assert table.ran == "Oulu "
    assert table.submitted == [[{"tool_call_id": "call_1", "output": "Oulu: 0.4 m"}]]
    assert table.logged == [("once", "ok")]
    again = await table.calls(("call_2", "tide", '{"port": "Vaasa"}'))
    assert again.calls[0].state == "waiting", "once is once"


async def test_always_holds_until_the_function_changes(table: Table) -> None:
    pending = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    pending.run("call_1", always=True)
    await pending.settled()
    await table.calls(("call_2", "tide", '{"port": "Vaasa"}'))
    assert table.ran == "Oulu Vaasa "
    assert table.logged == [("always", "ok"), ("always", "ok")]
    (table.folder / "tides.py").write_text(SOURCE + "\n# changed")
    pending = await table.calls(("call_3", "tide", '{"port": "Turku"}'))
    assert pending.calls[0].state == "waiting"
    assert table.ran == "Oulu Vaasa "


async def test_two_windows_run_a_call_once(table: Table) -> None:
    pending = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    pending.run("call_1", always=True)
    await pending.settled()
    one, two = await asyncio.gather(*(table.calls(("call_2", "tide", '{"port": "Vaasa"}')) for _ in range(2)))
    assert table.ran == "Oulu Vaasa "
    assert sorted(call.state for call in (*one.calls, *two.calls)) == ["answered", "waiting"]
    await one.close()
    await two.close()


async def test_never_refuses_from_then_on(table: Table) -> None:
    pending = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    pending.refuse("call_1", never=True)
    await pending.settled()
    await table.calls(("call_2", "tide", '{"port": "Oulu"}'))
    assert table.ran == ""
    assert [outputs[0]["output"] for outputs in table.submitted] == ["The user declined this call."] * 2
    assert table.logged == [("never", "declined")] * 2


async def test_refusing_once_can_give_a_reason(table: Table) -> None:
    pending = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    pending.refuse("call_1", "Ask about Vaasa instead.")
    await pending.settled()
    assert table.submitted[0][0]["output"] == "The user declined this call. Ask about Vaasa instead."
    assert table.logged == [("refused", "declined")]
    again = await table.calls(("call_2", "tide", '{"port": "Oulu"}'))
    assert again.calls[0].can_run


async def test_parallel_calls_are_sent_together_in_their_order(table: Table) -> None:
    pending = await table.calls(
        ("call_1", "tide", '{"port": "Oulu"}'),
        ("call_2", "forecast", '{"place": "Oulu"}'),
        ("call_3", "tide", '{"port": "Atlantis"}'),
    )
    pending.run("call_3")
    await pending.settled()
    assert pending.calls[2].failed
    assert "tides.py" in pending.calls[2].printed
    pending.write("call_2", "rain")
    await pending.settled()
    pending.write("call_2", "snow")
    await pending.settled()
    assert table.submitted == []
    pending.run("call_1")
    await pending.settled()
    assert table.submitted == [
        [
            {"tool_call_id": "call_1", "output": "Oulu: 0.4 m"},
            {"tool_call_id": "call_2", "output": "snow"},
            {"tool_call_id": "call_3", "output": "The function failed with ValueError: it sank"},
        ]
    ]
    pending.write("call_2", "too late")
    await pending.settled()
    assert pending.calls[1].output == "snow"


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("tide", '{"port": ', "cannot be read"),
        ("tide", '{"harbour": "Oulu"}', "do not fit"),
        ("forecast", '{"place": 3}', "do not fit"),
    ],
)
async def test_malformed_arguments_are_shown_and_not_run(
    table: Table, name: str, arguments: str, words: str
) -> None:
    pending = await table.calls(("call_0", "tide", '{"port": "Oulu"}'))
    pending.run("call_0", always=True)
    await pending.settled()
    pending = await table.calls(("call_1", name, arguments))
    call = pending.calls[0]
    assert words in call.problem
    assert call.arguments == arguments
    assert not call.can_run
    pending.run("call_1")
    await pending.settled()
    assert table.ran == "Oulu "
    pending.write("call_1", call.problem)
    await pending.settled()
    assert words in table.submitted[-1][0]["output"]


async def test_calls_that_nobody_waits_for_are_stopped(table: Table) -> None:
    (table.folder / "slow.py").write_text(
        "import time\ndef slow():\n    open('began', 'w')\n    time.sleep(600)\n"
    )
    pending = await table.calls(("call_1", "slow", "{}"))
    pending.run("call_1")
    while not (table.folder / "began").exists():
        await asyncio.sleep(0.01)
    await pending.close()
    assert table.submitted == []
    assert table.logged == [("once", "stopped")]


async def test_a_log_that_cannot_be_written_is_told(table: Table) -> None:
    table.log.mkdir()
    pending = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    pending.write("call_1", "0.4 m")
    await pending.settled()
    assert table.submitted[0][0]["output"] == "0.4 m"
    assert "calls.log cannot be written" in pending.calls[0].problem


async def test_how_a_function_has_changed_is_told(table: Table) -> None:
    pending = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    assert pending.calls[0].changed == ""
    pending.run("call_1", always=True)
    await pending.settled()
    (table.folder / "tides.py").write_text(SOURCE.replace("The tide.", "The tide, and more."))
    pending = await table.calls(("call_2", "tide", '{"port": "Turku"}'))
    assert pending.calls[0].changed.split("\n") == [
        "This function has changed since you decided about it:",
        '-  "description": "The tide.",',
        '+  "description": "The tide, and more.",',
    ]
    (table.folder / "tides.py").write_text(SOURCE + "\n# changed")
    pending = await table.calls(("call_3", "tide", '{"port": "Turku"}'))
    assert pending.calls[0].changed == (
        "tides.py, or a file that it imports, has changed since you decided about it."
    )


MORE = SOURCE.replace("The tide.", "The tide, and more.")
CHANGES = ['-  "description": "The tide.",', '+  "description": "The tide, and more.",']


async def test_a_function_that_changed_after_it_was_shown_is_asked_about_anew(table: Table) -> None:
    pending = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    (table.folder / "tides.py").write_text(MORE)
    pending.run("call_1")
    await pending.settled()
    assert table.ran == ""
    assert table.submitted == []
    assert pending.calls[0].state == "waiting"
    assert pending.calls[0].changed.split("\n") == [
        "This function has changed since you were asked about it:",
        *CHANGES,
    ]
    pending.run("call_1")
    await pending.settled()
    assert table.submitted[0][0]["output"] == "Oulu: 0.4 m"


async def test_calls_that_wait_show_a_change_as_soon_as_it_is_known(table: Table) -> None:
    pending = await table.calls(("call_1", "tide", '{"port": "Oulu"}'), ("call_2", "forecast", "{}"))
    pending.look_again()
    await pending.settled()
    assert pending.calls[0].changed == ""
    (table.folder / "tides.py").write_text(MORE.replace("(port: str)", "(harbour: str)"))
    pending.look_again()
    pending.look_again()
    await pending.settled()
    assert pending.calls[0].changed.startswith("This function has changed since you were asked about it:")
    assert not pending.calls[0].can_run, "its arguments do not fit any more"
    assert "harbour" in pending.calls[0].problem
    (table.folder / "tides.py").unlink()
    pending.look_again()
    await pending.settled()
    assert pending.calls[0].function is None
    assert pending.calls[0].problem == "The function is not here any more."
    pending.write("call_1", "0.4 m")
    pending.write("call_2", "Rain.")
    await pending.settled()
    assert [output["output"] for output in table.submitted[0]] == ["0.4 m", "Rain."]


async def test_a_change_since_it_was_let_run_once_is_shown(table: Table) -> None:
    pending = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    pending.run("call_1")
    await pending.settled()
    pending = await table.calls(("call_2", "tide", '{"port": "Turku"}'))
    assert (pending.calls[0].state, pending.calls[0].changed) == ("waiting", "")
    (table.folder / "tides.py").write_text(MORE)
    pending = await table.calls(("call_3", "tide", '{"port": "Turku"}'))
    assert pending.calls[0].changed.split("\n")[1:] == CHANGES


def test_letting_it_run_once_leaves_what_was_decided_for_good(tmp_path: Path) -> None:
    approvals = Approvals(tmp_path / "approvals.toml")
    approvals.decide("tide", "1", "always", "seen")
    approvals.let_run("tide", "1", "seen")
    assert approvals.decision("tide", "1") == "always"
    approvals.let_run("tide", "2", "seen now")
    assert (approvals.decision("tide", "2"), approvals.seen("tide", "3")) == (None, "seen now")
    assert approvals.decision("tide", "1") == "always", "the function may become that again"
    assert (approvals.seen("tide", "1"), approvals.seen("tide", "2")) == (None, None)
    approvals.decide("tide", "2", "never", "seen later")
    assert (approvals.decision("tide", "1"), approvals.seen("tide", "3")) == (None, "seen later")


async def test_a_tool_that_changes_while_calls_wait_is_asked_about_anew(table: Table, tmp_path: Path) -> None:
    tool = {"name": "do", "description": "Reads a file.", "inputSchema": {"type": "object"}}
    listed, next_tools = tmp_path / "tools.json", tmp_path / "next.json"
    listed.write_text(json.dumps([tool]))
    next_tools.write_text(json.dumps([{**tool, "description": "Deletes a file."}]))
    program = (mcp_raw_server.__file__, f"tools={listed}", f"changes={next_tools}")
    heard: list[PendingCalls] = []

    def changed() -> None:
        for pending in heard:
            pending.look_again()

    servers = McpServers({"w": McpServer("w", sys.executable, program)}, 30, changed=changed)
    table.sources = [servers]
    try:
        pending = await table.calls(("call_1", "w__do", "{}"), ("call_2", "w__do", "{}"))
        heard.append(pending)
        pending.run("call_1")
        async with asyncio.timeout(60):
            while not pending.calls[1].changed:
                await asyncio.sleep(0.01)
        assert pending.calls[1].state == "waiting"
        assert pending.calls[1].changed.split("\n")[1:] == [
            '-  "description": "Reads a file.",',
            '+  "description": "Deletes a file.",',
        ]
        await pending.settled()
        pending.run("call_2")
        await pending.settled()
        first, second = (output["output"] for output in table.submitted[0])
        assert second == first.replace("call 1", "call 2"), "it is still the same connection"
    finally:
        await servers.close()
