"""The user's threads of one profile: the references on disk, and what the server knows of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from assistants_tui.protocol.objects import Message, Thread
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.message_text import suggested_title
from assistants_tui.service.runs.options import RunOptions, stored
from assistants_tui.service.times import moment
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.threads import Changes, ThreadIndex, ThreadReference

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend

Result = TypeVar("Result")


class History:
    """Threads that the user has used. Everything raises `ServiceError`, also for files that refuse.

    Each change is in the file when the call returns. A change can be taken back with `undo` and the reference
    from before it.
    """

    def __init__(
        self,
        index: ThreadIndex,
        profile_name: str,
        backend: "Callable[[], Awaitable[Backend]]",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`backend` gives the open backend when a call needs the server."""
        self._index = index
        self._profile = profile_name
        self._backend = backend
        self._clock = clock
        self._seen_changes = 0

    async def list(self, *, archived: bool | None = False) -> Sequence[ThreadReference]:
        """Pinned ones first, then the last used first."""
        return await _on_disk(lambda: self._index.list(self._profile, archived=archived))

    def changed_elsewhere(self) -> bool:
        """Whether another window was found to have changed the history since this was asked the last time."""
        seen, self._seen_changes = self._seen_changes, self._index.foreign_changes
        return seen != self._seen_changes

    async def version(self) -> object:
        """Something that is another after every change of the file, also by another window."""
        return await _on_disk(self._index.version)

    async def remember(
        self,
        thread: Thread,
        assistant_id: str | None,
        first_message: str,
        options: RunOptions | None = None,
    ) -> ThreadReference:
        """Put a new thread into the history, titled after its first message.

        If that fails, the thread is deleted on the server: nobody would find the way back to it.
        """
        now = int(self._clock())
        reference = ThreadReference(
            profile=self._profile,
            id=thread["id"],
            title=suggested_title(first_message),
            assistant_id=assistant_id,
            created_at=_seconds(thread.get("created_at")) or now,
            last_used_at=now,
            run_options=stored(options or RunOptions()) or None,
        )
        try:
            return await self._add(reference)
        except ServiceError as error:
            left = f" It is left at the server: {thread['id']}."
            with suppress(ServiceError):
                await (await self._backend()).threads.delete(thread["id"])
                left = ""
            advice = f"Nothing was sent, because the new thread would not be found again.{left}"
            raise ServiceError(error.what, advice, kind=error.kind, no_effect=not left) from error

    async def touch(self, thread_id: str, assistant_id: str | None = None) -> ThreadReference:
        """Note that the thread is used now, and by which assistant."""
        changes = Changes(last_used_at=int(self._clock()))
        if assistant_id is not None:
            changes["assistant_id"] = assistant_id
        return await self._update(thread_id, changes)

    async def rename(self, thread_id: str, title: str) -> ThreadReference:
        """Give the thread a title; white space is put in order."""
        words = " ".join(title.split())
        if not words:
            raise ServiceError("A title needs at least one character.", kind="refused", no_effect=True)
        return await self._update(thread_id, Changes(title=words))

    async def pin(self, thread_id: str, pinned: bool = True) -> ThreadReference:
        return await self._update(thread_id, Changes(pinned=pinned))

    async def archive(self, thread_id: str, archived: bool = True) -> ThreadReference:
        return await self._update(thread_id, Changes(archived=archived))

    async def keep_options(self, thread_id: str, options: RunOptions) -> ThreadReference:
        """Let the runs of the thread be made with these options from now on, also after a restart."""
        return await self._update(thread_id, Changes(run_options=stored(options) or None))

    async def forget(self, thread_id: str) -> ThreadReference | None:
        """Take the thread out of the history; the server keeps it. Returns what `undo` needs."""
        return await _on_disk(lambda: self._index.remove(self._profile, thread_id))

    async def delete(self, thread_id: str) -> None:
        """Delete the thread on the server, then here. There is no way back.

        A thread that the server does not have any more is only taken out of the history.
        """
        backend = await self._backend()
        try:
            await backend.threads.delete(thread_id)
        except ServiceError as error:
            if error.status != 404:
                raise
        await self.forget(thread_id)

    async def undo(self, reference: ThreadReference) -> ThreadReference:
        """Put a reference back as it was before a change or before `forget`."""
        return await _on_disk(lambda: self._index.restore(reference))

    async def add_by_id(self, thread_id: str) -> ThreadReference:
        """Put a thread of the server into the history, if the server has it."""
        thread_id = thread_id.strip()
        backend = await self._backend()
        try:
            thread = await backend.threads.retrieve(thread_id)
        except ServiceError as error:
            if error.status in {400, 404}:
                raise ServiceError(
                    f"The server of the profile “{self._profile}” has no thread “{thread_id}”.",
                    "Check the ID and the profile.",
                    kind="not_found",
                    status=error.status,
                ) from None
            raise
        return await self.adopt(thread)

    async def adopt(self, thread: Thread) -> ThreadReference:
        """Put a thread that the server showed into the history, titled after its first message."""
        backend = await self._backend()
        first = await backend.threads.first_message(thread["id"])
        newest = (await backend.threads.messages(thread["id"], limit=1)).items
        return await self._add(
            ThreadReference(
                profile=self._profile,
                id=thread["id"],
                title=suggested_title(_text(first)),
                assistant_id=newest[0].get("assistant_id") if newest else None,
                created_at=_seconds(thread.get("created_at")),
                last_used_at=_seconds((newest[0] if newest else thread).get("created_at")),
            )
        )

    async def unknown_threads(self) -> Sequence[Thread] | None:
        """The server's newest threads that are not in the history; None if it cannot list threads."""
        backend = await self._backend()
        page = await backend.threads.list()
        if page is None:
            return None
        known = {reference.id for reference in await self.list(archived=None)}
        return [thread for thread in page.items if thread["id"] not in known]

    async def _add(self, reference: ThreadReference) -> ThreadReference:
        return await _on_disk(lambda: self._index.add(reference))

    async def _update(self, thread_id: str, changes: Changes) -> ThreadReference:
        try:
            return await _on_disk(lambda: self._index.update(self._profile, thread_id, **changes))
        except KeyError:
            raise ServiceError(
                "The thread is not in the history any more.",
                "Another window has removed it; add it again by its ID.",
                kind="not_found",
                no_effect=True,
            ) from None


async def _on_disk(call: Callable[[], Result]) -> Result:
    try:
        return await asyncio.to_thread(call)
    except SettingsError as error:
        raise ServiceError(str(error), kind="settings", no_effect=True) from error


def _seconds(timestamp: object) -> int:
    """A time of the server as the history keeps it; 0 for what is none."""
    return int(timestamp) if isinstance(timestamp, int) and moment(timestamp) is not None else 0


def _text(message: Message | None) -> str:
    if message is None:
        return ""
    return "\n".join((part.get("text") or {"value": ""})["value"] for part in message["content"])
