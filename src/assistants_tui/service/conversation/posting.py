"""Posts messages to a thread so that each is there once, although answers get lost and requests are late.

Each message is posted with a random mark in its metadata. Where a request has no answer, the thread is
searched for the mark before the message is posted again. A server may carry out a request after that search:
then the thread has the message twice, or has one that was taken back. So marks without a certain answer are
looked for whenever the newest messages are read, and what is too much is deleted. A server that drops
metadata is searched for the content instead; what it carries out late cannot be told from another message,
and stays.
"""

import asyncio
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from assistants_tui.protocol.objects import Attachment, Json, Message, Metadata
from assistants_tui.service.conversation.context import ThreadContext
from assistants_tui.service.conversation.pages import MESSAGES_PER_PAGE, MessagePages
from assistants_tui.service.errors import ServiceError

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend

MARK = "assistants_tui_post"
"""The key of the mark in the metadata of a message."""
LATE_SECONDS = 300.0
"""How long after a request it is looked for what the server has made of it."""

Content = str | Sequence[Json]


@dataclass(slots=True)
class _Request:
    """A message whose request had no certain answer."""

    content: Content
    after: str | None
    """The newest message that was known when it was sent first."""
    sent: float
    """When it was sent last."""
    message_id: str | None = None
    """The message that it became. Others with its mark are too many."""
    unwanted: bool = False
    """The user was told that it was taken back, so the server is not to have it."""
    abandoned: bool = False
    """The user has taken it back without knowing whether the server has it."""


class MessagePosting:
    """Posts the messages of one thread, and removes those that the server has stored too often."""

    def __init__(self, context: ThreadContext, messages: MessagePages) -> None:
        self._context = context
        self._messages = messages
        self._unsure: dict[str, _Request] = {}  # by mark
        self._posted: set[str] = set()  # IDs of messages that belong to a mark
        self._deciding = asyncio.Lock()  # what is found is not deleted by somebody else meanwhile

    def mark_of(self, mark: str, content: Content) -> str:
        """The mark to post a content with: `mark`, or that of an equal message that was taken back in doubt.

        So a message that is taken back and sent again is there once, unless others have been said since.
        """
        if mark in self._unsure:
            return mark
        passed = [*reversed(self._messages.messages.values())][1:]  # one that is there before others is seen
        equal = (
            key
            for key, request in self._unsure.items()
            if request.abandoned and _plain(request.content) == _plain(content)
        )
        return next((key for key in equal if not self._found(passed, key)), mark)

    async def post(
        self, backend: "Backend", mark: str, content: Content, attachments: Sequence[Attachment]
    ) -> Message:
        """Add a message to the thread, or find it there if it was posted with this mark before.

        Raises `ServiceError`; `no_effect` tells whether the thread certainly does not have the message.
        """
        before = self._unsure.get(mark)
        message = await self._look_for(backend, mark, before) if self._unsure else None
        if message is None:
            message = await self._send(backend, mark, content, attachments)
            if before is not None:
                before.message_id = message["id"]
                with suppress(ServiceError):  # it is looked for once more before the next message
                    await self.tidy(await self._newest(backend))
        self._posted.add(message["id"])
        return message

    async def _look_for(self, backend: "Backend", mark: str, before: _Request | None) -> Message | None:
        """The message with a mark, if it was posted `before` and the thread has it. Raises as `post`."""
        async with self._deciding:
            try:
                newest = await self._newest(backend)
            except ServiceError as error:
                error.no_effect = before is None  # reading did nothing, but it may have been posted before
                raise
            message = None
            if before is not None:
                message = next(iter(self._found(newest, mark)), None)
                before.unwanted = before.abandoned = False
                before.message_id = message["id"] if message is not None else None
            await self._delete_surplus(newest)
        return message

    async def _send(
        self, backend: "Backend", mark: str, content: Content, attachments: Sequence[Attachment]
    ) -> Message:
        thread_id = self._context.thread_id
        assert thread_id is not None  # the caller has made it
        certain = False
        try:
            message = await backend.threads.add_message(
                thread_id, content, attachments=attachments, metadata={MARK: mark}
            )
            certain = True
        except ServiceError as error:
            certain = error.no_effect
            raise
        finally:
            if (request := self._unsure.get(mark)) is not None:
                request.sent = time.monotonic()
            elif not certain:  # also where the task was cancelled
                after = next(reversed(self._messages.messages), None)
                self._unsure[mark] = _Request(content, after, time.monotonic())
        return message

    async def remove(self, backend: "Backend", mark: str) -> Message | None:
        """Delete a message whose request was stopped, now or when the server stores it.

        Returns the message if it is in the thread and cannot be deleted; the conversation's `error` says why.
        Raises `ServiceError` if nothing is known.
        """
        request = self._unsure.get(mark)
        if request is None:
            return None  # it was stopped before it was sent
        async with self._deciding:
            for message in self._found(await self._newest(backend), mark):
                try:
                    await self._messages.delete(message["id"])
                except ServiceError as error:
                    self._context.fail(error)
                    request.message_id = message["id"]
                    self._posted.add(message["id"])
                    return message
            request.unwanted = True
        return None

    def abandon(self, mark: str) -> None:
        """The user has taken a message back."""
        if (request := self._unsure.get(mark)) is not None:
            request.abandoned = True

    async def tidy(self, newest: Collection[Message]) -> None:
        """Delete those of the newest messages that are not to be there. What fails is tried next time."""
        async with self._deciding:
            await self._delete_surplus(newest)
        self._forget_old()

    async def _delete_surplus(self, newest: Collection[Message]) -> None:
        for message in newest:
            request = self._unsure.get(_mark(message) or "")
            if request is not None and (request.unwanted or request.message_id not in {None, message["id"]}):
                with suppress(ServiceError):
                    await self._messages.delete(message["id"])

    def claim(self, mark: str) -> bool:
        """Whether the message with this mark has been read; then it is the one that was meant."""
        read = self._messages.messages.values()
        message = next((one for one in read if _mark(one) == mark), None)
        if message is not None and (request := self._unsure.get(mark)) is not None:
            request.message_id = message["id"]
        return message is not None

    def _forget_old(self) -> None:
        """Forget what the server will not carry out any more, but for what may still be sent again."""
        now = time.monotonic()
        old = [
            mark
            for mark, request in self._unsure.items()
            if now - request.sent > LATE_SECONDS
            and (request.message_id is not None or request.unwanted or request.abandoned)
        ]
        for mark in old:
            del self._unsure[mark]

    async def _newest(self, backend: "Backend") -> Sequence[Message]:
        assert self._context.thread_id is not None  # something was posted there
        page = await backend.threads.messages(self._context.thread_id, limit=MESSAGES_PER_PAGE)
        return page.items

    def _found(self, newest: Collection[Message], mark: str) -> list[Message]:
        """The messages that a request became, oldest first."""
        request = self._unsure.get(mark)
        marked = [message for message in newest if _mark(message) == mark]
        keeps_marks = any(_mark(message) is not None for message in newest)
        if marked or request is None or keeps_marks:  # then equal content without a mark is somebody else's
            return marked[::-1]
        said = _plain(request.content)
        later = takewhile(lambda message: message["id"] != request.after, newest)
        same = [
            message
            for message in later
            if message["role"] == "user"
            and _mark(message) is None
            and message["id"] not in self._posted
            and _plain(message["content"]) == said
        ]
        return same[-1:]


def without_mark(metadata: Metadata | None) -> Metadata:
    """The metadata that the user has given a message."""
    return {key: value for key, value in (metadata or {}).items() if key != MARK}


def _mark(message: Message) -> str | None:
    mark = (message.get("metadata") or {}).get(MARK)
    return mark if isinstance(mark, str) else None


def _plain(content: object) -> list[object]:
    """Content as it was sent or as it came back, in one form: texts, and the names of other parts."""
    if isinstance(content, str):
        return [content]
    plain: list[object] = []
    for part in content if isinstance(content, list) else []:
        text = part.get("text")
        if part.get("type") == "text":
            plain.append(text.get("value") if isinstance(text, dict) else text)
        else:
            plain.append(part.get("type"))
    return plain
