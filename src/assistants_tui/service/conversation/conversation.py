"""One thread as the app follows it: the messages read so far, its runs, and what still waits to be sent.

The server refuses messages and runs while a run of the thread is active, so texts queue here until the thread
is free. Everything shown is the server's own objects; the only thing kept beyond them is the outbox.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from assistants_tui.protocol.objects import CodeDecision, Message, Metadata, Page, Run, Thread, ToolOutput
from assistants_tui.service.drafts import Draft, message_body, message_text, remove_pasted
from assistants_tui.service.errors import ServiceError, unexpected
from assistants_tui.service.files.attachments import Use, purpose
from assistants_tui.service.runs.options import RunOptions
from assistants_tui.service.runs.state import RunState
from assistants_tui.service.runs.usage import UsageCount

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend
    from assistants_tui.service.client.runs import Runs

PAGE_SIZE = 100
"""Messages read at once; the most that the API gives."""
RUNS_READ = 20
"""Runs that are read when the thread opens; steps of all but the newest are read when asked for."""

_DOUBT_SECONDS = 10.0
"""How long it is tried to find out what the server has of a message whose request was ended."""
Thing = TypeVar("Thing")

_outgoing_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way to the thread, or only a run."""

    id: str
    draft: Draft
    assistant_id: str | None
    """Who answers; None: whoever is chosen once the server has listed its assistants."""
    state: Literal["queued", "sending", "failed"] = "queued"
    posted: bool = False
    """The thread has the message; only its run is still to be started."""
    error: ServiceError | None = None
    file_ids: Mapping[int, str] = field(default_factory=dict)
    """The files that the server has, by their place in the draft."""
    uploading: tuple[str, int] | None = None
    """The name of the file on its way, and how much of it is through in percent."""

    @property
    def text(self) -> str:
        return self.draft.text


def _outgoing_id() -> str:
    return f"outgoing-{next(_outgoing_numbers)}"


class Conversation:
    """A thread being held. Subscribers are told after each change and then read the attributes."""

    def __init__(
        self,
        backend: Callable[[], Awaitable["Backend"]],
        thread_id: str | None = None,
        *,
        created: Callable[[Thread, str, str], Awaitable[None]] | None = None,
        acted: Callable[[str], None] = lambda assistant_id: None,
        settle: Callable[[Draft], Awaitable[tuple[str, Draft]]] | None = None,
        seen: Callable[[Iterable[Message]], None] = lambda messages: None,
    ) -> None:
        """`backend` gives the open backend, or raises ServiceError when it cannot be reached.

        `created` is told of the thread that the first message made, its assistant and that message, which is
        posted once it returns, and not at all if it raises ServiceError; `acted` of the assistant of each run
        that the user has begun, answered or cancelled, but for the first one of a new thread; `seen` of all
        messages once they are complete. `settle` says who answers a draft that was sent before that was
        known, and completes the draft; it may wait for the server, and raise ServiceError.
        """
        self._backend = backend
        self._created = created
        self._acted = acted
        self._settle = settle
        self._seen = seen
        self.thread_id = thread_id
        self.messages: dict[str, Message] = {}
        """The messages read so far by ID, oldest first."""
        self.runs: dict[str, RunState] = {}
        """The runs read so far by ID, oldest first."""
        self.usage = UsageCount()
        """What these runs used."""
        self.outbox: tuple[Outgoing, ...] = ()
        self.options = RunOptions()
        """What the runs of this thread have different from their assistants."""
        self.has_older = False
        """Whether the server has messages older than the ones read so far."""
        self.has_older_runs = False
        """Whether the server has runs older than the ones read so far."""
        self.error: ServiceError | None = None
        self.opened = thread_id is None
        self._older_after: str | None = None
        self._older_runs_after: str | None = None
        self._detailed: set[str] = set()
        self._subscribers: list[Callable[[], None]] = []
        self._free = asyncio.Event()
        self._free.set()
        self._pump: asyncio.Task[None] | None = None
        self._follower: asyncio.Task[None] | None = None
        self._upload: asyncio.Task[str] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._in_doubt = False  # whether the server may have the message that is being sent
        self._stopped = asyncio.Event()
        """The request of the message that was being sent has ended, and what the server has is known."""
        self._reader: asyncio.Task[None] | None = None
        self._outdated = False
        self._closed = False

    @property
    def latest_run(self) -> RunState | None:
        """The newest run of the thread, if one is known."""
        return next(reversed(self.runs.values()), None)

    @property
    def active_run(self) -> RunState | None:
        """The run that holds the thread's lock, if any. The API allows one at a time."""
        latest = self.latest_run
        return latest if latest is not None and latest.active else None

    @property
    def busy(self) -> bool:
        """Whether a run is active or a text is on its way."""
        return self.active_run is not None or any(item.state != "failed" for item in self.outbox)

    @property
    def activity(self) -> Literal["idle", "working", "waiting"]:
        """`waiting`: the active run waits for the user."""
        if self.active_run is not None and self.active_run.waits:
            return "waiting"
        return "working" if self.busy or not self._free.is_set() else "idle"

    def subscribe(self, subscriber: Callable[[], None]) -> Callable[[], None]:
        """Call `subscriber` after each change, until the returned function is called."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

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
            self._fail(unexpected(error))
            return
        self._put_older(page)
        self._put_older_runs(runs)
        self.opened = True
        self._changed()
        if self._outdated:
            self.look_again()
        try:
            await self._attend_latest(ours=True)
        except ServiceError as error:
            self._outdated = True
            self._fail(error)

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
                self._put_newest(page, messages)
                self._put_newest_runs(run_page, runs)
                self._changed()
                await self._attend_latest(ours=False)
            except Exception as cause:  # noqa: BLE001  the next change has another try
                self._outdated = unexpected(cause).retryable
                return

    async def _newest(self, thread_id: str) -> tuple[Page[Message], Page[Run]]:
        backend = await self._backend()
        return await asyncio.gather(
            backend.threads.messages(thread_id, limit=PAGE_SIZE),
            backend.runs.list(thread_id, limit=RUNS_READ),
        )

    async def _attend_latest(self, *, ours: bool) -> None:
        """Follow the newest run if it is active, or read its steps and messages; raises `ServiceError`.

        `ours`: it counts for this window. A run that is being begun here has its follower already, or gets it
        with the server's answer.
        """
        latest = self.latest_run
        if latest is None or latest.run is None or latest.run["id"] in self._detailed:
            return
        if not latest.active:
            await self._load_run(latest.run["thread_id"], latest.run["id"])
        elif self._following is None and not any(item.state == "sending" for item in self.outbox):
            await self._follow_again(latest.run["id"], ours=ours)

    async def read_older(self) -> None:
        """Read the page of messages above the oldest one. A failure is kept in `error`."""
        if self.thread_id is None or not self.has_older:
            return
        self.has_older = False  # until the answer is there: scrolling asks again and again
        try:
            backend = await self._backend()
            page = await backend.threads.messages(self.thread_id, limit=PAGE_SIZE, after=self._older_after)
        except ServiceError as error:
            self.has_older = True
            self._fail(error)
        else:
            self._put_older(page)
            self._changed()

    async def read_older_runs(self) -> None:
        """Read the page of runs before the oldest one. A failure is kept in `error`."""
        if self.thread_id is None or not self.has_older_runs:
            return
        try:
            backend = await self._backend()
            page = await backend.runs.list(self.thread_id, limit=RUNS_READ, after=self._older_runs_after)
        except ServiceError as error:
            self._fail(error)
        else:
            self._put_older_runs(page)
            self._changed()

    async def read_run(self, run_id: str) -> None:
        """Read the steps of a run that was only listed. A failure is kept in `error`."""
        if self.thread_id is None or run_id in self._detailed:
            return
        try:
            await self._load_run(self.thread_id, run_id)
        except ServiceError as error:
            self._fail(error)

    async def _load_run(self, thread_id: str, run_id: str) -> None:
        backend = await self._backend()
        state = await backend.runs.load(thread_id, run_id)
        self._take(state)
        if state.finished:
            self._seen(state.messages.values())
        self._changed()

    async def reconnect(self) -> None:
        """Try again what failed: reading the thread, following its active run, or reading what is new."""
        self.error = None
        self._changed()
        if not self.opened:
            await self.open()
        elif (active := self.active_run) is not None and active.run is not None and self._following is None:
            await self._follow_again(active.run["id"])
        elif self._outdated:
            self.look_again()

    def report(self, error: ServiceError) -> None:
        """Show a failure that concerns this thread."""
        self._fail(error)

    def send(self, draft: Draft, assistant_id: str | None) -> None:
        """Put a message on its way: posted and run at once, or as soon as the thread is free.

        Without an assistant it waits until there is one.
        """
        self._put(Outgoing(_outgoing_id(), draft, assistant_id))

    def run(self, assistant_id: str, options: RunOptions | None = None) -> None:
        """Let an assistant answer the thread as it is, once the thread is free."""
        draft = Draft("", options=options or RunOptions())
        self._put(Outgoing(_outgoing_id(), draft, assistant_id, posted=True))

    def _put(self, item: Outgoing) -> None:
        self.outbox += (item,)
        self._changed()
        self._start_pump()

    def retry(self, outgoing_id: str) -> None:
        """Try a failed text again."""
        for item in self.outbox:
            if item.id == outgoing_id and item.state == "failed":
                self._replace(replace(item, state="queued", error=None))
                self._start_pump()

    def take_back(self, outgoing_id: str) -> Draft | None:
        """Remove what the server does not have yet and return it; None if it is too late."""
        for item in self.outbox:
            if item.id == outgoing_id and item.state != "sending":
                self._drop(item.id)
                self._changed()
                return None if item.posted else item.draft
        return None

    @property
    def unsent(self) -> Sequence[Draft]:
        """What the server has not confirmed to have, oldest first."""
        return [item.draft for item in self.outbox if not item.posted]

    async def delete_message(self, message_id: str) -> None:
        """Delete a message for good. Raises `ServiceError`."""
        assert self.thread_id is not None  # it has messages
        backend = await self._backend()
        try:
            await backend.threads.delete_message(self.thread_id, message_id)
        except ServiceError as error:
            if error.status != 404:
                raise
        self.messages = {key: message for key, message in self.messages.items() if key != message_id}
        for run_id, state in self.runs.items():
            if message_id in state.messages:
                left = {key: message for key, message in state.messages.items() if key != message_id}
                self.runs[run_id] = replace(state, messages=left)
        self._changed()

    async def update_message(self, message_id: str, metadata: Metadata) -> None:
        """Replace the metadata of a message. Raises `ServiceError`."""
        assert self.thread_id is not None  # it has messages
        backend = await self._backend()
        message = await backend.threads.update_message(self.thread_id, message_id, metadata)
        self.messages[message_id] = message
        self._changed()

    async def read_until(self, message_id: str) -> bool:
        """Read older messages until this one is there. False if the thread does not have it."""
        await self.open()
        while message_id not in self.messages and self.has_older:
            read = len(self.messages)
            await self.read_older()
            if len(self.messages) == read:
                break
        return message_id in self.messages

    async def submit(self, outputs: Sequence[ToolOutput]) -> None:
        """Answer the function calls that the active run waits for, and follow it on."""
        await self._go_on(lambda runs, thread_id, run_id: runs.submit_outputs(thread_id, run_id, outputs))

    async def decide_on_code(self, decision: CodeDecision) -> None:
        """Say what is to become of the code that the active run waits to run, and follow it on."""
        await self._go_on(lambda runs, thread_id, run_id: runs.decide_on_code(thread_id, run_id, decision))

    async def _go_on(self, answer: Callable[["Runs", str, str], AsyncIterator[RunState]]) -> None:
        active = self.active_run
        if self.thread_id is None or active is None or active.run is None:
            return
        try:
            backend = await self._backend()
        except ServiceError as error:
            self._fail(error)
        else:
            states = answer(backend.runs, self.thread_id, active.run["id"])
            self._start_following(states, answered=active.run["assistant_id"])

    async def cancel(self) -> str | None:
        """Ask the server to stop the active run. What was written stays; the end is followed as usual.

        A message on its way is stopped too. Returns its ID if the server certainly does not have it: it waits
        in `outbox` for another try. If the server does not say whether it has the message, it waits there as
        well, with an error that says so. A message that is already in the thread stays there without an
        answer, which `error` says. An upload is stopped, and its message waits.
        """
        stopped = None
        if self._upload is not None:
            self._upload.cancel()
        elif self._sending is not None and not self._sending.done():
            stopped = await self._stop_sending(self._sending)
        await self._cancel_run()
        return stopped

    async def _stop_sending(self, sending: asyncio.Task[None]) -> str | None:
        item = next((item for item in self.outbox if item.state == "sending"), None)
        self._stopped.clear()
        sending.cancel()
        await self._stopped.wait()
        taken_back = (one.id for one in self.outbox if one.error is not None and one.error.no_effect)
        return item.id if item is not None and not item.posted and item.id in taken_back else None

    async def _cancel_run(self) -> None:
        active = self.active_run
        if self.thread_id is None or active is None or active.run is None:
            return
        run_id = active.run["id"]
        try:
            backend = await self._backend()
            run = await backend.runs.cancel(self.thread_id, run_id)
        except ServiceError as error:
            self._fail(error)
            return
        if (current := self.runs[run_id]).active:
            self._take(replace(current, run=run))
            self._changed()
        self._acted(run["assistant_id"])
        if self._following is None:
            await self._follow_again(run_id)

    async def settled(self) -> None:
        """Wait until nothing moves by itself any more: all that is left waits for the user."""
        while self._running and (self._following is not None or self.activity != "waiting"):
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """Stop following. The run itself goes on where the server goes on."""
        self._closed = True
        while running := self._running:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    @property
    def _running(self) -> list[asyncio.Task[None]]:
        tasks = (self._reader, self._pump, self._follower)
        return [task for task in tasks if task is not None and not task.done()]

    def _start_pump(self) -> None:
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._empty_outbox())

    async def _empty_outbox(self) -> None:
        while (item := next((item for item in self.outbox if item.state != "failed"), None)) is not None:
            await self._free.wait()
            try:
                assistant_id, draft = await self._settled(item)
                if item not in self.outbox:
                    continue  # taken back while it waited
                self._replace(item := replace(item, draft=draft, assistant_id=assistant_id, state="sending"))
                await self._send_stoppable(item, assistant_id)
            except Exception as error:  # noqa: BLE001 - whatever it is, the message must not stay on its way
                failure = unexpected(error)
                for current in self.outbox:
                    if current.id == item.id:
                        self._replace(replace(current, state="failed", error=failure, uploading=None))
                self.look_again()  # perhaps the thread is busy with what another window has begun

    async def _send_stoppable(self, item: Outgoing, assistant_id: str) -> None:
        """Send a message, so that `cancel` can stop it."""
        self._in_doubt = False
        task = self._sending = asyncio.create_task(self._post_and_run(item, assistant_id))
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled() or (current := asyncio.current_task()) is None or current.cancelling():
                raise
            await self._after_stop(next((one for one in self.outbox if one.id == item.id), None))
        finally:
            self._sending = None
            self._stopped.set()

    async def _after_stop(self, item: Outgoing | None) -> None:
        """Find out what the server has of a message whose request was ended.

        Raises `ServiceError` for a message that waits for another try.
        """
        if item is None:
            return  # its run was begun and is followed
        try:
            async with asyncio.timeout(_DOUBT_SECONDS):
                if not item.posted and (not self._in_doubt or await self._take_out(item)):
                    taken_back = True
                else:
                    taken_back = False
                    self._drop(item.id)
                    self._changed()
                    self.look_again()
                    if self._reader is not None:
                        await asyncio.shield(
                            self._reader
                        )  # follows a run that was begun, which `cancel` ends
        except (ServiceError, TimeoutError) as error:
            raise ServiceError(
                "The server does not say whether it has the message.",
                "Read the thread again before you send it once more.",
                kind=error.kind if isinstance(error, ServiceError) else "timeout",
            ) from None
        if taken_back:
            raise ServiceError(
                "The message was taken back.",
                "Up brings it back, and Enter on it sends it again.",
                kind="refused",
                no_effect=True,
            )
        last = next(reversed(self.messages.values()), None)
        if self.error is None and self.active_run is None and last is not None and last["role"] == "user":
            words = "The message is in the thread already and stays there without an answer."
            self._fail(ServiceError(words, kind="refused", code="unanswered"))

    async def _take_out(self, item: Outgoing) -> bool:
        """Delete a message that the thread has after all. False if it has to stay; raises `ServiceError`."""
        assert self.thread_id is not None  # it was to be posted there
        backend = await self._backend()
        text = await message_text(item.draft)
        page = await backend.threads.messages(self.thread_id, limit=PAGE_SIZE)
        for message in page.items:
            if message["id"] not in self.messages and message["role"] == "user" and _says(message, text):
                try:
                    await backend.threads.delete_message(self.thread_id, message["id"])
                except ServiceError as error:
                    self._fail(error)
                    return False
        return True

    async def _settled(self, item: Outgoing) -> tuple[str, Draft]:
        """Who answers a message, and its draft with everything decided."""
        if item.assistant_id is not None:
            return item.assistant_id, item.draft
        assert self._settle is not None  # whoever sends without an assistant has it
        return await self._settle(item.draft)

    async def _post_and_run(self, item: Outgoing, assistant_id: str) -> None:
        backend = await self._backend()
        await backend.budget.require()
        if not item.posted:
            item = await self._uploaded(backend, item)
            text = await message_text(item.draft)
            content, attachments = message_body(item.draft, text, item.file_ids)
        new = self.thread_id is None
        if self.thread_id is None:
            thread = await backend.threads.create()
            if self._created is not None:  # the way back to the thread is kept before there is anything in it
                await self._created(thread, assistant_id, item.text or item.draft.files[0].name)
            self.thread_id = thread["id"]
            self._changed()
        if not item.posted:
            self._in_doubt = True
            message = await backend.threads.add_message(self.thread_id, content, attachments=attachments)
            self.messages[message["id"]] = message
            self._seen([message])
            self._replace(item := replace(item, posted=True))
            await asyncio.to_thread(remove_pasted, item.draft.files)
        newest = next(reversed(self.messages), None)
        states = aiter(backend.runs.start(self.thread_id, assistant_id, item.draft.options))
        first: RunState | None = None
        try:
            first = await anext(states)
        except ServiceError as error:
            if error.no_effect or not await self._answered_since(newest):
                raise
        self._drop(item.id)
        if first is not None:
            self._take(first)
        self._changed()
        if not new:
            self._acted(assistant_id)
        if first is not None:
            self._start_following(states)
        else:
            self.look_again()

    async def _answered_since(self, message_id: str | None) -> bool:
        """Whether the thread has an answer after this message, though nothing is known of its run."""
        assert self.thread_id is not None  # its run was asked for
        backend = await self._backend()
        try:
            page = await backend.threads.messages(self.thread_id, limit=PAGE_SIZE)
        except ServiceError:
            return False  # what was wrong with the run is said
        newer = takewhile(lambda message: message["id"] != message_id, page.items)
        return message_id is not None and any(message["role"] == "assistant" for message in newer)

    async def _uploaded(self, backend: "Backend", item: Outgoing) -> Outgoing:
        """The item with all its files at the server. Those of an earlier try are not sent again."""
        for place, file in enumerate(item.draft.files):
            if place in item.file_ids or file.use is Use.TEXT:
                continue
            if file.file_id is not None:
                file_id = file.file_id
            else:
                assert file.path is not None and file.use is not None  # no other file has an ID
                self._replace(item := replace(item, uploading=(file.name, 0)))
                file_id = await self._sent(backend, item, file.path, purpose(file.use))
            item = replace(item, file_ids={**item.file_ids, place: file_id}, uploading=None)
            self._replace(item)
        return item

    async def _sent(self, backend: "Backend", item: Outgoing, path: Path, purpose: str) -> str:
        """Upload one file, so that `cancel` can stop it. Returns its ID."""

        def progress(done: int, total: int | None) -> None:
            percent = min(100, 100 * done // total) if total else 0
            current = next((other for other in self.outbox if other.id == item.id), item)
            if current.uploading is not None and current.uploading[1] != percent:
                self._replace(replace(current, uploading=(path.name, percent)))

        async def upload() -> str:
            return (await backend.files.upload(path, purpose=purpose, progress=progress))["id"]

        task = self._upload = asyncio.create_task(upload())
        try:
            return await task
        except asyncio.CancelledError:
            if not task.cancelled() or (current := asyncio.current_task()) is None or current.cancelling():
                task.cancel()
                raise
            raise ServiceError("The upload was stopped.", kind="refused", no_effect=True) from None
        finally:
            self._upload = None

    def _drop(self, outgoing_id: str) -> None:
        self.outbox = tuple(item for item in self.outbox if item.id != outgoing_id)

    def _replace(self, item: Outgoing) -> None:
        self.outbox = tuple(item if other.id == item.id else other for other in self.outbox)
        self._changed()

    @property
    def _following(self) -> asyncio.Task[None] | None:
        return self._follower if self._follower is not None and not self._follower.done() else None

    async def _follow_again(self, run_id: str, *, ours: bool = True) -> None:
        try:
            backend = await self._backend()
        except ServiceError as error:
            self._fail(error)
        else:
            assert self.thread_id is not None  # a run is known
            self._start_following(backend.runs.follow(self.thread_id, run_id, ours=ours))

    def _start_following(self, states: AsyncIterator[RunState], *, answered: str | None = None) -> None:
        """`answered`: the assistant of a run that waited and gets its answer with the first state."""
        if self._closed:
            return
        self._free.clear()
        self._follower = asyncio.create_task(self._follow(states, answered))

    async def _follow(self, states: AsyncIterator[RunState], answered: str | None) -> None:
        state: RunState | None = None
        failed = False
        try:
            async for state in states:
                self._take(state)
                self._changed()
                if answered is not None:
                    self._acted(answered)
                    answered = None
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread must not stay busy without a word
            self.error, failed = unexpected(error), True
        finally:
            if state is not None and state.finished:
                self._seen(state.messages.values())
            if self.active_run is None:
                self._free.set()
            self._changed()
        if not failed:
            await self._follow_next()
        elif answered is not None:
            self.look_again()  # perhaps another window was faster

    async def _follow_next(self) -> None:
        """Go on with a run that another window has begun as soon as the followed one had ended."""
        active = self.active_run
        if active is not None and active.run is not None and active.run["id"] not in self._detailed:
            await self._follow_again(active.run["id"], ours=False)

    def _take(self, state: RunState) -> None:
        if state.run is not None:
            self._detailed.add(state.run["id"])
            self.runs[state.run["id"]] = state
            self.usage.put(state.run)
            self.messages.update(state.messages)

    def _put_older(self, page: Page[Message]) -> None:
        self.messages = {message["id"]: message for message in reversed(page.items)} | self.messages
        self._older_after = page.next_cursor
        self.has_older = page.next_cursor is not None
        self._seen(page.items)

    def _put_newest(self, page: Page[Message], before: Mapping[str, Message]) -> None:
        """Take over what the server has listed, but for what has changed here since it was asked."""
        followed = self.active_run.messages if self.active_run is not None and self._following else {}
        newest: dict[str, Message] = {}
        new: list[Message] = []
        for message in reversed(page.items):
            key = message["id"]
            ours = self.messages.get(key)
            if ours is None and key in before:
                continue  # deleted
            if ours is not None and (ours is not before.get(key) or key in followed or ours == message):
                newest[key] = ours  # the same object need not be drawn again
            else:
                newest[key] = message
                new.append(message)
        if next(iter(newest), None) not in self.messages:
            self._older_after = page.next_cursor
            self.has_older = page.next_cursor is not None
        self.messages = _renewed(self.messages, newest, before.keys(), whole=page.next_cursor is None)
        if new:
            self._seen(new)

    def _put_newest_runs(self, page: Page[Run], before: Mapping[str, RunState]) -> None:
        """Take over what the server has listed, but for what has changed here since it was asked."""
        newest: dict[str, RunState] = {}
        for run in reversed(page.items):
            state = self.runs.get(run["id"], RunState(thread_id=run["thread_id"]))
            followed = self._following is not None and state is self.active_run
            changed = state.run is not None and state is not before.get(run["id"])
            if not followed and not changed and _stands_elsewhere(state.run, run):
                state = replace(state, run=run)
                self.usage.put(run)
                self._detailed.discard(run["id"])
            newest[run["id"]] = state
        if next(iter(newest), None) not in self.runs:
            self._older_runs_after = page.next_cursor
            self.has_older_runs = page.next_cursor is not None
        self.runs = _renewed(self.runs, newest, before.keys(), whole=page.next_cursor is None)
        if self.active_run is None and self._following is None:
            self._free.set()  # the run that waited for the user has been ended elsewhere

    def _put_older_runs(self, page: Page[Run]) -> None:
        read = {run["id"]: RunState(thread_id=run["thread_id"], run=run) for run in reversed(page.items)}
        for run in page.items:
            self.usage.put(run)
        self.runs = {run_id: state for run_id, state in read.items() if run_id not in self.runs} | self.runs
        self._older_runs_after = page.next_cursor
        self.has_older_runs = page.next_cursor is not None

    def _fail(self, error: ServiceError) -> None:
        self.error = error
        self._changed()

    def _changed(self) -> None:
        for subscriber in tuple(self._subscribers):
            subscriber()


def _says(message: Message, text: str) -> bool:
    """Whether the first text of a message is this one."""
    texts = (part["text"]["value"] for part in message["content"] if part["type"] == "text")
    return next(texts, "") == text


def _stands_elsewhere(known: Run | None, listed: Run) -> bool:
    """Whether a run has gone on since it was read: to another state, or to another question."""
    return known is None or any(known.get(key) != listed.get(key) for key in ("status", "required_action"))


def _renewed(
    known: Mapping[str, Thing], newest: Mapping[str, Thing], before: Set[str], *, whole: bool
) -> dict[str, Thing]:
    """What is known, with its newer part as the server has listed it; `whole`: that is all there is.

    `before` are the keys that were known when the server was asked: what has come since stays.
    """
    first = next(iter(newest), None)
    older = takewhile(lambda key: key != first, known) if first in known and not whole else ()
    later = [key for key in known if key not in before and key not in newest]
    return {key: known[key] for key in older} | {**newest} | {key: known[key] for key in later}
