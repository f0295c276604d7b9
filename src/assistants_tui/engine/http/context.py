"""What every endpoint needs: the open engine, and on whose behalf it is asked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from assistants_tui.engine.http.api_keys import Keys
from assistants_tui.engine.http.large_bodies import LargeBodies
from assistants_tui.engine.http.rate_limit import RateLimiter
from assistants_tui.engine.ingest import FileIngest
from assistants_tui.engine.models.router import ModelRouter
from assistants_tui.engine.runs.manager import RunManager
from assistants_tui.engine.search.search import FileSearch
from assistants_tui.engine.settings import EngineSettings
from assistants_tui.engine.store.blobs import BlobStore
from assistants_tui.engine.store.clock import Clock
from assistants_tui.engine.store.database import Database


@dataclass(frozen=True)
class Context:
    """An engine that is open."""

    settings: EngineSettings
    database: Database
    blobs: BlobStore
    keys: Keys
    model: ModelRouter
    run_manager: RunManager
    ingest: FileIngest
    file_search: FileSearch
    attach_limiter: RateLimiter
    large_bodies: LargeBodies

    @property
    def clock(self) -> Clock:
        return self.settings.clock

    def now(self) -> int:
        """Unix seconds, as objects carry them."""
        return int(self.clock.time())


@dataclass(frozen=True)
class Work:
    """A transaction on somebody's behalf."""

    engine: Context
    owner: str
    connection: AsyncConnection
    _later: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def afterwards(self, action: Callable[[], Awaitable[None]]) -> None:
        """Have something done once all this is committed, and not at all if it is undone."""
        self._later.append(action)

    async def finish(self) -> None:
        for action in self._later:
            await action()


@asynccontextmanager
async def writing(request: Request) -> AsyncIterator[Work]:
    """A transaction that may change things. It is undone if the request ends in an error."""
    engine = context(request)
    async with engine.database.write() as connection:
        work = Work(engine, owner(request), connection)
        yield work
    await work.finish()


def context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


def owner(request: Request) -> str:
    """Whose key the request came with. Nobody else's objects exist for it."""
    name: str = request.state.owner
    return name


def is_azure(request: Request) -> bool:
    """Whether the request came in the manner of Azure, whose limits differ in places."""
    return bool(request.state.azure)
