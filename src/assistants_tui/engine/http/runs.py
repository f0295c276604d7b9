"""The Runs endpoints."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistants_tui.engine.http.assistants import check_format
from assistants_tui.engine.http.context import Work, context, owner, writing
from assistants_tui.engine.http.errors import ApiError, bad_request, expect_id, not_found, shown
from assistants_tui.engine.http.event_stream import event_stream
from assistants_tui.engine.http.include_parameter import includes_content
from assistants_tui.engine.http.json_response import JsonResponse
from assistants_tui.engine.http.messages import add_messages
from assistants_tui.engine.http.paging import page_request, page_response
from assistants_tui.engine.http.requests.messages import MetadataChange, NewThread
from assistants_tui.engine.http.requests.runs import CodeDecision, NewRun, NewThreadAndRun, ToolOutputs
from assistants_tui.engine.http.threads import create_thread
from assistants_tui.engine.http.tool_resources import of_run, resolve
from assistants_tui.engine.http.validation import read_body
from assistants_tui.engine.runs.events import Subscription
from assistants_tui.engine.runs.manager import CancelRefusedError
from assistants_tui.engine.runs.required_actions import DecisionRefusedError, OutputsRefusedError
from assistants_tui.engine.store import assistants, messages, runs, threads
from assistants_tui.engine.store.runs import StoredRun
from assistants_tui.protocol import limits
from assistants_tui.protocol.events import THREAD_CREATED, Event, run_event
from assistants_tui.protocol.objects import Json, Thread, Tool
from assistants_tui.protocol.transitions import WORKED_ON

# How often a client that polls a run should ask. The SDKs keep to the first value they see, so it is always
# the same; the answer costs next to nothing.
_POLL_AFTER_MS = "200"


async def create(request: Request) -> Response:
    thread_id = _thread_id(request)
    with_passages = includes_content(request)
    body = await read_body(request, NewRun)
    async with writing(request) as work:
        thread = await threads.lock(work.connection, work.owner, thread_id)
        if thread is None:
            raise not_found("thread", thread_id)
        if body.additional_messages:
            active = await runs.active_of_thread(work.connection, thread_id)
            if active is not None:
                raise _locked(thread_id, active["id"])
            await add_messages(work, thread, body.additional_messages, "additional_messages")
            thread = await threads.get(work.connection, work.owner, thread_id) or thread
        run = await _store(work, thread, body)
    return _started(request, run, body, [], with_passages=with_passages)


async def create_with_thread(request: Request) -> Response:
    body = await read_body(request, NewThreadAndRun)
    async with writing(request) as work:
        thread = await create_thread(work, body.thread or NewThread(), "thread")
        if body.tool_resources is not None:
            # The resources of the body and those of its thread are the same thing said twice.
            resources = {**(thread["tool_resources"] or {}), **await resolve(work, body.tool_resources)}
            changes = {"tool_resources": resources}
            thread = await threads.change(work.connection, work.owner, thread["id"], changes) or thread
        run = await _store(work, thread, body)
    return _started(request, run, body, [Event(THREAD_CREATED, thread)])


async def listing(request: Request) -> Response:
    thread_id = _thread_id(request)
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
    run_id: str = request.path_params["run_id"]
    thread_id = _thread_id(request)
    expect_id("run", run_id, "run_id")
    return thread_id, run_id


async def _store(work: Work, thread: Thread, body: NewRun | NewThreadAndRun) -> StoredRun:
    """A queued run: what the body does not say, the assistant says."""
    assistant = await assistants.get(work.connection, work.owner, body.assistant_id)
    if assistant is None:
        raise not_found("assistant", body.assistant_id)
    now = work.engine.now()
    tools = assistant["tools"] if body.tools is None else [tool.to_wire() for tool in body.tools]
    given = body.given()
    additional = body.additional_instructions if isinstance(body, NewRun) else None
    base = assistant["instructions"] if body.instructions is None else body.instructions
    values = {
        "assistant_id": assistant["id"],
        "expires_at": now + limits.RUN_SECONDS,
        "model": work.engine.model.settled(body.model or assistant["model"]),
        "instructions": "\n\n".join(text for text in (base, additional) if text),
        "tools": tools,
        "tool_resources": of_run(assistant, thread),
        "metadata": body.metadata or {},
        "temperature": _first(body.temperature, assistant["temperature"], 1.0),
        "top_p": _first(body.top_p, assistant["top_p"], 1.0),
        "max_prompt_tokens": body.max_prompt_tokens,
        "max_completion_tokens": body.max_completion_tokens,
        "truncation_strategy": {"last_messages": None}
        | (given.get("truncation_strategy") or {"type": "auto"}),
        "tool_choice": given.get("tool_choice") or "auto",
        "parallel_tool_calls": body.parallel_tool_calls,
        "response_format": _first(given.get("response_format"), assistant["response_format"], "auto"),
        "reasoning_effort": _first(
            body.reasoning_effort if isinstance(body, NewRun) else None, assistant["reasoning_effort"]
        ),
        **work.engine.run_manager.lease(),
    }
    if not values["instructions"] and not await messages.any_of_user(work.connection, thread["id"]):
        raise bad_request(
            "Run creation requires a Thread with a user message or an assistant with instructions.",
            code="invalid_thread",
        )
    _check_choice(values["tool_choice"], tools)
    check_format(values["response_format"], tools)
    try:
        return await runs.create(work.connection, work.owner, thread["id"], now, values)
    except runs.ThreadLockedError as error:
        raise _locked(thread["id"], error.run_id) from None


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


def _first(*values: object) -> object:
    return next((value for value in values if value is not None), None)


def _check_choice(choice: str | Json, tools: Sequence[Tool]) -> None:
    if choice == "required" and not tools:
        raise bad_request(
            "Invalid 'tool_choice': a tool call is required, but the run has no tools.",
            param="tool_choice",
            code="invalid_value",
        )
    if isinstance(choice, str):
        return
    kind = choice["type"]
    wanted = choice["function"]["name"] if kind == "function" else kind
    names = [
        tool["function"]["name"] if kind == "function" else kind for tool in tools if tool["type"] == kind
    ]
    if wanted not in names:
        raise bad_request(
            f"Invalid 'tool_choice': the run has no tool '{shown(wanted)}'.",
            param="tool_choice",
            code="invalid_value",
        )


def _locked(thread_id: str, run_id: str) -> ApiError:
    return bad_request(f"Thread {thread_id} already has an active run {run_id}.")


async def _missing(request: Request, thread_id: str, run_id: str) -> ApiError:
    async with context(request).database.read() as connection:
        if await threads.get(connection, owner(request), thread_id) is None:
            return not_found("thread", thread_id)
    return not_found("run", run_id)


def _thread_id(request: Request) -> str:
    thread_id: str = request.path_params["thread_id"]
    expect_id("thread", thread_id, "thread_id")
    return thread_id


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
