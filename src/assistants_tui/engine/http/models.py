"""The Models endpoints: what can be named as an assistant's model."""

from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistants_tui.engine.http.context import context
from assistants_tui.engine.http.errors import ApiError
from assistants_tui.engine.models.base import ModelError
from assistants_tui.protocol.names import DEFAULT_MODEL

T = TypeVar("T")


async def listing(request: Request) -> Response:
    return JSONResponse({"object": "list", "data": await _asked(context(request).model.models())})


async def retrieve(request: Request) -> Response:
    name: str = request.path_params["model"]
    router = context(request).model
    if name == DEFAULT_MODEL:  # mostly known without asking anybody
        return JSONResponse(await _asked(router.default_entry()))
    for model in await _asked(router.models()):
        if model["id"] == name:
            return JSONResponse(model)
    raise ApiError(404, f"The model '{name}' does not exist.", param="model", code="model_not_found")


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except ModelError as error:
        # The endpoint was asked often enough already: the client need not repeat it all.
        raise ApiError(
            503, str(error), type="server_error", code=error.code, headers={"x-should-retry": "false"}
        ) from None


routes = [
    Route("/models", listing, methods=["GET"]),
    Route("/models/{model:path}", retrieve, methods=["GET"]),
]
