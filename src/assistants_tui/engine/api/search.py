"""Searching vector stores, and reading what was parsed from their files: checked, but not available yet."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistants_tui.engine.api.context import context, owner
from assistants_tui.engine.api.errors import ApiError
from assistants_tui.engine.api.requests.vector_stores import Search
from assistants_tui.engine.api.validation import read_body
from assistants_tui.engine.api.vector_stores import get_store, store_id_of


async def search(request: Request) -> Response:
    store_id = store_id_of(request)
    await read_body(request, Search)
    raise await _unavailable(request, store_id)


async def content(request: Request) -> Response:
    raise await _unavailable(request, store_id_of(request))


async def _unavailable(request: Request, store_id: str) -> ApiError:
    engine = context(request)
    async with engine.database.read() as connection:
        await get_store(connection, owner(request), store_id, engine.now())
    return ApiError(
        501,
        "This engine cannot search files yet: it has no index of them.",
        type="server_error",
        headers={"x-should-retry": "false"},
    )


routes = [
    Route("/vector_stores/{vector_store_id}/search", search, methods=["POST"]),
    Route("/vector_stores/{vector_store_id}/files/{file_id}/content", content, methods=["GET"]),
]
