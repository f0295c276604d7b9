"""One thread as the app follows it: the messages read so far, its runs, and what still waits to be sent.

The server refuses messages and runs while a run of the thread is active, so texts queue until the thread is
free. Everything shown is the server's own objects; the only thing kept beyond them is the outbox.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from assistants_tui.protocol.objects import Message, Page, Run
from assistants_tui.service.conversation.context import ThreadContext
from assistants_tui.service.conversation.followed_run import FollowedRun
from assistants_tui.service.conversation.outbox import Outgoing
from assistants_tui.service.conversation.pages import (
    MESSAGES_PER_PAGE,
    RUNS_PER_PAGE,
    MessagePages,
    RunPages,
)
from assistants_tui.service.conversation.sender import Created, Sender, Settle
from assistants_tui.service.errors import ServiceError, unexpected
from assistants_tui.service.runs.options import RunOptions
from assistants_tui.service.runs.state import RunState

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend


class Conversation:
    """Reads a thread, keeps it up to date, and holds its parts: `pages`, `run_pages`, `followed`, `sender`.

    Subscribers are called after each change and then read the attributes.
    """

    def __init__(
        self,
        backend: Callable[[], Awaitable["Backend"]],
        thread_id: str | None = None,
        *,
        created: Created | None = None,
        acted: Callable[[str], None] = lambda assistant_id: None,
        settle: Settle | None = None,
        seen: Callable[[Iterable[Message]], None] = lambda messages: None,
    ) -> None:
        """`backend` gives the open backend, or raises ServiceError when it cannot be reached.

        `created` is told of the thread that the first message made, its assistant and that message, which is
        posted once it returns, and not at all if it raises ServiceError; `acted` of the assistant of each run
        that the user has begun, answered or cancelled, but for the first one of a new thread; `seen` of all
        messages once they are complete. `settle` says who answers a draft that was sent before that was
        known, and completes the draft; it may wait for the server, and raise ServiceError.
        """
        self._context = ThreadContext(backend, thread_id, seen=seen, acted=acted)
        self.pages = MessagePages(self._context)
        self.run_pages = RunPages(self._context, self.pages)
        self.followed = FollowedRun(self._context, self.run_pages, self.look_again)
        self.sender = Sender(
            self._context,
            self.pages,
            self.run_pages,
            self.followed,
            self._refresh,
            created=created,
            settle=settle,
        )
        self.options = RunOptions()
        """What the runs of this thread have different from their assistants."""
        self.opened = thread_id is None
        self._reader: asyncio.Task[None] | None = None
        self._outdated = False
        self._closed = False

    @property
    def thread_id(self) -> str | None:
        """None until the first message has made the thread."""
        return self._context.thread_id

    @property
    def messages(self) -> dict[str, Message]:
        """The messages read so far by ID, oldest first."""
        return self.pages.messages

    @property
    def runs(self) -> dict[str, RunState]:
        """The runs read so far by ID, oldest first."""
        return self.run_pages.runs

    @property
    def outbox(self) -> tuple[Outgoing, ...]:
        """What is still to be sent."""
        return self.sender.outbox.items

    @property
    def error(self) -> ServiceError | None:
        """What failed last, until it is tried again."""
        return self._context.error

    @property
    def latest_run(self) -> RunState | None:
        """The newest run of the thread, if one is known."""
        return self.run_pages.latest

    @property
    def active_run(self) -> RunState | None:
        """The run that holds the thread's lock, if any. The API allows one at a time."""
        return self.run_pages.active

    @property
    def busy(self) -> bool:
        """Whether a run is active or a text is on its way."""
        return self.active_run is not None or self.sender.outbox.next is not None

    @property
    def activity(self) -> Literal["idle", "working", "waiting"]:
        """`waiting`: the active run waits for the user."""
        if self.active_run is not None and self.active_run.waits:
            return "waiting"
        return "working" if self.busy or not self.followed.thread_free.is_set() else "idle"

    def subscribe(self, subscriber: Callable[[], None]) -> Callable[[], None]:
        """Call `subscriber` after each change, until the returned function is called."""
        return self._context.subscribe(subscriber)

    def report(self, error: ServiceError) -> None:
        """Show a failure that concerns this thread."""
        self._context.fail(error)

    def dismiss_error(self) -> None:
        """Show `error` no longer: the user does something about it."""
        self._context.error = None
        self._context.changed()

    async def open(self) -> None:
        """Read the newest messages and runs, and follow a run that is still active.

        Raises nothing: a failure is kept in `error`, and `reconnect` tries again.
        """
        if self.opened or self.thread_id is None:
            return
        self._outdated = False  # what is changed until now is in what is read
        try:
            page, runs = await self._newest(self.thread_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is said where the thread is shown
            self._context.fail(unexpected(error))
            return
        self.pages.put_older(page)
        self.run_pages.put_older(runs)
        self.opened = True
        self._context.changed()
        if self._outdated:
            self.look_again()
        try:
            await self._attend_latest(ours=True)
        except ServiceError as error:
            self._outdated = True
            self._context.fail(error)

    @property
    def outdated(self) -> bool:
        """Whether others have changed something that could not be read yet: `look_again` tries again."""
        return self._outdated and self.opened

    def look_again(self) -> None:
        """Read what others have changed since, as another window does, and follow a run that they began.

        It goes on by itself; asked again meanwhile, it reads once more afterwards. Nothing is said of a
        failure: nobody has asked, and the next request says it.
        """
        self._outdated = True
        if self.thread_id is None or not self.opened or self._closed:
            return
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._catch_up(self.thread_id))

    async def _catch_up(self, thread_id: str) -> None:
        while self._outdated:
            self._outdated = False
            messages, runs = dict(self.messages), dict(self.runs)
            try:
                page, run_page = await self._newest(thread_id)
                self._put_newest(page, messages, run_page, runs)
                await self.sender.take_newest(page.items)
                self._context.changed()
                await self._attend_latest(ours=False)
            except Exception as cause:  # noqa: BLE001  the next change has another try
                self._outdated = unexpected(cause).retryable
                return

    def _put_newest(
        self,
        page: Page[Message],
        messages: Mapping[str, Message],
        run_page: Page[Run],
        runs: Mapping[str, RunState],
    ) -> None:
        """Take over what the server has listed. `messages`, `runs`: what was known when it was asked."""
        following = self.followed.task is not None
        written = self.active_run.messages if self.active_run is not None and following else {}
        self.pages.put_newest(page, messages, written.keys())
        self.run_pages.put_newest(run_page, runs, following=following)
        if not following:
            self.followed.note_end()  # the run that waited for the user may have been ended elsewhere

    def _refresh(self) -> asyncio.Task[None] | None:
        self.look_again()
        return self._reader

    async def _newest(self, thread_id: str) -> tuple[Page[Message], Page[Run]]:
        backend = await self._context.backend()
        return await asyncio.gather(
            backend.threads.messages(thread_id, limit=MESSAGES_PER_PAGE),
            backend.runs.list(thread_id, limit=RUNS_PER_PAGE),
        )

    async def _attend_latest(self, *, ours: bool) -> None:
        """Follow the newest run if it is active, or read its steps and messages; raises `ServiceError`.

        `ours`: it counts for this window. A run that is being begun here has its follower already, or gets it
        with the server's answer.
        """
        latest = self.latest_run
        if latest is None or latest.run is None or self.run_pages.has_steps(latest.run["id"]):
            return
        if not latest.active:
            await self.run_pages.load(latest.run["thread_id"], latest.run["id"])
        elif self.followed.task is None and self.sender.outbox.sending is None:
            await self.followed.resume(latest.run["id"], ours=ours)

    async def reconnect(self) -> None:
        """Try again what failed: reading the thread, following its active run, or reading what is new."""
        self.dismiss_error()
        if not self.opened:
            await self.open()
        elif (
            (active := self.active_run) is not None and active.run is not None and self.followed.task is None
        ):
            await self.followed.resume(active.run["id"])
        elif self._outdated:
            self.look_again()

    async def read_until(self, message_id: str) -> bool:
        """Read the thread back to this message. False if the thread does not have it."""
        await self.open()
        return await self.pages.read_until(message_id)

    async def delete_message(self, message_id: str) -> None:
        """Delete a message for good. Raises `ServiceError`."""
        await self.pages.delete(message_id)
        self.run_pages.forget_message(message_id)
        self._context.changed()

    async def cancel(self) -> str | None:
        """Stop what is being sent, and ask the server to stop the active run.

        Returns the ID of a message that the server certainly does not have; see `Sender.stop`.
        """
        stopped = await self.sender.stop()
        await self.followed.cancel()
        return stopped

    async def settled(self) -> None:
        """Wait until nothing moves by itself any more: all that is left waits for the user."""
        while self._running and (self.followed.task is not None or self.activity != "waiting"):
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """Stop following. The run itself goes on where the server goes on."""
        self._closed = True
        self.followed.close()
        while running := self._running:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    @property
    def _running(self) -> list[asyncio.Task[None]]:
        reader = self._reader if self._reader is not None and not self._reader.done() else None
        return [task for task in (reader, self.sender.task, self.followed.task) if task is not None]
