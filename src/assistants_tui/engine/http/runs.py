"""The Runs endpoints."""

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistants_tui.engine.http.context import context, owner, writing
from assistants_tui.engine.http.errors import ApiError, bad_request, not_found
from assistants_tui.engine.http.event_stream import event_stream
from assistants_tui.engine.http.include_parameter import includes_content
from assistants_tui.engine.http.json_response import JsonResponse
from assistants_tui.engine.http.messages import add_messages
from assistants_tui.engine.http.paging import page_request, page_response
from assistants_tui.engine.http.path_ids import path_id
from assistants_tui.engine.http.requests.messages import MetadataChange, NewThread
from assistants_tui.engine.http.requests.runs import CodeDecision, NewRun, NewThreadAndRun, ToolOutputs
from assistants_tui.engine.http.run_creation import create_run, locked
from assistants_tui.engine.http.threads import create_thread
from assistants_tui.engine.http.tool_resources import resolve
from assistants_tui.engine.http.validation import read_body
from assistants_tui.engine.runs.events import Subscription
from assistants_tui.engine.runs.manager import CancelRefusedError
from assistants_tui.engine.runs.required_actions import DecisionRefusedError, OutputsRefusedError
from assistants_tui.engine.store import runs, threads
from assistants_tui.engine.store.runs import StoredRun
from assistants_tui.protocol.events import THREAD_CREATED, Event, run_event
from assistants_tui.protocol.transitions import WORKED_ON

# How often a client that polls a run should ask. The SDKs keep to the first value they see, so it is always
# the same; the answer costs next to nothing.
_POLL_AFTER_MS = "200"


async def create(request: Request) -> Response:
    thread_id = path_id(request, "thread_id")
    with_passages = includes_content(request)
    body = await read_body(request, NewRun)
    async with writing(request) as work:
        thread = await threads.lock(work.connection, work.owner, thread_id)
        if thread is None:
            raise not_found("thread", thread_id)
        if body.additional_messages:
            active = await runs.active_of_thread(work.connection, thread_id)
            if active is not None:
                raise locked(thread_id, active["id"])
            await add_messages(work, thread, body.additional_messages, "additional_messages")
            thread = await threads.get(work.connection, work.owner, thread_id) or thread
        run = await create_run(work, thread, body)
    return _started(request, run, body, [], with_passages=with_passages)


async def create_with_thread(request: Request) -> Response:
    body = await read_body(request, NewThreadAndRun)
    async with writing(request) as work:
        thread = await create_thread(work, body.thread or NewThread(), "thread")
        if body.tool_resources is not None:
            # A body may give resources both at the top and in its thread: those at the top win.
            resources = {**(thread["tool_resources"] or {}), **await resolve(work, body.tool_resources)}
            changes = {"tool_resources": resources}
            thread = await threads.change(work.connection, work.owner, thread["id"], changes) or thread
        run = await create_run(work, thread, body)
    return _started(request, run, body, [Event(THREAD_CREATED, thread)])


async def listing(request: Request) -> Response:
    thread_id = path_id(request, "thread_id")
    wanted = page_request(request)
    async with context(request).database.read() as connection:
        if await threads.get(connection, owner(request), thread_id) is None:
            raise not_found("thread", thread_id)
        page = await runs.page(connection, owner(request), thread_id, wanted)
    return page_response(page)


async def retrieve(request: Request) -> Response:
    thread_id, run_id = ids(request)
    engine = context(request)
    async with engine.database.read() as connection:
        run = await find_run(connection, owner(request), thread_id, run_id)
    if engine.run_manager.is_overdue(run):
        async with writing(request) as work:
            run = await engine.run_manager.current(work.connection, work.owner, thread_id, run_id) or run
    return _answer(run)


async def modify(request: Request) -> Response:
    thread_id, run_id = ids(request)
    body = await read_body(request, MetadataChange)
    async with writing(request) as work:
        run = await find_run(work.connection, work.owner, thread_id, run_id)
        if run["status"] in WORKED_ON:
            raise bad_request(f"Cannot update run with status '{run['status']}'.")
        changed = await runs.change(work.connection, run_id, body.changes())
    return JsonResponse(changed)


async def cancel(request: Request) -> Response:
    thread_id, run_id = ids(request)
    try:
        run = await context(request).run_manager.cancel(owner(request), thread_id, run_id)
    except CancelRefusedError as refused:
        raise bad_request(f"Cannot cancel run with status '{refused.status}'.") from None
    if run is None:
        raise await _missing(request, thread_id, run_id)
    return _answer(run)


async def submit_tool_outputs(request: Request) -> Response:
    thread_id, run_id = ids(request)
    body = await read_body(request, ToolOutputs)
    outputs = {output.tool_call_id: output.output for output in body.tool_outputs}
    try:
        submitted = await context(request).run_manager.submit(
            owner(request), thread_id, run_id, outputs, stream=bool(body.stream)
        )
    except OutputsRefusedError as refused:
        raise bad_request(str(refused)) from None
    if submitted is None:
        raise await _missing(request, thread_id, run_id)
    run, subscription = submitted
    return _answer(run, subscription)


async def approve_code(request: Request) -> Response:
    thread_id, run_id = ids(request)
    body = await read_body(request, CodeDecision)
    decision = body.model_dump(exclude={"stream"}, exclude_none=True)
    try:
        decided = await context(request).run_manager.decide(
            owner(request), thread_id, run_id, decision, stream=bool(body.stream)
        )
    except DecisionRefusedError as refused:
        raise bad_request(str(refused)) from None
    if decided is None:
        raise await _missing(request, thread_id, run_id)
    run, subscription = decided
    return _answer(run, subscription)


async def find_run(connection: AsyncConnection, owner: str, thread_id: str, run_id: str) -> StoredRun:
    """The run. Raises `ApiError` if it or its thread does not exist."""
    run = await runs.get(connection, owner, thread_id, run_id)
    if run is not None:
        return run
    if await threads.get(connection, owner, thread_id) is None:
        raise not_found("thread", thread_id)
    raise not_found("run", run_id)


def ids(request: Request) -> tuple[str, str]:
    """The thread and the run that the path names. Raises `ApiError` for what cannot be an ID of those."""
    return path_id(request, "thread_id"), path_id(request, "run_id")


def _started(
    request: Request,
    run: StoredRun,
    body: NewRun | NewThreadAndRun,
    announce: list[Event],
    *,
    with_passages: bool = False,
) -> Response:
    announce = [*announce, Event(run_event("created"), run), Event(run_event("queued"), run)]
    subscription = context(request).run_manager.start(
        owner(request),
        run,
        announce=announce,
        stream=bool(body.stream),
        with_passages=with_passages,
    )
    return _answer(run, subscription)


def _answer(run: StoredRun, subscription: Subscription | None = None) -> Response:
    if subscription is not None:
        return event_stream(subscription)
    headers = {"openai-poll-after-ms": _POLL_AFTER_MS} if run["status"] in WORKED_ON else None
    return JsonResponse(run, headers=headers)


async def _missing(request: Request, thread_id: str, run_id: str) -> ApiError:
    async with context(request).database.read() as connection:
        if await threads.get(connection, owner(request), thread_id) is None:
            return not_found("thread", thread_id)
    return not_found("run", run_id)


routes = [
    Route("/threads/runs", create_with_thread, methods=["POST"]),
    Route("/threads/{thread_id}/runs", create, methods=["POST"]),
    Route("/threads/{thread_id}/runs", listing, methods=["GET"]),
    Route("/threads/{thread_id}/runs/{run_id}", retrieve, methods=["GET"]),
    Route("/threads/{thread_id}/runs/{run_id}", modify, methods=["POST"]),
    Route("/threads/{thread_id}/runs/{run_id}/cancel", cancel, methods=["POST"]),
    Route("/threads/{thread_id}/runs/{run_id}/submit_tool_outputs", submit_tool_outputs, methods=["POST"]),
    Route("/threads/{thread_id}/runs/{run_id}/approve_code", approve_code, methods=["POST"]),
]
