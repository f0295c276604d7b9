"""The Threads endpoints, and the list of threads, which goes beyond the hosted API."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistants_tui.engine.http.context import Work, context, owner, writing
from assistants_tui.engine.http.errors import not_found
from assistants_tui.engine.http.messages import add_messages
from assistants_tui.engine.http.paging import page_request, page_response
from assistants_tui.engine.http.path_ids import path_id
from assistants_tui.engine.http.requests.messages import NewThread, ThreadChanges
from assistants_tui.engine.http.tool_resources import resolve
from assistants_tui.engine.http.validation import read_body
from assistants_tui.engine.store import threads
from assistants_tui.protocol.objects import Thread


async def create(request: Request) -> Response:
    body = await read_body(request, NewThread)
    async with writing(request) as work:
        return JSONResponse(await create_thread(work, body))


async def create_thread(work: Work, body: NewThread, path: str = "") -> Thread:
    """Store a thread with its first messages. `path` is that of the body in errors. Raises `ApiError`."""
    place = f"{path}." if path else ""
    values = {
        "tool_resources": await resolve(work, body.tool_resources, f"{place}tool_resources"),
        "metadata": body.metadata or {},
    }
    thread = await threads.create(work.connection, work.owner, work.engine.now(), values)
    if not body.messages:
        return thread
    await add_messages(work, thread, body.messages, f"{place}messages")
    return await threads.get(work.connection, work.owner, thread["id"]) or thread


async def listing(request: Request) -> Response:
    async with context(request).database.read() as connection:
        return page_response(await threads.page(connection, owner(request), page_request(request)))


async def retrieve(request: Request) -> Response:
    thread_id = path_id(request, "thread_id")
    async with context(request).database.read() as connection:
        found = await threads.get(connection, owner(request), thread_id)
    return _answer(found, thread_id)


async def modify(request: Request) -> Response:
    thread_id = path_id(request, "thread_id")
    body = await read_body(request, ThreadChanges)
    values = body.changes()
    async with writing(request) as work:
        if "tool_resources" in values:
            values["tool_resources"] = await resolve(work, body.tool_resources)
        changed = await threads.change(work.connection, work.owner, thread_id, values)
    return _answer(changed, thread_id)


async def delete(request: Request) -> Response:
    thread_id = path_id(request, "thread_id")
    async with writing(request) as work:
        if not await threads.remove(work.connection, work.owner, thread_id):
            raise not_found("thread", thread_id)
    await context(request).run_manager.forget_thread(thread_id)
    return JSONResponse({"id": thread_id, "object": "thread.deleted", "deleted": True})


def _answer(thread: Thread | None, thread_id: str) -> Response:
    if thread is None:
        raise not_found("thread", thread_id)
    return JSONResponse(thread)


routes = [
    Route("/threads", create, methods=["POST"]),
    Route("/threads", listing, methods=["GET"]),
    Route("/threads/{thread_id}", retrieve, methods=["GET"]),
    Route("/threads/{thread_id}", modify, methods=["POST"]),
    Route("/threads/{thread_id}", delete, methods=["DELETE"]),
]
