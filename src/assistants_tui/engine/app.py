"""The engine as an ASGI app: opens what it works with, and puts the endpoints where clients look for them.

OpenAI's clients find them under /v1, those of Azure under /openai.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from assistants_tui.engine import seed
from assistants_tui.engine.code_interpreter import CodeInterpreter, Limits
from assistants_tui.engine.housekeeping import Housekeeping
from assistants_tui.engine.http import (
    assistants,
    files,
    messages,
    models,
    openapi,
    run_steps,
    runs,
    search,
    threads,
    uploads,
    vector_store_files,
    vector_stores,
)
from assistants_tui.engine.http.api_keys import LOCAL_OWNER, Keys
from assistants_tui.engine.http.authentication import AuthenticationMiddleware
from assistants_tui.engine.http.body_room import BodyRoom
from assistants_tui.engine.http.context import Context
from assistants_tui.engine.http.errors import ApiError
from assistants_tui.engine.http.large_bodies import LargeBodies
from assistants_tui.engine.http.middleware import OuterMiddleware
from assistants_tui.engine.http.options import Options, methods_of
from assistants_tui.engine.http.paging import unknown_cursor
from assistants_tui.engine.http.rate_limit import RateLimiter
from assistants_tui.engine.ingest import FileIngest
from assistants_tui.engine.models.context_limits import ContextLimits
from assistants_tui.engine.models.provider import ModelProvider, Provider
from assistants_tui.engine.models.router import ModelRouter
from assistants_tui.engine.runs.instance_lock import InstanceLock
from assistants_tui.engine.runs.manager import RunManager
from assistants_tui.engine.runs.services import RunServices
from assistants_tui.engine.search.search import FileSearch
from assistants_tui.engine.settings import EngineSettings
from assistants_tui.engine.store.blobs import BlobStore
from assistants_tui.engine.store.crud import UnknownCursorError
from assistants_tui.engine.store.database import Database
from assistants_tui.engine.tutor import Tutor

if TYPE_CHECKING:
    from assistants_tui.engine.models.embedding_client import Embedder

__all__ = ["EngineSettings", "ModelProvider", "create_app"]

_ROUTES: list[Route] = [
    *assistants.routes,
    *runs.routes,  # before those of threads: /threads/runs names no thread
    *threads.routes,
    *messages.routes,
    *run_steps.routes,
    *files.routes,
    *uploads.routes,
    *vector_stores.routes,
    *vector_store_files.routes,
    *search.routes,
    *models.routes,
]


def create_app(settings: EngineSettings) -> Starlette:
    """The app. It opens the store in its lifespan, so nothing is touched before that.

    Raises `api.auth.KeyFileError` if the settings name a file of keys that cannot be used.
    """
    keys = Keys(settings.api_keys, settings.clock)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with _open(settings, keys) as context:
            app.state.context = context
            yield

    return Starlette(
        routes=[
            Mount("/v1", routes=_ROUTES, middleware=_middleware(azure=False)),
            *openapi.routes,
            Mount("/openai", routes=_ROUTES, middleware=_middleware(azure=True)),
        ],
        middleware=[Middleware(OuterMiddleware), *_cors(settings.web_origins)],
        exception_handlers={
            ApiError: _api_error,
            HTTPException: _http_error,
            UnknownCursorError: unknown_cursor,
        },
        lifespan=lifespan,
    )


def _middleware(*, azure: bool) -> list[Middleware]:
    return [
        Middleware(Options, routes=_ROUTES),
        Middleware(AuthenticationMiddleware, azure=azure),
        Middleware(BodyRoom),
    ]


def _cors(origins: Sequence[str]) -> list[Middleware]:
    """What lets the pages of some origins read answers, and preflights of browsers pass; nothing for none."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["x-request-id", "openai-poll-after-ms"],
        )
    ]


@asynccontextmanager
async def _open(settings: EngineSettings, keys: Keys) -> AsyncIterator[Context]:
    has_starters = settings.starter_assistants and settings.api_keys is None

    async def fill(connection: AsyncConnection) -> None:
        if has_starters:
            await seed.create(connection, LOCAL_OWNER, int(settings.clock.time()))

    async with AsyncExitStack() as stack:
        database = await Database.open(settings.data_dir, settings.database_url, seed=fill)
        stack.push_async_callback(database.close)
        model = ModelRouter(
            [_provider(one, settings.default_model) for one in settings.providers],
            Tutor(),
            settings.default_model,
        )
        stack.push_async_callback(model.close)
        blobs = BlobStore(settings.data_dir / "files")
        embedder = _embedder(settings)
        if embedder is not None:
            stack.push_async_callback(embedder.close)
        file_search = FileSearch(settings.data_dir, database, embedder)
        stack.push_async_callback(file_search.close)
        file_search.start()
        ingest = FileIngest(settings.data_dir, database, blobs, file_search)
        stack.push_async_callback(ingest.close)
        ingest.start()
        housekeeping = Housekeeping(database, blobs, settings.clock)
        housekeeping.start()
        stack.push_async_callback(housekeeping.stop)
        run_manager = await stack.enter_async_context(
            _open_run_manager(settings, database, blobs, model=model, file_search=file_search)
        )
        limiter = RateLimiter(settings.clock, settings.attach_requests_per_minute)
        yield Context(
            settings, database, blobs, keys, model, run_manager, ingest, file_search, limiter, LargeBodies()
        )


@asynccontextmanager
async def _open_run_manager(
    settings: EngineSettings,
    database: Database,
    blobs: BlobStore,
    *,
    model: ModelRouter,
    file_search: FileSearch,
) -> AsyncIterator[RunManager]:
    """The manager of all runs, opened. It ends its runs, and the kernels of their code, at the end."""
    interpreter = CodeInterpreter(
        settings.data_dir / "code_interpreter",
        limits=_code_limits(settings),
        launcher=settings.sandbox,
        unconfined=settings.without_sandbox != "refuse",
        module_advice=settings.module_advice,
    )
    context_limits = ContextLimits(model, model.declared_context)
    services = RunServices(
        database,
        blobs,
        settings.clock,
        model,
        interpreter,
        file_search,
        ask_about_code=settings.without_sandbox == "ask",
        context_limits=context_limits,
    )
    run_manager = RunManager(services, InstanceLock(settings.data_dir / "engines"))
    try:
        await run_manager.open()
        yield run_manager
    finally:
        await run_manager.close()
        await context_limits.close()
        await interpreter.close()


def _code_limits(settings: EngineSettings) -> Limits:
    """Where users have keys of their own, none of them has more than half of the sessions."""
    limits = settings.code_limits
    if settings.api_keys is None or limits.sessions_per_owner is not None:
        return limits
    return replace(limits, sessions_per_owner=max(1, limits.sessions // 2))


def _provider(settings: ModelProvider, default_model: str | None) -> Provider:
    """`default_model`: that of the engine, which may be one of this provider."""
    from assistants_tui.engine.models.endpoint import EndpointModel

    if settings.default_model is None and default_model is not None:
        name = f"{settings.name}/" if settings.name else ""
        if default_model.startswith(name):
            settings = replace(settings, default_model=default_model.removeprefix(name))
    endpoint = EndpointModel(
        settings.url,
        api_key=settings.api_key,
        key_advice=settings.key_advice,
        default_model=settings.declared_default,
        headers=settings.headers,
        extra_body=settings.extra_body,
    )
    return Provider(settings, endpoint)


def _embedder(settings: EngineSettings) -> "Embedder | None":
    """The embeddings of the first provider that has some."""
    for provider in settings.providers:
        if provider.embeddings is not None:
            from assistants_tui.engine.models.embedding_client import EndpointEmbedder

            return EndpointEmbedder(
                provider.embeddings_url or provider.url,
                provider.embeddings,
                api_key=provider.embeddings_key,
                key_advice=provider.key_advice,
            )
    return None


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


async def _http_error(request: Request, error: Exception) -> Response:
    """What the router itself refuses: paths and methods that do not exist."""
    assert isinstance(error, HTTPException)
    what = f"{request.method} {request.url.path}"
    if error.status_code == 404:
        message, code = f"Unknown request URL: {what}. Please check the URL for typos.", "unknown_url"
    elif error.status_code == 405:
        message, code = f"Not allowed: {what}. The URL takes other methods.", "method_not_supported"
    else:
        message, code = error.detail, None
    allow = ", ".join(sorted(methods_of(request, _ROUTES))) if error.status_code == 405 else ""
    headers = {"allow": allow} if allow else None
    return ApiError(error.status_code, message, code=code, headers=headers).response()
