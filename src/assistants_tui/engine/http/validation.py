"""Reading JSON bodies, within limits of size, depth and number of values, into the models of `requests`."""

import asyncio
import math
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from assistants_tui.engine.http.body_stream import chunks_of, refuse_longer
from assistants_tui.engine.http.context import context
from assistants_tui.engine.http.errors import ApiError, bad_request, shown
from assistants_tui.engine.http.large_bodies import LARGE, MAX_BODY, Room
from assistants_tui.engine.http.validation_errors import explain
from assistants_tui.protocol import bounded_json

_MAX_DEPTH = 64  # of nested arrays and objects; no schema that a model can follow comes near
_SECONDS = 300.0  # for all of a large body: slow lines take some minutes

Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request, model: type[Body]) -> Body:
    """The request's JSON body, checked. An empty body counts as an empty object. Raises `ApiError`."""
    room: Room = request.state.body_room
    raw = await _read(request, room)
    await room.keep(len(raw))
    if len(raw) < LARGE:
        return check(_parse(raw), model)
    return await context(request).large_bodies.in_turn(lambda: check(_parse(raw), model))


def check(value: object, model: type[Body]) -> Body:
    """A parsed value as a body of that form. Raises `ApiError` for the first thing that is wrong with it."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise explain(error.errors(include_url=False)[0]) from None


async def _read(request: Request, room: Room) -> bytes:
    too_large = ApiError(413, f"The request body is too large. The limit is {MAX_BODY} bytes.")
    announced = refuse_longer(request, MAX_BODY, too_large)
    raw = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            if announced >= LARGE:
                await room.take(announced)
            async for chunk in chunks_of(request):
                raw += chunk
                if len(raw) > MAX_BODY:
                    raise too_large
                if len(raw) >= LARGE:
                    await room.take(MAX_BODY)
    except TimeoutError:
        raise ApiError(
            408, f"The request body took more than {_SECONDS:g} seconds.", headers={"connection": "close"}
        ) from None
    return bytes(raw)


def _parse(raw: bytes) -> object:
    if not raw.strip():
        return {}
    try:
        value = bounded_json.parse(raw, unique_names=True)
        _check_values(value, _MAX_DEPTH)
    except bounded_json.TooManyValuesError:
        raise ApiError(
            413,
            f"The request body has too many values. The limit is {bounded_json.MAX_VALUES:,} in one request; "
            "send several requests.",
        ) from None
    except bounded_json.DuplicateNameError as error:
        name = shown(str(error)).encode("utf-8", "replace").decode()
        raise bad_request(
            f"Duplicate parameter: an object of the request body has the name '{name}' more than once.",
            code="duplicate_parameter",
        ) from None
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
