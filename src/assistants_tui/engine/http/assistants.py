"""The Assistants endpoints."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistants_tui.engine.http.context import Work, context, is_azure, owner, writing
from assistants_tui.engine.http.errors import bad_request, not_found
from assistants_tui.engine.http.json_response import JsonResponse
from assistants_tui.engine.http.paging import page_request, page_response
from assistants_tui.engine.http.path_ids import path_id
from assistants_tui.engine.http.requests.assistants import AssistantChanges, NewAssistant
from assistants_tui.engine.http.tool_resources import resolve
from assistants_tui.engine.http.validation import read_body
from assistants_tui.engine.http.validation_errors import string_too_long
from assistants_tui.engine.store import assistants
from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Json, Tool

# What the object shows where the request says nothing.
_DEFAULTS: Json = {
    "tools": [],
    "tool_resources": {},
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}


async def create(request: Request) -> Response:
    body = await read_body(request, NewAssistant)
    async with writing(request) as work:
        values = _DEFAULTS | await _values(work, body)
        check_format(values["response_format"], values["tools"])
        created = await assistants.create(work.connection, work.owner, work.engine.now(), values)
    return JsonResponse(created)


async def listing(request: Request) -> Response:
    async with context(request).database.read() as connection:
        return page_response(await assistants.page(connection, owner(request), page_request(request)))


async def retrieve(request: Request) -> Response:
    assistant_id = path_id(request, "assistant_id")
    async with context(request).database.read() as connection:
        found = await assistants.get(connection, owner(request), assistant_id)
    if found is None:
        raise not_found("assistant", assistant_id)
    return JsonResponse(found)


async def modify(request: Request) -> Response:
    assistant_id = path_id(request, "assistant_id")
    body = await read_body(request, AssistantChanges)
    if is_azure(request) and len(body.instructions or "") > limits.MAX_AZURE_INSTRUCTIONS:
        raise string_too_long("instructions", body.instructions or "", limits.MAX_AZURE_INSTRUCTIONS)
    async with writing(request) as work:
        values = await _values(work, body)
        changed = await assistants.change(work.connection, work.owner, assistant_id, values)
        if changed is None:
            raise not_found("assistant", assistant_id)
        check_format(changed["response_format"], changed["tools"])
    return JsonResponse(changed)


async def delete(request: Request) -> Response:
    assistant_id = path_id(request, "assistant_id")
    async with writing(request) as work:
        if not await assistants.remove(work.connection, work.owner, assistant_id):
            raise not_found("assistant", assistant_id)
    return JsonResponse({"id": assistant_id, "object": "assistant.deleted", "deleted": True})


def check_format(response_format: str | Json | None, tools: Sequence[Tool]) -> None:
    """Refuse JSON answers together with tools whose results are not JSON."""
    kind = response_format["type"] if isinstance(response_format, dict) else response_format
    if kind in ("json_object", "json_schema") and any(tool["type"] != "function" for tool in tools):
        raise bad_request(
            "Invalid tools: all tools must be of type `function` when `response_format` "
            f"is of type `{kind}`.",
            param="tools",
        )


async def _values(work: Work, body: NewAssistant | AssistantChanges) -> Json:
    """The columns that a body sets. Null gives a field its default back."""
    given = body.given()
    values = {name: _DEFAULTS.get(name) if value is None else value for name, value in given.items()}
    if body.tools is not None:
        values["tools"] = [tool.to_wire() for tool in body.tools]
    if body.tool_resources is not None:
        values["tool_resources"] = await resolve(work, body.tool_resources)
    return values


routes = [
    Route("/assistants", create, methods=["POST"]),
    Route("/assistants", listing, methods=["GET"]),
    Route("/assistants/{assistant_id}", retrieve, methods=["GET"]),
    Route("/assistants/{assistant_id}", modify, methods=["POST"]),
    Route("/assistants/{assistant_id}", delete, methods=["DELETE"]),
]
