"""The engine inside this process. Only this module knows it; for the others it is a server like any."""

import asyncio
import sqlite3
from typing import Any

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.engine.code_interpreter.execution import MIB, Limits
from assistants_tui.installation import module_advice
from assistants_tui.service.client.asgi_transport import Application, AsgiTransport
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import CodeSettings, Profile, WithoutSandbox
from assistants_tui.settings.files import private_directory
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.secrets import Secret


class EmbeddedEngine:
    """A running engine. `transport` takes requests for it."""

    def __init__(self, application: Application) -> None:
        self.transport = AsgiTransport(application)
        self._lifespan = _Lifespan(application)

    async def start(self) -> None:
        """Raises `ServiceError` if the engine cannot open its store."""
        await self._lifespan.start()

    async def close(self) -> None:
        """Stop it: open runs are ended in an orderly way, and the store is closed."""
        await self.transport.aclose()
        await self._lifespan.stop()


async def open_engine(
    profile: Profile,
    *,
    paths: Paths,
    key: Secret | None,
    key_advice: str,
    code: CodeSettings,
    without_sandbox: WithoutSandbox,
) -> EmbeddedEngine:
    """Start the engine of an embedded profile. Raises `ServiceError`.

    `key_advice`: why its model endpoint gets no key, where the profile has one that is not sent there.
    """
    data_dir = paths.engine_dir(profile.name)
    try:
        await asyncio.to_thread(private_directory, data_dir)
    except OSError as error:
        raise ServiceError(
            f"The engine's directory {data_dir} cannot be made: {error.strerror}.", kind="settings"
        ) from error
    application: Any = create_app(
        EngineSettings(
            data_dir=data_dir,
            model_url=profile.model_url,
            model_api_key=key.reveal() if key else None,
            model_key_advice=key_advice or _key_advice(profile),
            default_model=profile.default_model,
            embedding_model=profile.embedding_model,
            starter_assistants=True,
            attach_requests_per_minute=None,  # its only user may add a large folder at once
            sandbox=code.sandbox,
            without_sandbox=without_sandbox,
            code_limits=limits(code),
            module_advice=module_advice(),
        )
    )
    engine = EmbeddedEngine(application)
    await engine.start()
    return engine


def _key_advice(profile: Profile) -> str:
    if profile.model_api_key_env:
        return f"The environment variable {profile.model_api_key_env} is not set, nor is a key stored (F3)."
    return (
        "Name the environment variable that holds its key in `model_api_key_env` of "
        f"[profiles.{profile.name}], or store the key: F3."
    )


def limits(code: CodeSettings) -> Limits:
    """What the settings say, in the engine's terms."""
    return Limits(
        seconds=code.timeout,
        idle_seconds=code.idle,
        memory=code.memory * MIB,
        processes=code.processes,
        disk=code.disk * MIB,
        output_chars=code.output,
    )


class _Lifespan:
    """Startup and shutdown of an ASGI application (https://asgi.readthedocs.io/en/latest/specs/lifespan.html).

    Both happen in one task of their own, as under a server: what the application opens there may insist on
    being closed by the task that opened it.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())
        try:
            await self._say("lifespan.startup")
        except BaseException:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            raise

    async def stop(self) -> None:
        if self._task is not None and not self._task.done():
            await self._say("lifespan.shutdown")
            await self._task

    async def _run(self) -> None:
        async def send(message: Any) -> None:
            await self._answers.put(message)

        await self._application({"type": "lifespan", "asgi": {"version": "3.0"}}, self._inbox.get, send)

    async def _say(self, what: str) -> None:
        assert self._task is not None
        await self._inbox.put({"type": what})
        answer = asyncio.create_task(self._answers.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done() and answer.result()["type"] == f"{what}.complete":
            return
        answer.cancel()
        failure = (await asyncio.gather(self._task, return_exceptions=True))[0]
        raise _failure(failure)


def _failure(error: object) -> ServiceError:
    causes = (error, getattr(error, "orig", None), getattr(error, "__cause__", None))
    reason = next((str(cause) for cause in causes if isinstance(cause, (OSError, sqlite3.Error))), "")
    return ServiceError(
        f"The embedded engine cannot start: {reason or type(error).__name__}.",
        "`assistants-tui doctor` shows where its files lie.",
        kind="settings",
    )
