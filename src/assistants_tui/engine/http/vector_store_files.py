"""The endpoints for files in vector stores, one by one and in batches."""

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistants_tui.engine.http.context import context, owner, writing
from assistants_tui.engine.http.errors import ApiError, not_found
from assistants_tui.engine.http.paging import page_request, page_response
from assistants_tui.engine.http.path_ids import path_id
from assistants_tui.engine.http.requests.vector_stores import AttributesChange, FileInStore, NewFileBatch
from assistants_tui.engine.http.storing_files import put_in_store
from assistants_tui.engine.http.validation import read_body
from assistants_tui.engine.http.validation_errors import unsupported_value
from assistants_tui.engine.http.vector_stores import get_store, store_id_of
from assistants_tui.engine.store import file_batches, vector_store_files, vector_stores
from assistants_tui.engine.store.vector_store_files import StoredVectorStoreFile
from assistants_tui.protocol.objects import FileBatch
from assistants_tui.protocol.transitions import INGEST_STATUSES, IngestStatus

# While indexing goes on, clients that wait for it should ask again after this time.
_POLL_AFTER = {"openai-poll-after-ms": "500"}


async def create(request: Request) -> Response:
    store_id = store_id_of(request)
    body = await read_body(request, FileInStore)
    async with writing(request) as work:
        store = await get_store(work.connection, work.owner, store_id, work.engine.now())
        work.engine.attach_limiter.take(store_id)
        await put_in_store(work, store, [body], "file_id")
        await vector_stores.use(work.connection, [store_id], work.engine.now())
        attached = await vector_store_files.get(work.connection, work.owner, store_id, body.file_id)
    return JSONResponse(attached)


async def listing(request: Request) -> Response:
    engine = context(request)
    store_id, wanted, status = store_id_of(request), page_request(request), _status(request)
    async with engine.database.read() as connection:
        await get_store(connection, owner(request), store_id, engine.now())
        page = await vector_store_files.page(connection, owner(request), store_id, wanted, status=status)
    return page_response(page)


async def retrieve(request: Request) -> Response:
    engine = context(request)
    store_id = store_id_of(request)
    file_id: str = request.path_params["file_id"]
    async with engine.database.read() as connection:
        await get_store(connection, owner(request), store_id, engine.now())
        return _progress(await get_file(connection, owner(request), store_id, file_id))


async def modify(request: Request) -> Response:
    store_id = store_id_of(request)
    file_id: str = request.path_params["file_id"]
    body = await read_body(request, AttributesChange)
    values = {"attributes": body.attributes or {}}
    async with writing(request) as work:
        await get_store(work.connection, work.owner, store_id, work.engine.now())
        changed = await vector_store_files.change(work.connection, work.owner, store_id, file_id, values)
    if changed is None:
        raise _not_in_store(file_id, store_id)
    return JSONResponse(changed)


async def delete(request: Request) -> Response:
    store_id = store_id_of(request)
    file_id: str = request.path_params["file_id"]
    async with writing(request) as work:
        await get_store(work.connection, work.owner, store_id, work.engine.now())
        if not await vector_store_files.detach(work.connection, work.owner, store_id, file_id):
            raise _not_in_store(file_id, store_id)
    return JSONResponse({"id": file_id, "object": "vector_store.file.deleted", "deleted": True})


async def create_batch(request: Request) -> Response:
    store_id = store_id_of(request)
    body = await read_body(request, NewFileBatch)
    path = "file_ids" if body.files is None else "files"
    async with writing(request) as work:
        now = work.engine.now()
        store = await get_store(work.connection, work.owner, store_id, now)
        work.engine.attach_limiter.take(store_id)
        batch_id = await file_batches.create(work.connection, work.owner, store_id, now)
        await put_in_store(work, store, body.entries(), path, batch_id=batch_id, fail_unsupported=True)
        await vector_stores.use(work.connection, [store_id], now)
        batch = await file_batches.get(work.connection, work.owner, store_id, batch_id)
    return JSONResponse(batch)


async def retrieve_batch(request: Request) -> Response:
    engine = context(request)
    store_id, batch_id = _batch(request)
    async with engine.database.read() as connection:
        await get_store(connection, owner(request), store_id, engine.now())
        found = await file_batches.get(connection, owner(request), store_id, batch_id)
    if found is None:
        raise not_found("file_batch", batch_id)
    return _progress(found)


async def cancel_batch(request: Request) -> Response:
    store_id, batch_id = _batch(request)
    async with writing(request) as work:
        await get_store(work.connection, work.owner, store_id, work.engine.now())
        batch = await file_batches.cancel(work.connection, work.owner, store_id, batch_id)
    if batch is None:
        raise not_found("file_batch", batch_id)
    return JSONResponse(batch)


async def batch_files(request: Request) -> Response:
    engine = context(request)
    store_id, batch_id = _batch(request)
    wanted, status = page_request(request), _status(request)
    async with engine.database.read() as connection:
        await get_store(connection, owner(request), store_id, engine.now())
        if await file_batches.get(connection, owner(request), store_id, batch_id) is None:
            raise not_found("file_batch", batch_id)
        page = await vector_store_files.page(
            connection, owner(request), store_id, wanted, status=status, batch_id=batch_id
        )
    return page_response(page)


async def get_file(
    connection: AsyncConnection, owner: str, store_id: str, file_id: str
) -> StoredVectorStoreFile:
    """A file in a store, or the answer that it is not there."""
    found = await vector_store_files.get(connection, owner, store_id, file_id)
    if found is None:
        raise _not_in_store(file_id, store_id)
    return found


def _progress(found: StoredVectorStoreFile | FileBatch) -> Response:
    return JSONResponse(found, headers=_POLL_AFTER if found["status"] == "in_progress" else None)


def _status(request: Request) -> IngestStatus | None:
    asked = request.query_params.get("filter") or None
    status = next((known for known in INGEST_STATUSES if known == asked), None)
    if asked is not None and status is None:
        raise unsupported_value("filter", asked, list(INGEST_STATUSES))
    return status


def _batch(request: Request) -> tuple[str, str]:
    batch_id = path_id(request, "batch_id", "file_batch")
    return store_id_of(request), batch_id


def _not_in_store(file_id: str, store_id: str) -> ApiError:
    return ApiError(404, f"No file found with id '{file_id}' in vector store '{store_id}'.")


routes = [
    Route("/vector_stores/{vector_store_id}/files", create, methods=["POST"]),
    Route("/vector_stores/{vector_store_id}/files", listing, methods=["GET"]),
    Route("/vector_stores/{vector_store_id}/files/{file_id}", retrieve, methods=["GET"]),
    Route("/vector_stores/{vector_store_id}/files/{file_id}", modify, methods=["POST"]),
    Route("/vector_stores/{vector_store_id}/files/{file_id}", delete, methods=["DELETE"]),
    Route("/vector_stores/{vector_store_id}/file_batches", create_batch, methods=["POST"]),
    Route("/vector_stores/{vector_store_id}/file_batches/{batch_id}", retrieve_batch, methods=["GET"]),
    Route("/vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel", cancel_batch, methods=["POST"]),
    Route("/vector_stores/{vector_store_id}/file_batches/{batch_id}/files", batch_files, methods=["GET"]),
]
