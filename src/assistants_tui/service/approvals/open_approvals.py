"""The approvals that runs of all open conversations wait for, also of those that are not shown."""

import asyncio
from collections.abc import Callable
from functools import partial

from assistants_tui.service.approvals.context import CallContext
from assistants_tui.service.approvals.pending_actions import pending_actions, pending_key
from assistants_tui.service.approvals.run_approval import RunApproval
from assistants_tui.service.conversation.conversation import Conversation


class OpenApprovals:
    """Watches conversations for runs that wait for the user. `changed` is called when what they wait for has
    changed."""

    def __init__(self, context: CallContext, changed: Callable[[], None]) -> None:
        self._context = context
        self._changed = changed
        self._open: dict[Conversation, RunApproval] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._reading: set[asyncio.Task[None]] = set()

    def of(self, conversation: Conversation) -> RunApproval | None:
        """What the active run of a conversation waits for."""
        return self._open.get(conversation)

    def sync(self, conversation: Conversation) -> None:
        """Look at a conversation that has changed: begin with new actions, stop with those that are over.

        They are over when the run waits no more, also because another window has answered it.
        """
        state = conversation.active_run
        present = self._open.get(conversation)
        if pending_key(state) == (present.pending.key if present is not None else ()):
            if present is not None:
                present.note_error(conversation.error)
            return
        if present is not None:
            del self._open[conversation]
            self._close(present)
        pending = pending_actions(state) if state is not None else None
        if pending is not None and state is not None and state.run is not None:
            approval = RunApproval(
                state.run,
                pending,
                self._context,
                conversation.followed,
                changed=self._changed,
                overdue=partial(self._read_again, conversation),
            )
            approval.note_error(conversation.error)
            self._open[conversation] = approval
            approval.begin()
        self._changed()

    def refresh(self) -> None:
        """Functions may have changed: ask anew about the calls that wait for one that has."""
        for approval in self._open.values():
            approval.refresh()

    async def close(self) -> None:
        """Stop everything that runs for a call."""
        for approval in self._open.values():
            self._close(approval)
        self._open.clear()
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._closing)

    def _read_again(self, conversation: Conversation) -> None:
        """The server gives up the run of a conversation now."""
        task = asyncio.create_task(conversation.reconnect())
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    def _close(self, approval: RunApproval) -> None:
        task = asyncio.create_task(approval.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
