"""One run in the store: the transactions in which its executor changes it, and what is not stored yet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.runs.cancellation import Interrupted
from assistants_tui.engine.runs.events import EventBroadcaster
from assistants_tui.engine.search import passages
from assistants_tui.engine.store import run_steps, runs
from assistants_tui.engine.store.clock import Clock
from assistants_tui.engine.store.database import Database
from assistants_tui.engine.store.messages import StoredMessage
from assistants_tui.engine.store.run_steps import StoredStep
from assistants_tui.engine.store.runs import StoredRun
from assistants_tui.protocol.events import STEP, Event, step_event
from assistants_tui.protocol.objects import Json
from assistants_tui.protocol.transitions import WORKED_ON, RunEvent


class RunStorage:
    """Changes a run in transactions, and publishes the events of each once it is committed.

    `with_passages`: whether streams want the text of search results.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBroadcaster,
        *,
        owner: str,
        run: StoredRun,
        with_passages: bool = False,
    ) -> None:
        self.run = run
        """The run as it was stored last."""
        self.owner = owner
        self.events = events
        self._database = database
        self._clock = clock
        self._with_passages = with_passages
        self._streamed = 0  # how often something has streamed in
        self._saved = 0  # how much of that is on the disk

    @property
    def id(self) -> str:
        return self.run["id"]

    @property
    def unsaved(self) -> bool:
        """Whether something has streamed in that is not stored yet."""
        return self._saved < self._streamed

    @property
    def streamed(self) -> int:
        """How often something has streamed in."""
        return self._streamed

    def note_streamed(self) -> None:
        """Something has streamed in: the next checkpoint has to store it."""
        self._streamed += 1

    def note_saved(self, streamed: int) -> None:
        """What had streamed in when `streamed` was so high is committed."""
        self._saved = max(self._saved, streamed)

    def publish_delta(self, name: str, object_id: str, delta: Json) -> None:
        """Something has streamed in: publish it now, and store it with the next checkpoint."""
        self._streamed += 1
        self.events.publish(name, {"id": object_id, "object": name, "delta": delta})

    @asynccontextmanager
    async def transaction(self, *, saves: bool = False) -> AsyncIterator[tuple[AsyncConnection, list[Event]]]:
        """A transaction, and a list for events that are published once it is committed.

        `saves`: it stores all that has streamed in. No checkpoint may come after its commit: that would undo
        what a quick answer of a client has stored.
        """
        events: list[Event] = []
        saved = self._saved
        if saves:
            self._saved = self._streamed
        try:
            async with self._database.write() as connection:
                yield connection, events
        except BaseException:
            self._saved = saved if saves else self._saved
            raise
        for event in events:
            self.events.publish(
                event.name, event.data if self._with_passages else _without_passages(event.data)
            )

    @asynccontextmanager
    async def attempt_to_end(self) -> AsyncIterator[tuple[AsyncConnection, list[Event]]]:
        """A transaction that ends the run and stores all that has streamed in, or does neither: no events."""
        saved = self._saved
        async with self.transaction(saves=True) as (connection, events):
            yield connection, events
            if not events:
                self._saved = saved

    async def transition(self, connection: AsyncConnection, event: RunEvent, **values: Any) -> None:
        """Bring the run into the state that follows an event. Raises `Interrupted` if it takes it no more."""
        run = await runs.transition(connection, self.id, event, "executor", self.now(), **values)
        if run is None:
            await self.check(connection)
            raise Interrupted("taken")
        self.run = run

    async def check(self, connection: AsyncConnection) -> None:
        """Raises `Interrupted` if somebody has cancelled, ended or deleted the run."""
        status = await runs.status(connection, self.id)
        if status == "cancelling":
            raise Interrupted("cancel")
        if status not in WORKED_ON:
            raise Interrupted("taken")

    async def create_step(
        self, connection: AsyncConnection, details: Json, metadata: dict[str, str] | None = None
    ) -> StoredStep:
        """A new step of the run, in progress."""
        values = {
            "run_id": self.id,
            "thread_id": self.run["thread_id"],
            "assistant_id": self.run["assistant_id"],
            "type": details["type"],
            "step_details": details,
            "expires_at": self.run["expires_at"],
            "metadata": metadata or {},
        }
        return await run_steps.create(connection, self.owner, self.now(), values)

    async def complete_step(
        self, connection: AsyncConnection, events: list[Event], step: StoredStep, values: Json
    ) -> None:
        """Complete a step with these values, and add the event that announces it."""
        if changed := await run_steps.end(connection, step["id"], "completed", self.now(), values):
            events.append(Event(step_event("completed"), changed))

    def now(self) -> int:
        """Unix seconds, as objects carry them."""
        return int(self._clock.time())


def begin_events(kind: str, data: StoredStep | StoredMessage) -> list[Event]:
    """What announces a step or a message that begins. `kind`: how the names of its events begin."""
    return [Event(f"{kind}.created", data), Event(f"{kind}.in_progress", data)]


def _without_passages(data: Any) -> Any:
    return passages.without_content(data) if data["object"] == STEP else data
