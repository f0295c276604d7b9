"""Reading JSON bodies, within limits of size and depth, into the models of `requests`."""

import json
import math
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from assistants_tui.engine.api.bodies import chunks_of, refuse_longer
from assistants_tui.engine.api.errors import ApiError, bad_request
from assistants_tui.engine.api.explanations import explain

MAX_BODY = 16 * 1024 * 1024
"""Bytes of a JSON body. The longest legal text, 256,000 code points, takes about 1 MiB."""

_MAX_DEPTH = 64  # of nested arrays and objects; no schema that a model can follow comes near

Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request, model: type[Body]) -> Body:
    """The request's JSON body, checked. An empty body counts as an empty object. Raises `ApiError`."""
    return check(await _read_json(request), model)


def check(value: object, model: type[Body]) -> Body:
    """A parsed value as a body of that form. Raises `ApiError` for the first thing that is wrong with it."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise explain(error.errors(include_url=False)[0]) from None


async def _read_json(request: Request) -> object:
    too_large = ApiError(413, f"The request body is too large. The limit is {MAX_BODY} bytes.")
    refuse_longer(request, MAX_BODY, too_large)
    raw = bytearray()
    async for chunk in chunks_of(request):
        raw += chunk
        if len(raw) > MAX_BODY:
            raise too_large
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
        _check_values(value, _MAX_DEPTH)
    except (ValueError, RecursionError):
        raise bad_request(
            "We could not parse the JSON body of your request. Check that it is valid JSON in UTF-8, "
            f"with finite numbers, nested at most {_MAX_DEPTH} levels deep."
        ) from None
    return value


def _check_values(value: object, depth: int) -> None:
    """Refuse what Python's parser lets through although it cannot be stored or sent as JSON again."""
    if depth == 0 and isinstance(value, list | dict):
        raise RecursionError
    if isinstance(value, str):
        value.encode()  # half a surrogate pair raises a ValueError
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError
    elif isinstance(value, list):
        for item in value:
            _check_values(item, depth - 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            key.encode()
            _check_values(item, depth - 1)
