"""Sends what is in the outbox of a thread, one item after the other, each once the thread is free."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from assistants_tui.protocol.objects import Message, Thread
from assistants_tui.service.conversation.context import ThreadContext
from assistants_tui.service.conversation.followed_run import FollowedRun
from assistants_tui.service.conversation.outbox import Event, Outbox, Outgoing
from assistants_tui.service.conversation.pages import MESSAGES_PER_PAGE, MessagePages, RunPages
from assistants_tui.service.conversation.posting import MessagePosting
from assistants_tui.service.conversation.uploads import upload_files
from assistants_tui.service.drafts import Draft, message_body, message_text, remove_pasted
from assistants_tui.service.errors import ServiceError, unexpected
from assistants_tui.service.runs.options import RunOptions
from assistants_tui.service.runs.state import RunState

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend

Settle = Callable[[Draft], Awaitable[tuple[str, Draft]]]
Created = Callable[[Thread, str, str], Awaitable[None]]

_DOUBT_SECONDS = 10.0
"""How long it is tried to find out what the server has of a message whose request was stopped."""


class Sender:
    """Sends messages and starts runs. The state of each is in `outbox`."""

    def __init__(
        self,
        context: ThreadContext,
        messages: MessagePages,
        runs: RunPages,
        followed: FollowedRun,
        refresh: Callable[[], asyncio.Task[None] | None],
        *,
        created: Created | None,
        settle: Settle | None,
    ) -> None:
        """`refresh` begins to read what is new in the thread, and returns the task that does so.

        `created` and `settle`: see `Conversation`.
        """
        self.outbox = Outbox()
        self._context = context
        self._messages = messages
        self._posting = MessagePosting(context, messages)
        self._runs = runs
        self._followed = followed
        self._refresh = refresh
        self._created = created
        self._settle = settle
        self._task: asyncio.Task[None] | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._request: asyncio.Task[None] | None = None

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The task that empties the outbox, while it does."""
        return self._task if self._task is not None and not self._task.done() else None

    def send(self, draft: Draft, assistant_id: str | None) -> None:
        """Put a message on its way: posted and run at once, or as soon as the thread is free.

        Without an assistant it waits until there is one.
        """
        self._put(Outgoing(draft, assistant_id))

    def run(self, assistant_id: str, options: RunOptions | None = None) -> None:
        """Let an assistant answer the thread as it is, once the thread is free."""
        self._put(Outgoing(Draft("", options=options or RunOptions()), assistant_id, posted=True))

    def retry(self, outgoing_id: str) -> None:
        """Try a failed item again."""
        item = self.outbox.get(outgoing_id)
        if item is not None and item.state == "failed":
            self._apply(outgoing_id, "retry")
            self._start()

    def take_back(self, outgoing_id: str) -> Draft | None:
        """Remove what the server does not have yet and return it; None if it is too late."""
        item = self.outbox.get(outgoing_id)
        if item is None or item.sending:
            return None
        self._apply(outgoing_id, "take_back")
        self._posting.abandon(item.mark)
        return None if item.posted else item.draft

    async def take_newest(self, newest: Sequence[Message]) -> None:
        """Settle with the newest messages of the thread, which have just been read, what was in doubt."""
        await self._posting.tidy(newest)
        for item in self.outbox.items:
            if item.state == "failed" and not item.posted and self._posting.claim(item.mark):
                lost = ServiceError("The answer to its request was lost.", kind="connection")
                self._apply(item.id, "store", lost)

    async def stop(self) -> str | None:
        """Stop what is being sent, and find out what the server has of it.

        Returns the ID of a message if the server certainly does not have it: it waits in the outbox for
        another try. If the server does not say whether it has the message, it waits there as well, with an
        error that says so. A message that is already in the thread stays there without an answer, which the
        conversation's `error` says. An upload is stopped, and its message waits; None is returned for it.
        """
        item = self.outbox.sending
        if item is None or self._request is None or self._request.done() or self._attempt is None:
            return None
        self._request.cancel()
        if item.uploading is not None:
            return None
        await asyncio.wait({self._attempt})
        failed = self.outbox.get(item.id)
        sure = failed is not None and failed.error is not None and failed.error.no_effect
        return item.id if sure and not item.posted else None

    def _put(self, item: Outgoing) -> None:
        self.outbox = self.outbox.put(item)
        self._context.changed()
        self._start()

    def _apply(self, item_id: str, event: Event, error: ServiceError | None = None) -> None:
        self.outbox = self.outbox.apply(item_id, event, error)
        self._context.changed()

    def _update(self, item_id: str, **changes: Any) -> None:
        self.outbox = self.outbox.update(item_id, **changes)
        self._context.changed()

    def _start(self) -> None:
        if self.task is None:
            self._task = asyncio.create_task(self._empty_outbox())

    async def _empty_outbox(self) -> None:
        while (item := self.outbox.next) is not None:
            await self._followed.thread_free.wait()
            self._attempt = asyncio.create_task(self._send(item.id))
            await self._attempt

    async def _send(self, item_id: str) -> None:
        """Try once to send an item. It is gone from the outbox, or failed, at the end."""
        try:
            if (assistant_id := await self._begin(item_id)) is None:
                return
            self._request = asyncio.create_task(self._post_and_run(item_id, assistant_id))
            try:
                await self._request
            except asyncio.CancelledError:
                if (current := asyncio.current_task()) is None or current.cancelling():
                    raise
                await self._after_stop(item_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the message must not stay on its way
            if self.outbox.get(item_id) is not None:
                self._apply(item_id, "fail", unexpected(error))
            self._refresh()  # perhaps the thread is busy with what another window has begun

    async def _begin(self, item_id: str) -> str | None:
        """Decide who answers an item. Returns the assistant, or None if the item was taken back meanwhile."""
        item = self.outbox.get(item_id)
        if item is None:
            return None
        assistant_id, draft = item.assistant_id, item.draft
        if assistant_id is None:
            assert self._settle is not None  # whoever sends without an assistant has it
            assistant_id, draft = await self._settle(draft)
        if self.outbox.get(item_id) is None:
            return None
        self.outbox = self.outbox.update(item_id, draft=draft, assistant_id=assistant_id)
        self._apply(item_id, "begin")
        return assistant_id

    async def _post_and_run(self, item_id: str, assistant_id: str) -> None:
        backend = await self._context.backend()
        await backend.budget.require()
        new = self._context.thread_id is None
        if not self._item(item_id).posted:
            await self._post(backend, item_id, assistant_id)
        thread_id = self._context.thread_id
        assert thread_id is not None  # it has the message
        newest = next(reversed(self._messages.messages), None)
        states = aiter(backend.runs.start(thread_id, assistant_id, self._item(item_id).draft.options))
        first: RunState | None = None
        try:
            first = await anext(states)
        except ServiceError as error:
            if error.no_effect or not await _answered_since(backend, thread_id, newest):
                raise
        self.outbox = self.outbox.apply(item_id, "finish")
        if first is not None:
            self._runs.take(first)
        self._context.changed()
        if not new:
            self._context.acted(assistant_id)
        if first is not None:
            self._followed.start(states)
        else:
            self._refresh()

    def _item(self, item_id: str) -> Outgoing:
        """The item that is being sent."""
        item = self.outbox.get(item_id)
        assert item is not None  # it leaves the outbox only with its run
        return item

    async def _post(self, backend: "Backend", item_id: str, assistant_id: str) -> None:
        """Add the message to the thread, which is created for the first one."""
        item = self._item(item_id)
        file_ids = await upload_files(backend, item, lambda **changes: self._update(item_id, **changes))
        text = await message_text(item.draft)
        content, attachments = message_body(item.draft, text, file_ids)
        if self._context.thread_id is None:
            thread = await backend.threads.create()
            if self._created is not None:  # the thread is in the history before there is anything in it
                await self._created(thread, assistant_id, item.text or item.draft.files[0].name)
            self._context.thread_id = thread["id"]
            self._context.changed()
        mark = self._posting.mark_of(item.mark, content)
        self._update(item_id, mark=mark)
        self._apply(item_id, "post")
        message = await self._posting.post(backend, mark, content, attachments)
        self._messages.put({message["id"]: message})
        self._context.seen([message])
        self._apply(item_id, "store")
        await asyncio.to_thread(remove_pasted, item.draft.files)

    # after a stop

    async def _after_stop(self, item_id: str) -> None:
        """Find out what the server has of an item whose request was stopped.

        Raises `ServiceError` for a message that waits for another try.
        """
        item = self.outbox.get(item_id)
        if item is None:
            return  # its run was begun and is followed
        if item.uploading is not None:
            raise ServiceError("The upload was stopped.", kind="refused", no_effect=True)
        if not await self._is_stored(item):
            raise ServiceError(
                "The message was taken back.",
                "Up brings it back, and Enter on it sends it again.",
                kind="refused",
                no_effect=True,
            )
        self._apply(item_id, "finish")
        await self._read_anew()
        last = next(reversed(self._messages.messages.values()), None)
        unanswered = self._runs.active is None and last is not None and last["role"] == "user"
        if unanswered and self._context.error is None:
            words = "The message is in the thread already and stays there without an answer."
            self._context.fail(ServiceError(words, kind="refused", code="unanswered"))

    async def _is_stored(self, item: Outgoing) -> bool:
        """Whether the thread has the message, and keeps it. Raises `ServiceError`."""
        if item.state != "posting":
            return item.posted
        try:
            async with asyncio.timeout(_DOUBT_SECONDS):
                message = await self._posting.remove(await self._context.backend(), item.mark)
        except (ServiceError, TimeoutError) as error:
            raise ServiceError(
                "The server does not say whether it has the message.",
                "Read the thread again before you send it once more.",
                kind=error.kind if isinstance(error, ServiceError) else "timeout",
            ) from None
        if message is not None:
            self._messages.put({message["id"]: message})
        return message is not None

    async def _read_anew(self) -> None:
        """Read what else is in the thread, and follow a run that was begun, so that it can be cancelled."""
        if (reading := self._refresh()) is None:
            return
        await asyncio.wait({reading}, timeout=_DOUBT_SECONDS)
        if not reading.done():
            slow = ServiceError(
                "The message is in the thread already, but the server does not say whether it is answered.",
                "An answer that has begun is stopped as soon as it is known.",
                kind="timeout",
            )
            before = self._context.error
            self._context.fail(slow)
            await asyncio.wait({reading})
            if self._context.error is slow:
                self._context.error = before
                self._context.changed()


async def _answered_since(backend: "Backend", thread_id: str, message_id: str | None) -> bool:
    """Whether the thread has an answer after this message, though nothing is known of its run."""
    try:
        page = await backend.threads.messages(thread_id, limit=MESSAGES_PER_PAGE)
    except ServiceError:
        return False  # what was wrong with the run is said
    newer = takewhile(lambda message: message["id"] != message_id, page.items)
    return message_id is not None and any(message["role"] == "assistant" for message in newer)
