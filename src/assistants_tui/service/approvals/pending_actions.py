"""Where the function calls of all conversations are worked on, also of those that nobody looks at."""

import asyncio
from collections.abc import Callable

from assistants_tui.service.approvals.pending_calls import CallContext, PendingCalls
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.functions.mcp_servers import McpServers
from assistants_tui.service.functions.python_functions import PythonFunctions
from assistants_tui.service.functions.registry import Catalogue, Function, Functions
from assistants_tui.settings.approvals import Approvals, Decision
from assistants_tui.settings.config import Config
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.paths import Paths


class PendingActions:
    """Watches conversations for runs that wait for functions. `changed` is told when calls have changed."""

    def __init__(self, profile: str, paths: Paths, config: Config, changed: Callable[[], None]) -> None:
        self.folder = paths.functions_dir
        """The folder of the user's Python functions."""
        self._mcp = McpServers(config.mcp, config.functions.timeout, paths.downloads_dir, self._look_again)
        functions = Functions([PythonFunctions(paths.functions_dir, config.functions), self._mcp])
        self._context = CallContext(profile, functions, Approvals(paths.approvals_file), paths.calls_log)
        self._changed = changed
        self._pending: dict[Conversation, PendingCalls] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def catalogue(self) -> Catalogue:
        """Every function that can be called here. Starts the MCP servers."""
        return await self._context.functions.catalogue()

    async def decision(self, function: Function) -> Decision | None:
        """What the user decided for good about a function."""
        approvals = self._context.approvals
        return await asyncio.to_thread(approvals.decision, function.definition["name"], function.fingerprint)

    async def forget(self, function: Function) -> None:
        """Ask again before a function runs. Raises `ServiceError`."""
        approvals = self._context.approvals
        try:
            await asyncio.to_thread(approvals.decide, function.definition["name"], function.fingerprint, None)
        except SettingsError as error:
            raise ServiceError(str(error), kind="settings", no_effect=True) from error

    def calls(self, conversation: Conversation) -> PendingCalls | None:
        """The calls that a conversation's run waits for."""
        return self._pending.get(conversation)

    def sync(self, conversation: Conversation) -> None:
        """Look at a conversation that has changed: begin with new calls, stop with those that are over."""
        state = conversation.active_run
        wanted = state.pending_calls if state is not None else ()
        present = self._pending.get(conversation)
        if [call["id"] for call in wanted] == [call.id for call in (present.calls if present else ())]:
            return
        if present is not None:
            del self._pending[conversation]
            self._close(present)
        if wanted and state is not None and state.run is not None:
            pending = PendingCalls(
                state.run, wanted, self._context, conversation.followed.submit, self._changed
            )
            self._pending[conversation] = pending
            pending.begin()
        self._changed()

    async def close(self) -> None:
        """Stop all calls and disconnect the MCP servers."""
        for pending in self._pending.values():
            self._close(pending)
        self._pending.clear()
        await asyncio.gather(*self._closing)
        await self._mcp.close()

    def _look_again(self) -> None:
        for pending in self._pending.values():
            pending.look_again()

    def _close(self, pending: PendingCalls) -> None:
        task = asyncio.create_task(pending.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
