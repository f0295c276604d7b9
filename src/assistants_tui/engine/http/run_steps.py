"""The Run steps endpoints."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistants_tui.engine.http.context import context, owner
from assistants_tui.engine.http.errors import not_found
from assistants_tui.engine.http.include_parameter import includes_content
from assistants_tui.engine.http.json_response import JsonResponse
from assistants_tui.engine.http.paging import page_request, page_response
from assistants_tui.engine.http.path_ids import path_id
from assistants_tui.engine.http.runs import find_run, ids
from assistants_tui.engine.search.passages import without_content
from assistants_tui.engine.store import run_steps


async def listing(request: Request) -> Response:
    thread_id, run_id = ids(request)
    wanted, content = page_request(request), includes_content(request)
    async with context(request).database.read() as connection:
        await find_run(connection, owner(request), thread_id, run_id)
        page = await run_steps.page(connection, owner(request), thread_id, run_id, wanted)
    steps = page.data if content else [without_content(step) for step in page.data]
    return page_response(replace(page, data=steps))


async def retrieve(request: Request) -> Response:
    thread_id, run_id = ids(request)
    step_id = path_id(request, "step_id", "run_step")
    content = includes_content(request)
    async with context(request).database.read() as connection:
        step = await run_steps.get(connection, owner(request), thread_id, run_id, step_id)
        if step is None:
            await find_run(connection, owner(request), thread_id, run_id)
            raise not_found("run_step", step_id)
    return JsonResponse(step if content else without_content(step))


routes = [
    Route("/threads/{thread_id}/runs/{run_id}/steps", listing, methods=["GET"]),
    Route("/threads/{thread_id}/runs/{run_id}/steps/{step_id}", retrieve, methods=["GET"]),
]
