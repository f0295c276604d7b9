"""The runs that this engine works on: their executors, their leases, and what has streamed in of them."""

import asyncio
import logging
from collections.abc import Coroutine

from assistants_tui.engine.runs.executor import Executor
from assistants_tui.engine.runs.run_storage import RunStorage
from assistants_tui.engine.runs.services import RunServices
from assistants_tui.engine.runs.unattended_runs import LEASE_SECONDS
from assistants_tui.engine.store import runs
from assistants_tui.protocol.events import DONE, ERROR, run_event
from assistants_tui.protocol.objects import Json

_CHECK_SECONDS = 0.25  # between two checks of the active runs: text that streams in is stored as often

_logger = logging.getLogger(__name__)


class ActiveRuns:
    """Contains the IDs of the runs that have an executor. `name`: of this engine, as it holds leases."""

    def __init__(self, services: RunServices, name: str) -> None:
        self._services = services
        self._name = name
        self._executors: dict[str, Executor] = {}  # by run: its newest attempt
        self._tasks: set[asyncio.Task[None]] = set()
        self._any = asyncio.Event()
        self._renewed_at = 0.0

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._executors

    def lease(self) -> Json:
        """The fields of a run that is stored for this engine to work on."""
        return {"lease_holder": self._name, "lease_renewed_at": self._services.clock.time()}

    def start(self, storage: RunStorage) -> None:
        """Begin to work on a run that is stored with this engine's lease."""
        executor = Executor(self._services, storage)
        self._executors[storage.id] = executor
        self._any.set()
        self.spawn(self._work(executor))

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Do some work in a task that `close` waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self, run_id: str) -> None:
        """The client has cancelled a run; nothing happens if it has no executor here."""
        if (executor := self._executors.get(run_id)) is not None:
            _cancel(executor)

    def leave_thread(self, thread_id: str) -> None:
        """The thread was deleted: stop the work on its run."""
        for executor in self._executors.values():
            if executor.storage.run["thread_id"] == thread_id:
                executor.cancel_token.request("taken")

    async def close(self) -> None:
        """End all work, and wait until what was written is stored."""
        for executor in self._executors.values():
            executor.cancel_token.request("shutdown")
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def watch(self) -> None:
        """Until cancelled: store what streams in, renew the leases, notice what others did to the runs."""
        while True:
            await self._any.wait()
            await self._services.clock.sleep(_CHECK_SECONDS)
            try:
                await self._save()
                await self._check()
            except Exception:
                _logger.exception("checking the active runs failed; it is tried again")
            if not self._executors:
                self._any.clear()

    async def _work(self, executor: Executor) -> None:
        storage = executor.storage
        try:
            await executor.work()
            if not executor.writer.concluded:
                await self._publish_end(executor)
        except Exception:
            # The store failed. The run stays as it is until the sweep finds it without an executor.
            _logger.exception("run %s was lost", storage.id)
        finally:
            # An answer to a run that waits may have begun the next attempt before this one gets here.
            if self._executors.get(storage.id) is executor:
                del self._executors[storage.id]
            storage.events.publish(DONE, "[DONE]")
            storage.events.end()
            await executor.release()

    async def _publish_end(self, executor: Executor) -> None:
        """Publish the final state of a run that another process ended or deleted."""
        storage = executor.storage
        async with self._services.database.read() as connection:
            run = await runs.get(connection, storage.owner, storage.run["thread_id"], storage.id)
        if run is not None:
            storage.events.publish(run_event(run["status"]), run)
        else:
            error = {"message": "The run was deleted.", "type": "server_error", "param": None, "code": None}
            # The reference shows the bare error; the SDKs raise only if it is wrapped.
            storage.events.publish(ERROR, error | {"error": error})

    async def _save(self) -> None:
        now = self._services.clock.time()
        renew = abs(now - self._renewed_at) >= LEASE_SECONDS / 5
        unsaved = [executor for executor in self._executors.values() if executor.storage.unsaved]
        if not unsaved and not renew:
            return
        async with self._services.database.write() as connection:
            stored = [(one.storage, await one.writer.checkpoint(connection)) for one in unsaved]
            if renew:
                await runs.renew_leases(connection, self._name, self._executors, now)
                self._renewed_at = now
        for storage, streamed in stored:
            storage.note_saved(streamed)

    async def _check(self) -> None:
        """Notice what another process did to our runs, and which have run out of time."""
        now = self._services.clock.time()
        ours = dict(self._executors)
        async with self._services.database.read() as connection:
            states = await runs.held_by(connection, self._name)
        for run_id, executor in ours.items():
            expires_at = executor.storage.run["expires_at"]
            if run_id not in states:
                executor.cancel_token.request("taken")
            elif states[run_id] == "cancelling":
                _cancel(executor)
            elif expires_at is not None and expires_at <= now:
                executor.cancel_token.request("expire")


def _cancel(executor: Executor) -> None:
    if executor.cancel_token.request("cancel"):
        executor.writer.announce_cancelling()
