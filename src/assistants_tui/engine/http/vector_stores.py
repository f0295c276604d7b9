"""The Vector stores endpoints."""

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistants_tui.engine.http.context import context, owner, writing
from assistants_tui.engine.http.errors import not_found
from assistants_tui.engine.http.paging import page_request, page_response
from assistants_tui.engine.http.path_ids import path_id
from assistants_tui.engine.http.requests.vector_stores import (
    FileInStore,
    NewVectorStore,
    VectorStoreChanges,
)
from assistants_tui.engine.http.storing_files import put_in_store
from assistants_tui.engine.http.validation import read_body
from assistants_tui.engine.store import vector_stores
from assistants_tui.engine.store.vector_stores import StoredVectorStore


async def create(request: Request) -> Response:
    body = await read_body(request, NewVectorStore)
    engine = context(request)
    values = {
        "name": body.name or "",
        "description": body.description,
        "expires_after": body.given().get("expires_after"),
        "metadata": body.metadata or {},
    }
    entries = [
        FileInStore(file_id=file_id, chunking_strategy=body.chunking_strategy) for file_id in body.file_ids
    ]
    async with writing(request) as work:
        store = await vector_stores.create(work.connection, work.owner, engine.now(), values)
        if entries:
            await put_in_store(work, store, entries, "file_ids", fail_unsupported=True)
            store = await get_store(work.connection, work.owner, store["id"], engine.now())
    return JSONResponse(store)


async def listing(request: Request) -> Response:
    engine = context(request)
    wanted = page_request(request)
    async with engine.database.read() as connection:
        return page_response(await vector_stores.page(connection, owner(request), wanted, engine.now()))


async def retrieve(request: Request) -> Response:
    engine = context(request)
    store_id = store_id_of(request)
    async with engine.database.read() as connection:
        return JSONResponse(await get_store(connection, owner(request), store_id, engine.now()))


async def modify(request: Request) -> Response:
    store_id = store_id_of(request)
    body = await read_body(request, VectorStoreChanges)
    values = body.changes()
    if "name" in values:
        values["name"] = values["name"] or ""
    async with writing(request) as work:
        now = work.engine.now()
        changed = await vector_stores.change(work.connection, work.owner, store_id, now, values)
    if changed is None:
        raise not_found("vector_store", store_id)
    return JSONResponse(changed)


async def delete(request: Request) -> Response:
    store_id = store_id_of(request)
    async with writing(request) as work:
        if not await vector_stores.remove(work.connection, work.owner, store_id):
            raise not_found("vector_store", store_id)
    return JSONResponse({"id": store_id, "object": "vector_store.deleted", "deleted": True})


def store_id_of(request: Request) -> str:
    """The store that the path names."""
    return path_id(request, "vector_store_id")


async def get_store(connection: AsyncConnection, owner: str, store_id: str, now: int) -> StoredVectorStore:
    """A store, or the answer that there is none."""
    found = await vector_stores.get(connection, owner, store_id, now)
    if found is None:
        raise not_found("vector_store", store_id)
    return found


routes = [
    Route("/vector_stores", create, methods=["POST"]),
    Route("/vector_stores", listing, methods=["GET"]),
    Route("/vector_stores/{vector_store_id}", retrieve, methods=["GET"]),
    Route("/vector_stores/{vector_store_id}", modify, methods=["POST"]),
    Route("/vector_stores/{vector_store_id}", delete, methods=["DELETE"]),
]
