"""Calls that a run waits for: what runs, what never does, and that all outputs go out together."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from assistants_tui.protocol.objects import CodeDecision, Run, ToolOutput
from assistants_tui.service.approvals import run_approval
from assistants_tui.service.approvals.context import CallContext
from assistants_tui.service.approvals.pending_actions import PendingActions, pending_actions
from assistants_tui.service.approvals.run_approval import RunApproval
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.functions.mcp_servers import McpServers
from assistants_tui.service.functions.python_functions import PythonFunctions
from assistants_tui.service.functions.registry import Functions, FunctionSource
from assistants_tui.service.runs.state import RunState
from assistants_tui.settings.approvals import Approvals
from assistants_tui.settings.config import FunctionSettings
from assistants_tui.settings.mcp_server import McpServer
from support import mcp_raw_server
from support.patience import until

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
        self.decided: list[CodeDecision] = []
        self.states: list[PendingActions] = []
        self.overdue = asyncio.Event()
        self.sources: list[FunctionSource] = [PythonFunctions(self.folder, FunctionSettings())]

    def context(self) -> CallContext:
        return CallContext("local", Functions(self.sources), Approvals(self.approvals), self.log)

    async def calls(self, *calls: tuple[str, str, str]) -> RunApproval:
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
        run["required_action"] = {"submit_tool_outputs": {"tool_calls": wanted}}
        return await self.begin(run)

    async def code(self, source: str, expires_at: int | None = None) -> RunApproval:
        """One block of code, `call_1`."""
        call = {"id": "call_1", "code_interpreter": {"input": source}}
        action = {"approve_code": {"tool_calls": [call], "reason": "No namespaces."}}
        run = {"id": "run_1", "thread_id": "thread_1", "expires_at": expires_at, "required_action": action}
        return await self.begin(run)

    async def begin(self, run: dict[str, Any]) -> RunApproval:
        state = RunState("thread_1", cast(Run, {"status": "requires_action", **run}))
        pending = pending_actions(state)
        assert pending is not None and state.run is not None
        approval = RunApproval(
            state.run,
            pending,
            self.context(),
            self,
            changed=lambda: self.states.append(approval.pending),
            overdue=self.overdue.set,
        )
        approval.begin()
        await approval.settled()
        return approval

    async def submit(self, outputs: Sequence[ToolOutput]) -> None:
        self.submitted.append(outputs)

    async def decide_on_code(self, decision: CodeDecision) -> None:
        self.decided.append(decision)

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


def allow(approval: RunApproval, call_id: str, *, always: bool = False) -> bool:
    """Let a call run that the user has seen."""
    approval.see(approval.pending.get(call_id))
    return approval.allow(call_id, always=always)


async def test_nothing_runs_before_the_user_agrees(table: Table) -> None:
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    assert table.ran == ""
    assert approval.pending.calls[0].can_run
    allow(approval, "call_1")
    await approval.settled()
    assert table.ran == "Oulu "
    assert table.submitted == [[{"tool_call_id": "call_1", "output": "Oulu: 0.4 m"}]]
    assert table.logged == [("once", "ok")]
    again = await table.calls(("call_2", "tide", '{"port": "Vaasa"}'))
    assert again.pending.calls[0].state == "waiting", "once is once"


async def test_always_holds_until_the_function_changes(table: Table) -> None:
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    allow(approval, "call_1", always=True)
    await approval.settled()
    await table.calls(("call_2", "tide", '{"port": "Vaasa"}'))
    assert table.ran == "Oulu Vaasa "
    assert table.logged == [("always", "ok"), ("always", "ok")]
    (table.folder / "tides.py").write_text(SOURCE + "\n# changed")
    approval = await table.calls(("call_3", "tide", '{"port": "Turku"}'))
    assert approval.pending.calls[0].state == "waiting"
    assert table.ran == "Oulu Vaasa "


async def test_two_windows_run_a_call_once(table: Table) -> None:
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    allow(approval, "call_1", always=True)
    await approval.settled()
    one, two = await asyncio.gather(*(table.calls(("call_2", "tide", '{"port": "Vaasa"}')) for _ in range(2)))
    assert table.ran == "Oulu Vaasa "
    assert sorted(call.state for call in (*one.pending.calls, *two.pending.calls)) == ["answered", "waiting"]
    await one.close()
    await two.close()


async def test_never_refuses_from_then_on(table: Table) -> None:
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    approval.decline("call_1", never=True)
    await approval.settled()
    await table.calls(("call_2", "tide", '{"port": "Oulu"}'))
    assert table.ran == ""
    assert [outputs[0]["output"] for outputs in table.submitted] == ["The user declined this call."] * 2
    assert table.logged == [("never", "declined")] * 2


async def test_refusing_once_can_give_a_reason(table: Table) -> None:
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    approval.decline("call_1", "Ask about Vaasa instead.")
    await approval.settled()
    assert table.submitted[0][0]["output"] == "The user declined this call. Ask about Vaasa instead."
    assert table.logged == [("refused", "declined")]
    again = await table.calls(("call_2", "tide", '{"port": "Oulu"}'))
    assert again.pending.calls[0].can_run


async def test_parallel_calls_are_sent_together_in_their_order(table: Table) -> None:
    approval = await table.calls(
        ("call_1", "tide", '{"port": "Oulu"}'),
        ("call_2", "forecast", '{"place": "Oulu"}'),
        ("call_3", "tide", '{"port": "Atlantis"}'),
    )
    allow(approval, "call_3")
    await approval.settled()
    assert approval.pending.calls[2].failed
    assert "tides.py" in approval.pending.calls[2].printed
    approval.write("call_2", "rain")
    await approval.settled()
    approval.write("call_2", "snow")
    await approval.settled()
    assert table.submitted == []
    allow(approval, "call_1")
    await approval.settled()
    assert table.submitted == [
        [
            {"tool_call_id": "call_1", "output": "Oulu: 0.4 m"},
            {"tool_call_id": "call_2", "output": "snow"},
            {"tool_call_id": "call_3", "output": "The function failed with ValueError: it sank"},
        ]
    ]
    approval.write("call_2", "too late")
    await approval.settled()
    assert approval.pending.calls[1].output == "snow"


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
    approval = await table.calls(("call_0", "tide", '{"port": "Oulu"}'))
    allow(approval, "call_0", always=True)
    await approval.settled()
    approval = await table.calls(("call_1", name, arguments))
    call = approval.pending.calls[0]
    assert words in call.problem
    assert call.arguments == arguments
    assert not call.can_run
    allow(approval, "call_1")
    await approval.settled()
    assert table.ran == "Oulu "
    approval.write("call_1", call.problem)
    await approval.settled()
    assert words in table.submitted[-1][0]["output"]


async def test_calls_that_nobody_waits_for_are_stopped(table: Table) -> None:
    (table.folder / "slow.py").write_text(
        "import time\ndef slow():\n    open('began', 'w')\n    time.sleep(600)\n"
    )
    approval = await table.calls(("call_1", "slow", "{}"))
    allow(approval, "call_1")
    await until("the function has begun", (table.folder / "began").exists)
    await approval.close()
    assert table.submitted == []
    assert table.logged == [("once", "stopped")]


async def test_a_log_that_cannot_be_written_is_told(table: Table) -> None:
    table.log.mkdir()
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    approval.write("call_1", "0.4 m")
    await approval.settled()
    assert table.submitted[0][0]["output"] == "0.4 m"
    assert "calls.log cannot be written" in approval.pending.calls[0].problem


async def test_how_a_function_has_changed_is_told(table: Table) -> None:
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    assert approval.pending.calls[0].changed == ""
    allow(approval, "call_1", always=True)
    await approval.settled()
    (table.folder / "tides.py").write_text(SOURCE.replace("The tide.", "The tide, and more."))
    approval = await table.calls(("call_2", "tide", '{"port": "Turku"}'))
    assert approval.pending.calls[0].changed.split("\n") == [
        "This function has changed since you decided about it:",
        '-  "description": "The tide.",',
        '+  "description": "The tide, and more.",',
    ]
    (table.folder / "tides.py").write_text(SOURCE + "\n# changed")
    approval = await table.calls(("call_3", "tide", '{"port": "Turku"}'))
    assert approval.pending.calls[0].changed == (
        "tides.py, or a file that it imports, has changed since you decided about it."
    )


MORE = SOURCE.replace("The tide.", "The tide, and more.")
CHANGES = ['-  "description": "The tide.",', '+  "description": "The tide, and more.",']


async def test_a_function_that_changed_after_it_was_shown_is_asked_about_anew(table: Table) -> None:
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    (table.folder / "tides.py").write_text(MORE)
    allow(approval, "call_1")
    await approval.settled()
    assert table.ran == ""
    assert table.submitted == []
    assert approval.pending.calls[0].state == "waiting"
    assert approval.pending.calls[0].changed.split("\n") == [
        "This function has changed since you were asked about it:",
        *CHANGES,
    ]
    allow(approval, "call_1")
    await approval.settled()
    assert table.submitted[0][0]["output"] == "Oulu: 0.4 m"


async def test_calls_that_wait_show_a_change_as_soon_as_it_is_known(table: Table) -> None:
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'), ("call_2", "forecast", "{}"))
    approval.refresh()
    await approval.settled()
    assert approval.pending.calls[0].changed == ""
    (table.folder / "tides.py").write_text(MORE.replace("(port: str)", "(harbour: str)"))
    approval.refresh()
    approval.refresh()
    await approval.settled()
    call = approval.pending.calls[0]
    assert call.changed.startswith("This function has changed since you were asked about it:")
    assert not call.can_run, "its arguments do not fit any more"
    assert "harbour" in call.problem
    (table.folder / "tides.py").unlink()
    approval.refresh()
    await approval.settled()
    assert approval.pending.calls[0].function is None
    assert approval.pending.calls[0].problem == "The function is not here any more."
    approval.write("call_1", "0.4 m")
    approval.write("call_2", "Rain.")
    await approval.settled()
    assert [output["output"] for output in table.submitted[0]] == ["0.4 m", "Rain."]


async def test_a_change_since_it_was_let_run_once_is_shown(table: Table) -> None:
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    allow(approval, "call_1")
    await approval.settled()
    approval = await table.calls(("call_2", "tide", '{"port": "Turku"}'))
    assert (approval.pending.calls[0].state, approval.pending.calls[0].changed) == ("waiting", "")
    (table.folder / "tides.py").write_text(MORE)
    approval = await table.calls(("call_3", "tide", '{"port": "Turku"}'))
    assert approval.pending.calls[0].changed.split("\n")[1:] == CHANGES


async def test_a_tool_that_changes_while_calls_wait_is_asked_about_anew(table: Table, tmp_path: Path) -> None:
    tool = {"name": "do", "description": "Reads a file.", "inputSchema": {"type": "object"}}
    listed, next_tools = tmp_path / "tools.json", tmp_path / "next.json"
    listed.write_text(json.dumps([tool]))
    next_tools.write_text(json.dumps([{**tool, "description": "Deletes a file."}]))
    program = (mcp_raw_server.__file__, f"tools={listed}", f"changes={next_tools}")
    open_ones: list[RunApproval] = []

    def changed() -> None:
        for one in open_ones:
            one.refresh()

    servers = McpServers({"w": McpServer("w", sys.executable, program)}, 30, changed=changed)
    table.sources = [servers]
    try:
        approval = await table.calls(("call_1", "w__do", "{}"), ("call_2", "w__do", "{}"))
        open_ones.append(approval)
        allow(approval, "call_1")
        await until("the change is told", lambda: approval.pending.calls[1].changed, seconds=60)
        assert approval.pending.calls[1].state == "waiting"
        assert approval.pending.calls[1].changed.split("\n")[1:] == [
            '-  "description": "Reads a file.",',
            '+  "description": "Deletes a file.",',
        ]
        await approval.settled()
        allow(approval, "call_2")
        await approval.settled()
        first, second = (output["output"] for output in table.submitted[0])
        assert second == first.replace("call 1", "call 2"), "it is still the same connection"
    finally:
        await servers.close()


async def test_nothing_runs_that_the_user_has_not_seen(table: Table) -> None:
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    assert not approval.allow("call_1", always=True)
    shown = approval.pending.calls[0]
    (table.folder / "tides.py").write_text(MORE)
    approval.refresh()
    await approval.settled()
    approval.see(shown)
    assert not approval.allow("call_1"), "what the user has seen is another function"
    assert table.ran == ""
    assert table.submitted == []


async def test_a_change_is_shown_although_the_call_was_read_meanwhile(table: Table) -> None:
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    (table.folder / "tides.py").write_text(MORE)
    approval.refresh()
    await asyncio.sleep(0)  # it has begun to look
    approval.see(approval.pending.calls[0])
    approval.draft("call_1", "0.4")
    await approval.settled()
    call = approval.pending.calls[0]
    assert call.changed
    assert not call.seen
    assert call.draft == "0.4"


async def test_what_is_decided_when_the_run_is_over_has_no_effect(table: Table) -> None:
    approval = await table.calls(("call_1", "tide", '{"port": "Oulu"}'))
    await approval.close()
    assert not allow(approval, "call_1")
    assert not approval.write("call_1", "0.4 m")
    await approval.settled()
    assert (table.ran, table.submitted) == ("", [])


async def test_outputs_that_were_lost_are_sent_again(table: Table) -> None:
    approval = await table.calls(("call_1", "forecast", '{"place": "Oulu"}'))
    approval.send()
    await approval.settled()
    assert table.submitted == [], "there is no output yet"
    approval.write("call_1", "rain")
    await approval.settled()
    approval.note_error(ServiceError("The network is gone."))
    assert approval.pending.sent
    approval.send()
    await approval.settled()
    assert table.submitted == [[{"tool_call_id": "call_1", "output": "rain"}]] * 2


async def test_code_is_sent_as_it_was_decided_on(table: Table) -> None:
    approval = await table.code("print(1)")
    assert not approval.write("call_1", "an output is nothing for code")
    approval.draft("call_1", "neither")
    assert table.states == []
    assert not approval.allow("call_1")
    code = approval.pending.code
    assert code is not None
    approval.see(code)
    approval.edit(lambda code: code.began_edit("print(2)"))
    assert approval.allow("call_1")
    assert approval.pending.sent
    approval.edit(lambda code: code.began_edit("print(3)"))
    await approval.settled()
    assert table.decided == [{"tool_call_id": "call_1", "decision": "run", "code": "print(2)"}]
    assert not approval.decline("call_1")
    assert table.states[-1].sent


async def test_code_is_asked_about_again_when_something_new_went_wrong(table: Table) -> None:
    approval = await table.code("print(1)")
    old = ServiceError("An old trouble.")
    approval.note_error(old)
    approval.decline("call_1", "Not now.")
    approval.note_error(old)
    assert approval.pending.sent, "it went wrong before the decision"
    approval.note_error(ServiceError("The decision is lost."))
    assert approval.pending.code is not None
    assert approval.pending.code.state == "waiting"
    assert approval.decline("call_1")
    approval.note_error(None)
    await approval.settled()
    assert table.states[-1].sent
    assert [one["decision"] for one in table.decided] == ["reject", "reject"]


async def test_the_deadline_is_told_and_is_no_reason_to_wait(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, looked = [1_600.0], 0

    def clock() -> float:
        nonlocal looked
        looked += 1
        return now[0]

    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setattr(run_approval, "CLOCK", 0.001)
    approval = await table.code("print(1)", expires_at=1_600)
    async with asyncio.timeout(10):
        while looked < 3:
            await asyncio.sleep(0.001)
        assert not table.overdue.is_set(), "it is the last moment"
        now[0] = 1_600.5
        await table.overdue.wait()
    await approval.close()
