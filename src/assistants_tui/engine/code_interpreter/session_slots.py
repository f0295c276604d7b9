"""Which sessions may be alive: a number at once, a share for each owner, and a queue for the rest."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator

from .execution import Limits
from .session import Session


class Admission:
    """Admits sessions. `sessions` are all there are, admitted or not. Belongs to one event loop."""

    def __init__(self, limits: Limits, sessions: Callable[[], Collection[Session]]) -> None:
        self._limits = limits
        self._sessions = sessions
        self._waiting: list[Session] = []  # longest first
        self._change = asyncio.Event()

    async def admit(self, session: Session, on_wait: Callable[[str], Awaitable[None]]) -> None:
        """Wait until a session may be alive, or is to stop. `on_wait` is told once why it waits, if it does.

        Idle sessions are ended to make room, first those of the owner that has most alive. Of the waiting
        ones, the next is the one whose owner has the fewest, and among those the one that has waited longest.
        """
        told = False
        with self._queued(session):
            while not session.admitted and not session.stop_requested:
                change = self._change
                if await self._take_turn(session):
                    return
                if not told:
                    told = True
                    await on_wait(self._reason(session))
                await change.wait()

    async def admit_now(self, session: Session) -> bool:
        """Whether a session may be alive without waiting."""
        with self._queued(session):
            return session.admitted or await self._take_turn(session)

    def changed(self) -> None:
        """A session has become idle, has ended or is to stop: let the waiting ones look again."""
        self._change.set()
        self._change = asyncio.Event()

    @contextlib.contextmanager
    def _queued(self, session: Session) -> Iterator[None]:
        self._waiting.append(session)
        try:
            yield
        finally:
            self._waiting.remove(session)
            self.changed()

    async def _take_turn(self, session: Session) -> bool:
        """Admit a session if it is the next one for which there is room."""
        alive = self._alive()
        for waiting in sorted(self._waiting, key=lambda waiting: alive[waiting.owner]):
            if waiting.admitted or waiting.stop_requested:
                continue
            if self._has_room(waiting, alive):
                ended = None
            elif (ended := self._to_end(waiting, alive)) is None:
                continue
            if waiting is not session:
                return False
            session.admitted = True
            if ended is not None:
                ended.admitted = False
                await asyncio.shield(ended.rest())
            return True
        return False

    def _alive(self) -> Counter[str]:
        """How many sessions of each owner are admitted."""
        return Counter(session.owner for session in self._sessions() if session.admitted)

    def _has_share(self, session: Session, alive: Counter[str]) -> bool:
        share = self._limits.sessions_per_owner
        return share is not None and alive[session.owner] >= share

    def _has_room(self, session: Session, alive: Counter[str]) -> bool:
        return alive.total() < self._limits.sessions and not self._has_share(session, alive)

    def _to_end(self, session: Session, alive: Counter[str]) -> Session | None:
        """The idle session to end for one: of the owner that has most alive, the one idle longest.

        Among owners with equally many, its own owner comes last.
        """
        idle = [other for other in self._sessions() if other.admitted and other.idle]
        if self._has_share(session, alive):
            idle = [other for other in idle if other.owner == session.owner]
        return min(
            idle,
            key=lambda other: (-alive[other.owner], other.owner == session.owner, other.last_used),
            default=None,
        )

    def _reason(self, session: Session) -> str:
        if self._has_share(session, self._alive()):
            share = self._limits.sessions_per_owner
            return f"Waiting to start: as much code of yours is running as may run at once ({share})."
        return f"Waiting to start: as much code is running here as may run at once ({self._limits.sessions})."
