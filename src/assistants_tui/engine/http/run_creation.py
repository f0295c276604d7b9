"""A run made of a request and its assistant: fields, checks and the lock of the thread."""

from collections.abc import Sequence

from assistants_tui.engine.http.assistants import check_format
from assistants_tui.engine.http.context import Work
from assistants_tui.engine.http.errors import ApiError, bad_request, not_found, shown
from assistants_tui.engine.http.requests.runs import NewRun, NewThreadAndRun
from assistants_tui.engine.http.tool_resources import of_run
from assistants_tui.engine.store import assistants, messages, runs
from assistants_tui.engine.store.runs import StoredRun
from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Json, Thread, Tool


async def create_run(work: Work, thread: Thread, body: NewRun | NewThreadAndRun) -> StoredRun:
    """Store a queued run. Fields that the body does not set come from the assistant. Raises `ApiError`."""
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
        raise locked(thread["id"], error.run_id) from None


def locked(thread_id: str, run_id: str) -> ApiError:
    """The answer to a request that a thread with an active run does not take."""
    return bad_request(f"Thread {thread_id} already has an active run {run_id}.")


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
