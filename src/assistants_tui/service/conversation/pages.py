"""Pages of a thread: the messages and the runs that have been read so far, and how more of them are read."""

from collections.abc import Mapping, Set
from dataclasses import replace
from itertools import takewhile
from typing import TypeVar

from assistants_tui.protocol.objects import Message, Metadata, Page, Run
from assistants_tui.service.conversation.context import ThreadContext
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.runs.state import RunState
from assistants_tui.service.runs.usage import UsageCount

MESSAGES_PER_PAGE = 100
"""Messages read at once; the most that the API gives."""
RUNS_PER_PAGE = 20
"""Runs that are read when the thread opens; steps of all but the newest are read when asked for."""

Item = TypeVar("Item")


class MessagePages:
    """The messages read so far."""

    def __init__(self, context: ThreadContext) -> None:
        self._context = context
        self.messages: dict[str, Message] = {}
        """By ID, oldest first."""
        self.has_older = False
        """Whether the server has messages older than the ones read so far."""
        self._older_after: str | None = None

    async def read_older(self) -> None:
        """Read the page of messages above the oldest one. A failure is kept in the conversation's `error`."""
        thread_id = self._context.thread_id
        if thread_id is None or not self.has_older:
            return
        self.has_older = False  # until the answer is there: scrolling asks again and again
        try:
            backend = await self._context.backend()
            page = await backend.threads.messages(thread_id, limit=MESSAGES_PER_PAGE, after=self._older_after)
        except BaseException as error:  # a search that is begun anew gives it up, too
            self.has_older = True
            if not isinstance(error, ServiceError):
                raise
            self._context.fail(error)
        else:
            self.put_older(page)
            self._context.changed()

    async def read_until(self, message_id: str) -> bool:
        """Read older messages until this one is there. False if it is not found."""
        while message_id not in self.messages and self.has_older:
            count = len(self.messages)
            await self.read_older()
            if len(self.messages) == count:
                break
        return message_id in self.messages

    async def delete(self, message_id: str) -> None:
        """Delete a message for good, on the server and here. Raises `ServiceError`."""
        assert self._context.thread_id is not None  # it has messages
        backend = await self._context.backend()
        try:
            await backend.threads.delete_message(self._context.thread_id, message_id)
        except ServiceError as error:
            if error.status != 404:
                raise
        self.messages = _without(self.messages, message_id)

    async def update_metadata(self, message_id: str, metadata: Metadata) -> None:
        """Replace the metadata of a message. Raises `ServiceError`."""
        assert self._context.thread_id is not None  # it has messages
        backend = await self._context.backend()
        message = await backend.threads.update_message(self._context.thread_id, message_id, metadata)
        self.put({message_id: message})
        self._context.changed()

    def put(self, messages: Mapping[str, Message]) -> None:
        """Take over newer states of messages, or new messages at the end."""
        self.messages.update(messages)

    def put_older(self, page: Page[Message]) -> None:
        """Take over a page that comes before all others."""
        self.messages = {message["id"]: message for message in reversed(page.items)} | self.messages
        self._older_after = page.next_cursor
        self.has_older = page.next_cursor is not None
        self._context.seen(page.items)

    def put_newest(self, page: Page[Message], before: Mapping[str, Message], followed: Set[str]) -> None:
        """Take over what the server has listed, but for what has changed here since it was asked.

        `before`: the messages when it was asked. `followed`: those that an active run is writing, whose
        newer state comes from the run.
        """
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
        self.messages = _merged(self.messages, newest, before.keys(), whole=page.next_cursor is None)
        if new:
            self._context.seen(new)


class RunPages:
    """The runs read so far, with the steps of those that were read as a whole."""

    def __init__(self, context: ThreadContext, messages: MessagePages) -> None:
        self._context = context
        self._messages = messages
        self.runs: dict[str, RunState] = {}
        """By ID, oldest first."""
        self.usage = UsageCount()
        """What these runs used."""
        self.has_older = False
        """Whether the server has runs older than the ones read so far."""
        self._older_after: str | None = None
        self._with_steps: set[str] = set()

    @property
    def latest(self) -> RunState | None:
        """The newest run of the thread, if one is known."""
        return next(reversed(self.runs.values()), None)

    @property
    def active(self) -> RunState | None:
        """The run that holds the thread's lock, if any. The API allows one at a time."""
        latest = self.latest
        return latest if latest is not None and latest.active else None

    def has_steps(self, run_id: str) -> bool:
        """Whether the steps of a run have been read."""
        return run_id in self._with_steps

    async def read_older(self) -> None:
        """Read the page of runs before the oldest one. A failure is kept in the conversation's `error`."""
        thread_id = self._context.thread_id
        if thread_id is None or not self.has_older:
            return
        try:
            backend = await self._context.backend()
            page = await backend.runs.list(thread_id, limit=RUNS_PER_PAGE, after=self._older_after)
        except ServiceError as error:
            self._context.fail(error)
        else:
            self.put_older(page)
            self._context.changed()

    async def read(self, run_id: str) -> None:
        """Read the steps of a run that was only listed. A failure is kept in the conversation's `error`."""
        thread_id = self._context.thread_id
        if thread_id is None or self.has_steps(run_id):
            return
        try:
            await self.load(thread_id, run_id)
        except ServiceError as error:
            self._context.fail(error)

    async def load(self, thread_id: str, run_id: str) -> None:
        """Read a run with its steps and messages. Raises `ServiceError`."""
        backend = await self._context.backend()
        state = await backend.runs.load(thread_id, run_id)
        self.take(state)
        if state.finished:
            self._context.seen(state.messages.values())
        self._context.changed()

    def take(self, state: RunState) -> None:
        """Take over a newer state of a run, and with it the messages that the run wrote."""
        if state.run is not None:
            self._with_steps.add(state.run["id"])
            self.runs[state.run["id"]] = state
            self.usage.put(state.run)
            self._messages.put(state.messages)

    def forget_message(self, message_id: str) -> None:
        """Take a deleted message out of the run that wrote it."""
        for run_id, state in self.runs.items():
            if message_id in state.messages:
                self.runs[run_id] = replace(state, messages=_without(state.messages, message_id))

    def put_older(self, page: Page[Run]) -> None:
        """Take over a page that comes before all others."""
        read = {run["id"]: RunState(thread_id=run["thread_id"], run=run) for run in reversed(page.items)}
        for run in page.items:
            self.usage.put(run)
        self.runs = {run_id: state for run_id, state in read.items() if run_id not in self.runs} | self.runs
        self._older_after = page.next_cursor
        self.has_older = page.next_cursor is not None

    def put_newest(self, page: Page[Run], before: Mapping[str, RunState], *, following: bool) -> None:
        """Take over what the server has listed, but for what has changed here since it was asked.

        `before`: the runs when it was asked. `following`: the active run is followed, so what comes from
        there is newer.
        """
        newest: dict[str, RunState] = {}
        for run in reversed(page.items):
            state = self.runs.get(run["id"], RunState(thread_id=run["thread_id"]))
            followed = following and state is self.active
            changed = state.run is not None and state is not before.get(run["id"])
            if not followed and not changed and _differs(state.run, run):
                state = replace(state, run=run)
                self.usage.put(run)
                self._with_steps.discard(run["id"])
            newest[run["id"]] = state
        if next(iter(newest), None) not in self.runs:
            self._older_after = page.next_cursor
            self.has_older = page.next_cursor is not None
        self.runs = _merged(self.runs, newest, before.keys(), whole=page.next_cursor is None)


def _differs(known: Run | None, listed: Run) -> bool:
    """Whether a run has gone on since it was read: to another status, or to another required action."""
    return known is None or any(known.get(key) != listed.get(key) for key in ("status", "required_action"))


def _without(items: Mapping[str, Item], gone: str) -> dict[str, Item]:
    return {key: item for key, item in items.items() if key != gone}


def _merged(
    known: Mapping[str, Item], newest: Mapping[str, Item], before: Set[str], *, whole: bool
) -> dict[str, Item]:
    """What is known, with its newer part as the server has listed it; `whole`: that is all there is.

    `before` are the keys that were known when the server was asked: what has come since stays.
    """
    first = next(iter(newest), None)
    older = takewhile(lambda key: key != first, known) if first in known and not whole else ()
    later = [key for key in known if key not in before and key not in newest]
    return {key: known[key] for key in older} | {**newest} | {key: known[key] for key in later}
