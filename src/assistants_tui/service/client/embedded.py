"""The engine inside this process. Only this module knows it; for the others it is a server like any."""

import asyncio
import sqlite3
from collections.abc import Mapping
from typing import Any

from assistants_tui.engine.app import EngineSettings, ModelProvider, create_app
from assistants_tui.engine.code_interpreter.execution import MIB, Limits
from assistants_tui.installation import module_advice
from assistants_tui.service.client.asgi_transport import Application, AsgiTransport
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import CodeSettings, Profile, WithoutSandbox
from assistants_tui.settings.files import private_directory
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.secrets import KeyNotSentError, KeyOwner, declared_headers, find_key


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
    models: Mapping[str, ProviderSettings],
    code: CodeSettings,
    without_sandbox: WithoutSandbox,
) -> EmbeddedEngine:
    """Start the engine of an embedded profile, with these providers of models. Raises `ServiceError`."""
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
            providers=await asyncio.to_thread(_providers, profile, models),
            default_model=profile.default_model,
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


def _providers(profile: Profile, models: Mapping[str, ProviderSettings]) -> list[ModelProvider]:
    """The endpoint that a profile names, and then all others. Waits for the key store."""
    own: list[ModelProvider] = []
    if profile.model_url is not None:
        key, advice = _key_and_advice(profile)
        own = [
            ModelProvider(
                profile.model_url, api_key=key, key_advice=advice, embeddings=profile.embedding_model
            )
        ]
    return [*own, *model_providers(models)]


def model_providers(models: Mapping[str, ProviderSettings]) -> list[ModelProvider]:
    """The providers of the settings, in the engine's terms, with their keys. Waits for the key store."""
    found = []
    for name, settings in models.items():
        key, advice = _key_and_advice(settings)
        found.append(
            ModelProvider(
                settings.url,
                name,
                kind=settings.kind,
                api_key=key,
                key_advice=advice,
                default_model=settings.default_model,
                context=settings.context,
                headers=declared_headers(settings),
                extra_body=settings.body,
                allow=settings.allow,
                embeddings=settings.embeddings,
                embeddings_url=settings.embeddings_url,
            )
        )
    return found


def _key_and_advice(owner: KeyOwner) -> tuple[str | None, str]:
    """The key for a model endpoint, and what helps where it asks for one and there is none."""
    try:
        key = find_key(owner)
    except KeyNotSentError as error:  # the engine opens all the same: not everything needs this endpoint
        return None, str(error)
    stores = isinstance(owner, Profile)  # the key of a provider is stored when it is connected, not later
    if owner.key_variable:
        where = " (F3)" if stores else ""
        advice = f"The environment variable {owner.key_variable} is not set, nor is a key stored{where}."
    else:
        advice = (
            f"Name the environment variable that holds its key in `{owner.key_setting}` of "
            f"[{owner.table}]{', or store the key: F3' if stores else ''}."
        )
    return key.reveal() if key else None, advice


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
