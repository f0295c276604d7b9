"""What every endpoint needs: the open engine, and on whose behalf it is asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from assistants_tui.engine.api.auth import Keys
from assistants_tui.engine.models.base import ChatModel
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
    endpoint: ChatModel | None
    """Where answers come from besides the offline tutor."""

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


@asynccontextmanager
async def writing(request: Request) -> AsyncIterator[Work]:
    """A transaction that may change things. It is undone if the request ends in an error."""
    engine = context(request)
    async with engine.database.write() as connection:
        yield Work(engine, owner(request), connection)


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
