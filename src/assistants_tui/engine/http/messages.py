"""The Messages endpoints."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistants_tui.engine.http.context import Work, context, owner, writing
from assistants_tui.engine.http.errors import bad_request, expect_id, not_found
from assistants_tui.engine.http.json_response import JsonResponse
from assistants_tui.engine.http.paging import page_request, page_response
from assistants_tui.engine.http.path_ids import path_id
from assistants_tui.engine.http.requests.messages import MetadataChange, NewMessage
from assistants_tui.engine.http.storing_files import check_files
from assistants_tui.engine.http.tool_resources import attach
from assistants_tui.engine.http.validation import read_body
from assistants_tui.engine.store import messages, runs, threads
from assistants_tui.engine.store.messages import StoredMessage
from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Thread


async def create(request: Request) -> Response:
    thread_id = path_id(request, "thread_id")
    body = await read_body(request, NewMessage)
    async with writing(request) as work:
        thread = await threads.lock(work.connection, work.owner, thread_id)
        if thread is None:
            raise not_found("thread", thread_id)
        active = await runs.active_of_thread(work.connection, thread_id)
        if active is not None:
            raise bad_request(f"Can't add messages to {thread_id} while a run {active['id']} is active.")
        [message] = await add_messages(work, thread, [body])
    return JsonResponse(message)


async def add_messages(
    work: Work, thread: Thread, bodies: Sequence[NewMessage], path: str = ""
) -> list[StoredMessage]:
    """Store messages in a thread and give the thread the files that are attached to them.

    The caller has made sure that no run is active. `path` names the list in errors, if it is one. Raises
    `ApiError` if a file cannot be used or the thread is full.
    """
    added = []
    for index, body in enumerate(bodies):
        place = f"{path}[{index}]." if path else ""
        parts = body.parts()
        images = [part["image_file"]["file_id"] for part in parts if part["type"] == "image_file"]
        await check_files(work, images, f"{place}content")
        attachments = [attachment.model_dump() for attachment in body.attachments or []]
        thread = await attach(work, thread, attachments, f"{place}attachments")
        values = {
            "role": body.role,
            "content": parts,
            "attachments": attachments,
            "metadata": body.metadata or {},
        }
        now = work.engine.now()
        try:
            message = await messages.create(work.connection, work.owner, thread["id"], now, values)
        except messages.ThreadFullError:
            raise bad_request(
                f"Thread {thread['id']} has {limits.MAX_MESSAGES} messages, which is the most a thread "
                "can have. Start a new thread."
            ) from None
        added.append(message)
    return added


async def listing(request: Request) -> Response:
    thread_id = path_id(request, "thread_id")
    wanted = page_request(request)
    run_id = request.query_params.get("run_id") or None
    if run_id is not None:
        expect_id("run", run_id, "run_id")
    async with context(request).database.read() as connection:
        if await threads.get(connection, owner(request), thread_id) is None:
            raise not_found("thread", thread_id)
        page = await messages.page(connection, owner(request), thread_id, wanted, run_id=run_id)
    return page_response(page)


async def retrieve(request: Request) -> Response:
    thread_id, message_id = _ids(request)
    async with context(request).database.read() as connection:
        return JsonResponse(await _get(connection, owner(request), thread_id, message_id))


async def modify(request: Request) -> Response:
    thread_id, message_id = _ids(request)
    body = await read_body(request, MetadataChange)
    async with writing(request) as work:
        await _get(work.connection, work.owner, thread_id, message_id)
        return JsonResponse(await messages.change(work.connection, message_id, body.changes()))


async def delete(request: Request) -> Response:
    thread_id, message_id = _ids(request)
    async with writing(request) as work:
        await _get(work.connection, work.owner, thread_id, message_id)
        await messages.remove(work.connection, work.owner, thread_id, message_id)
    return JsonResponse({"id": message_id, "object": "thread.message.deleted", "deleted": True})


async def _get(connection: AsyncConnection, owner: str, thread_id: str, message_id: str) -> StoredMessage:
    found = await messages.get(connection, owner, thread_id, message_id)
    if found is not None:
        return found
    if await threads.get(connection, owner, thread_id) is None:
        raise not_found("thread", thread_id)
    raise not_found("message", message_id)


def _ids(request: Request) -> tuple[str, str]:
    message_id = path_id(request, "message_id")
    return path_id(request, "thread_id"), message_id


routes = [
    Route("/threads/{thread_id}/messages", create, methods=["POST"]),
    Route("/threads/{thread_id}/messages", listing, methods=["GET"]),
    Route("/threads/{thread_id}/messages/{message_id}", retrieve, methods=["GET"]),
    Route("/threads/{thread_id}/messages/{message_id}", modify, methods=["POST"]),
    Route("/threads/{thread_id}/messages/{message_id}", delete, methods=["DELETE"]),
]
