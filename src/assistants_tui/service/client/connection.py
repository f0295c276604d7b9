"""The way to the backend of one profile: opened on first use, once, without holding up the event loop."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import Config, Profile, WithoutSandbox
from assistants_tui.settings.paths import Paths

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend
    from assistants_tui.service.runs.user_hooks import UserHooks


class Connection:
    """Opens the backend when it is first asked for. After a failure the next asker tries again."""

    def __init__(
        self,
        profile: Profile,
        *,
        paths: Paths,
        config: Config,
        on_problem: Callable[[str], None] = lambda problem: None,
        without_sandbox: WithoutSandbox = "refuse",
    ) -> None:
        """`on_problem` gets a sentence about every mistake in the user's hooks, on the event loop.

        `without_sandbox`: what an embedded engine does with code where no sandbox holds.
        """
        self.profile = profile
        self._on_problem = on_problem
        self._without_sandbox = without_sandbox
        self._hooks: UserHooks | None = None
        self._paths = paths
        self._config = config
        self._opening: asyncio.Task[Backend] | None = None

    @property
    def has_models(self) -> bool:
        """Whether models are connected to the embedded engine of the profile."""
        return self.profile.model_url is not None or bool(self._config.models)

    @property
    def is_open(self) -> bool:
        """Whether the backend is there, so that asking for it does not wait."""
        return (
            self._opening is not None
            and self._opening.done()
            and not self._opening.cancelled()
            and self._opening.exception() is None
        )

    async def backend(self) -> "Backend":
        """The open backend.

        Raises:
            ServiceError: it cannot be opened; asking again tries again.
        """
        if self._opening is None or (self._opening.done() and not self.is_open):
            self._opening = asyncio.create_task(self._open())
        # shielded: an asker that gives up must not stop the opening for the others
        return await asyncio.shield(self._opening)

    async def close(self) -> None:
        """Close the backend if it was opened, and with it an embedded engine."""
        if self._opening is None:
            return
        try:
            backend = await self._opening
        except (ServiceError, asyncio.CancelledError):
            return
        finally:
            self._opening = None
        try:
            await backend.close()
        finally:
            if self._hooks is not None:
                await asyncio.to_thread(self._hooks.close)

    async def _open(self) -> "Backend":
        # the client and the engine take most of a second to import: in a thread, so that keys are still heard
        module = await asyncio.to_thread(import_module, "assistants_tui.service.client.backend")
        hooks = None
        if self._config.hooks is not None:
            from assistants_tui.service.runs.user_hooks import UserHooks

            loop = asyncio.get_running_loop()

            def report(problem: str) -> None:
                with suppress(RuntimeError):  # the loop is closed, and with it the app
                    loop.call_soon_threadsafe(self._on_problem, problem)

            self._hooks = self._hooks or UserHooks(self._config.hooks, report)
            hooks = self._hooks.hooks
        backend: Backend = await module.open_backend(
            self.profile,
            paths=self._paths,
            config=self._config,
            hooks=hooks,
            without_sandbox=self._without_sandbox,
        )
        return backend
