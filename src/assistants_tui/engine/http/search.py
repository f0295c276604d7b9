"""Searching vector stores, and reading what was parsed from their files."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from assistants_tui.engine.http.context import context, owner, writing
from assistants_tui.engine.http.errors import bad_request
from assistants_tui.engine.http.requests.vector_stores import Search
from assistants_tui.engine.http.validation import read_body
from assistants_tui.engine.http.vector_store_files import get_file
from assistants_tui.engine.http.vector_stores import get_store, store_id_of
from assistants_tui.engine.search import passages
from assistants_tui.engine.search.chunk_repository import StoredChunk
from assistants_tui.engine.search.queries import rewrite
from assistants_tui.engine.search.results import Ranking
from assistants_tui.engine.store import vector_store_files, vector_stores
from assistants_tui.protocol.objects import Json


async def search(request: Request) -> Response:
    engine, store_id = context(request), store_id_of(request)
    body = await read_body(request, Search)
    async with engine.database.read() as connection:
        store = await get_store(connection, owner(request), store_id, engine.now())
    if store["status"] == "expired":
        raise bad_request(f"Vector store {store_id} has expired. Make a new one.")
    if store["last_active_at"] != engine.now():
        async with writing(request) as work:
            await vector_stores.use(work.connection, [store_id], engine.now())
    queries = [body.query] if isinstance(body.query, str) else body.query
    if body.rewrite_query:
        queries = list(dict.fromkeys(query for asked in queries for query in rewrite(asked)))
    options = body.ranking_options
    hits = await engine.file_search.search(
        [store_id],
        queries,
        max_results=body.max_num_results,
        ranking=Ranking(rerank=options.ranker != "none", score_threshold=options.score_threshold),
        filters=body.given().get("filters"),
    )
    found = [
        {
            "file_id": hit.file_id,
            "filename": hit.filename,
            "score": hit.score,
            "attributes": hit.attributes,
            "content": [passages.content(hit)],
        }
        for hit in hits
    ]
    page = {"object": "vector_store.search_results.page", "search_query": queries, "data": found}
    # Beyond the API: None says that words alone were compared.
    return JSONResponse(page | _ONLY_PAGE | {"embedding_model": engine.file_search.embedding_model})


async def content(request: Request) -> Response:
    engine, store_id = context(request), store_id_of(request)
    async with engine.database.read() as connection:
        await get_store(connection, owner(request), store_id, engine.now())
        file = await get_file(connection, owner(request), store_id, request.path_params["file_id"])
    if file["status"] == "in_progress":
        raise bad_request(f"File {file['id']} is still being read. Ask again when it is 'completed'.")
    if file["status"] != "completed":
        why = vector_store_files.why_not_read(file["last_error"])
        raise bad_request(f"Nothing was read from file {file['id']}: {why}")
    chunks = engine.file_search.chunks(store_id, file["id"])
    return StreamingResponse(_content_page(chunks), media_type="application/json")


async def progress(request: Request) -> Response:
    """Beyond the protocol: how far the pieces of a store are, and notes on its files.

    It has a path of its own because strict clients refuse objects with more keys than they know.
    """
    engine, store_id = context(request), store_id_of(request)
    async with engine.database.read() as connection:
        await get_store(connection, owner(request), store_id, engine.now())
    state = await engine.file_search.store_progress(store_id)
    return JSONResponse({"object": "vector_store.progress", "id": store_id, **asdict(state)})


_ONLY_PAGE: Json = {"has_more": False, "next_page": None}


async def _content_page(chunks: AsyncIterator[StoredChunk]) -> AsyncIterator[bytes]:
    """All chunks on one page, as the SDKs do not ask for another, without having all of them in memory."""
    yield b'{"object":"vector_store.file_content.page","data":['
    separator = b""
    async for chunk in chunks:
        yield separator + _encoded(passages.content(chunk))
        separator = b","
    yield b"]," + _encoded(_ONLY_PAGE)[1:]


def _encoded(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


routes = [
    Route("/vector_stores/{vector_store_id}/search", search, methods=["POST"]),
    Route("/vector_stores/{vector_store_id}/progress", progress, methods=["GET"]),
    Route("/vector_stores/{vector_store_id}/files/{file_id}/content", content, methods=["GET"]),
]
