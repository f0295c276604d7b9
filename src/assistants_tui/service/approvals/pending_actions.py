"""The actions that a run waits for the user to decide on, and whether their answers are sent. Pure state.

Each change returns a new object, and one that is not permitted returns the same object again, so `is` tells
whether something has changed. `RunApproval` carries out what is decided here.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from assistants_tui.protocol.objects import ToolCall, ToolOutput
from assistants_tui.service.approvals.actions import Action, CodeBlock, FunctionCall
from assistants_tui.service.runs.state import PendingCode, RunState
from assistants_tui.service.safe_text import clean

_LINE_ENDS = re.compile("\r\n?")


@dataclass(frozen=True, slots=True)
class PendingActions:
    """What one run waits for: function calls, or one block of code."""

    thread_id: str
    run_id: str
    expires_at: int | None
    """When the server gives the run up, in Unix seconds."""
    actions: tuple[Action, ...]
    sent: bool = False
    """The answers are on their way, and change no more."""

    @property
    def key(self) -> tuple[str, ...]:
        """Tells what is asked apart from anything else: see `pending_key`."""
        return self.run_id, *(action.id for action in self.actions)

    @property
    def calls(self) -> tuple[FunctionCall, ...]:
        """The function calls, in the model's order."""
        return tuple(action for action in self.actions if isinstance(action, FunctionCall))

    @property
    def code(self) -> CodeBlock | None:
        """The block of code, if that is what the run waits for."""
        return next((action for action in self.actions if isinstance(action, CodeBlock)), None)

    @property
    def complete(self) -> bool:
        """Whether every action has its answer."""
        return all(action.state == "answered" for action in self.actions)

    @property
    def outputs(self) -> Sequence[ToolOutput]:
        """The answers of the function calls, as they are sent."""
        return [ToolOutput(tool_call_id=call.id, output=call.output) for call in self.calls]

    def get(self, action_id: str) -> Action:
        """The action of this ID."""
        return next(action for action in self.actions if action.id == action_id)

    def change(self, action_id: str, change: Callable[[Action], Action]) -> "PendingActions":
        """Change one action, unless the answers are sent."""
        before = self.get(action_id)
        return self.swap(before, change(before))

    def swap(self, before: Action, after: Action) -> "PendingActions":
        """Put `after` in the place of `before`, unless that has become another one meanwhile."""
        if self.sent or after == before or not any(action is before for action in self.actions):
            return self
        # servers should not, but may, give two calls one ID: then one answer is for both
        return replace(self, actions=tuple(after if one.id == before.id else one for one in self.actions))

    def see(self, shown: Action) -> "PendingActions":
        """The user has seen all of `shown`. It counts if the action still asks the same question."""
        current = self.get(shown.id)
        if current.state != "waiting" or current.subject != shown.subject:
            return self
        if isinstance(current, CodeBlock) and current.edit is not None:
            return self.swap(current, replace(current, edit=replace(current.edit, seen=True)))
        return self.swap(current, replace(current, seen=True))

    def sending(self) -> "PendingActions":
        """The answers leave, if they are complete."""
        return replace(self, sent=True) if self.complete and not self.sent else self

    def not_received(self) -> "PendingActions":
        """The answers did not arrive. Code is asked about again; outputs stay, and can be sent again."""
        code = self.code
        if code is None or not self.sent:
            return self
        return replace(self, sent=False, actions=(replace(code, state="waiting", decision=None),))


def pending_key(state: RunState | None) -> tuple[str, ...]:
    """The IDs of the run and of the actions that it waits for; empty if it waits for none."""
    if state is None or state.run is None:
        return ()
    code = state.pending_code
    ids = [call["id"] for call in state.pending_calls] or ([code.call_id] if code is not None else [])
    return (state.run["id"], *ids) if ids else ()


def pending_actions(state: RunState) -> PendingActions | None:
    """What a run waits for, as it begins; None if it waits for nothing."""
    if state.run is None:
        return None
    code, calls = state.pending_code, state.pending_calls
    actions: tuple[Action, ...] = tuple(map(_call, calls))
    if not actions and code is not None:
        actions = (_code(code),)
    if not actions:
        return None
    expires_at: object = state.run.get("expires_at")
    return PendingActions(
        state.run["thread_id"],
        state.run["id"],
        expires_at if isinstance(expires_at, int) else None,
        actions,
    )


def _call(call: ToolCall) -> FunctionCall:
    function = call.get("function") or {"name": "", "arguments": ""}
    name, arguments = function.get("name"), function.get("arguments")
    return FunctionCall(id=call["id"], name=str(name or ""), arguments=str(arguments or ""))


def _code(pending: PendingCode) -> CodeBlock:
    code = _LINE_ENDS.sub("\n", pending.code)
    original = clean(code)
    return CodeBlock(
        id=pending.call_id,
        code=code,
        original=original,
        text=original,
        why_unconfined=pending.reason,
    )
