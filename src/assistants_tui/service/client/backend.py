"""A server as the app sees it: all that can be asked of it, opened for one profile.

Importing this module costs little. `load` imports what talks to the server, which takes most of a second and
is done in a thread; `open_backend` then connects.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from assistants_tui.protocol.names import DEFAULT_MODEL
from assistants_tui.protocol.objects import Assistant, ListAnswer, Model
from assistants_tui.service.client.assistant_cache import cached_assistants, remember_assistants
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.runs.hooks import Hooks
from assistants_tui.settings.config import Config, Profile, WithoutSandbox
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.secrets import KeyNotSentError, find_key

if TYPE_CHECKING:
    from assistants_tui.service.client.assistants import Assistants
    from assistants_tui.service.client.files import Files
    from assistants_tui.service.client.http_client import Client
    from assistants_tui.service.client.runs import Runs
    from assistants_tui.service.client.threads import Threads
    from assistants_tui.service.client.vector_stores import VectorStores
    from assistants_tui.service.runs.budget import TokenBudget
    from assistants_tui.service.runs.run_follower import Clock


@dataclass(frozen=True)
class Backend:
    """An open server. Its methods raise `ServiceError`, which is ready to be shown."""

    profile: Profile
    assistants: "Assistants"
    threads: "Threads"
    runs: "Runs"
    files: "Files"
    vector_stores: "VectorStores"
    budget: "TokenBudget"
    client: "Client"
    _paths: Paths
    _close: Callable[[], Awaitable[None]]

    async def models(self) -> list[Model]:
        """The models that assistants can use; empty where the server does not say, as on Azure."""
        if self.profile.kind == "azure":
            return []  # what counts there are names of deployments, which it does not list
        try:
            answer = await self.client.fetch(ListAnswer, "models")
        except ServiceError as error:
            if error.status in {404, 405}:
                return []
            raise
        return [self.client.checked(Model, model, "GET /models") for model in answer["data"]]

    async def default_model(self) -> str:
        """The model that the name `default` stands for; empty where the server has no such name."""
        try:
            answer = await self.client.get(f"models/{DEFAULT_MODEL}")
        except ServiceError:
            return ""  # whoever wants to use it is told
        root = answer.get("root")
        return root if isinstance(root, str) and root != DEFAULT_MODEL else ""

    def cached_assistants(self) -> list[Assistant]:
        """The assistants as the last list of this profile had them. Reads a small file."""
        return cached_assistants(self._paths, self.profile)

    async def close(self) -> None:
        """Close the connections; an embedded engine ends what it was doing."""
        await self._close()


def load(profile: Profile) -> None:
    """Import what `open_backend` needs for this profile. Slow the first time: call it in a thread."""
    for name in ("runs", "files", "vector_stores", "profile_client"):
        import_module(f"assistants_tui.service.client.{name}")
    if profile.kind == "embedded":
        import_module("assistants_tui.service.client.embedded")


async def open_backend(
    profile: Profile,
    *,
    paths: Paths,
    config: Config | None = None,
    hooks: Hooks | None = None,
    clock: "Clock | None" = None,
    without_sandbox: WithoutSandbox = "refuse",
) -> Backend:
    """Open the server of a profile: start the embedded engine, or get ready to talk to a remote one.

    `without_sandbox`: what the embedded engine does with code where no sandbox holds.
    A remote server is not asked anything yet. Raises `ServiceError` when the profile lacks something or the
    engine cannot start.
    """
    await asyncio.to_thread(load, profile)
    from assistants_tui.service.client.profile_client import embedded_client, remote_client

    hooks = hooks or Hooks()
    if profile.kind != "embedded":
        try:
            key = await asyncio.to_thread(find_key, profile)
        except KeyNotSentError as error:
            raise ServiceError(str(error), kind="settings", no_effect=True) from None
        client = remote_client(profile, key, failed=hooks.failed)
        return _backend(profile, client, client.close, paths=paths, hooks=hooks, clock=clock)

    from assistants_tui.service.client.embedded import open_engine

    config = config or Config()
    engine = await open_engine(
        profile,
        paths=paths,
        models=config.models,
        code=config.code,
        without_sandbox=without_sandbox,
    )
    client = embedded_client(engine.transport, failed=hooks.failed)

    async def close() -> None:
        try:
            await client.close()
        finally:
            await engine.close()

    return _backend(profile, client, close, paths=paths, hooks=hooks, clock=clock)


def _backend(
    profile: Profile,
    client: "Client",
    close: Callable[[], Awaitable[None]],
    *,
    paths: Paths,
    hooks: Hooks,
    clock: "Clock | None",
) -> Backend:
    from assistants_tui.service.client.assistants import Assistants
    from assistants_tui.service.client.files import Files
    from assistants_tui.service.client.runs import Runs
    from assistants_tui.service.client.threads import Threads
    from assistants_tui.service.client.vector_stores import VectorStores
    from assistants_tui.service.runs.budget import TokenBudget

    writing: set[asyncio.Future[None]] = set()

    def remember(assistants: list[Assistant]) -> None:
        """Keep the list for the next start, without holding up who asked for it."""
        write = asyncio.ensure_future(asyncio.to_thread(remember_assistants, paths, profile, assistants))
        writing.add(write)
        write.add_done_callback(writing.discard)

    async def close_all() -> None:
        await asyncio.gather(*writing)
        await close()

    budget = TokenBudget(
        profile.runs,
        paths.state_file,
        profile.name,
        validated=hooks.tokens_validated,
        consumed=hooks.tokens_consumed,
    )
    return Backend(
        profile=profile,
        assistants=Assistants(client, profile.runs.assistant_fetch_count, remember),
        threads=Threads(client),
        runs=Runs(client, profile.runs, budget, clock=clock, cancelled=hooks.run_cancelled),
        files=Files(client, paths.downloads_dir),
        vector_stores=VectorStores(client),
        budget=budget,
        client=client,
        _paths=paths,
        _close=close_all,
    )
