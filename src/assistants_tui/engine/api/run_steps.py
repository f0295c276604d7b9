"""The Run steps endpoints."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistants_tui.engine.api.context import context, owner
from assistants_tui.engine.api.errors import expect_id, not_found
from assistants_tui.engine.api.explanations import unsupported_value
from assistants_tui.engine.api.paging import page_request, page_response
from assistants_tui.engine.api.runs import find_run, ids
from assistants_tui.engine.store import run_steps
from assistants_tui.engine.store.objects import Json, Page

SEARCH_CONTENT = "step_details.tool_calls[*].file_search.results[*].content"


def includes_content(request: Request) -> bool:
    """Whether the query asks for the text of search results. Raises `ApiError` for any other wish."""
    query = request.query_params
    wanted = [*query.getlist("include[]"), *query.getlist("include")]
    for value in wanted:
        if value != SEARCH_CONTENT:
            raise unsupported_value("include", value, [SEARCH_CONTENT])
    return bool(wanted)


def shown(step: Json, *, content: bool) -> Json:
    """A step as it is sent: with or without the text of search results, which is stored with it."""
    if content or step["type"] != "tool_calls":
        return step
    calls = [_without_content(call) for call in step["step_details"]["tool_calls"]]
    return {**step, "step_details": {**step["step_details"], "tool_calls": calls}}


async def listing(request: Request) -> Response:
    thread_id, run_id = ids(request)
    wanted, content = page_request(request), includes_content(request)
    async with context(request).database.read() as connection:
        await find_run(connection, owner(request), thread_id, run_id)
        page = await run_steps.page(connection, owner(request), thread_id, run_id, wanted)
    return page_response(Page([shown(step, content=content) for step in page.data], page.has_more))


async def retrieve(request: Request) -> Response:
    thread_id, run_id = ids(request)
    step_id: str = request.path_params["step_id"]
    expect_id("run_step", step_id, "step_id")
    content = includes_content(request)
    async with context(request).database.read() as connection:
        step = await run_steps.get(connection, owner(request), thread_id, run_id, step_id)
        if step is None:
            await find_run(connection, owner(request), thread_id, run_id)
            raise not_found("run_step", step_id)
    return JSONResponse(shown(step, content=content))


def _without_content(call: Json) -> Json:
    results = call.get("file_search", {}).get("results")
    if not results:
        return call
    bare = [{key: value for key, value in result.items() if key != "content"} for result in results]
    return {**call, "file_search": {**call["file_search"], "results": bare}}


routes = [
    Route("/threads/{thread_id}/runs/{run_id}/steps", listing, methods=["GET"]),
    Route("/threads/{thread_id}/runs/{run_id}/steps/{step_id}", retrieve, methods=["GET"]),
]
