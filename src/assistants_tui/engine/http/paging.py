"""Lists: which page a query asks for, and how it is sent."""

import re
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from assistants_tui.engine.http.errors import bad_request
from assistants_tui.engine.http.json_response import JsonResponse
from assistants_tui.engine.http.validation_errors import (
    above_maximum,
    below_minimum,
    unsupported_value,
    wrong_type,
)
from assistants_tui.engine.store.crud import Page, PageRequest, UnknownCursorError
from assistants_tui.protocol import limits

_WHOLE_NUMBER = re.compile("-?[0-9]+")


def page_request(
    request: Request, *, default: int = limits.DEFAULT_PAGE, maximum: int = limits.MAX_PAGE
) -> PageRequest:
    """`limit`, `order`, `after` and `before` of the query. Raises `ApiError`."""
    query = request.query_params
    return PageRequest(
        limit=_limit(query.get("limit"), default, maximum),
        order=_order(query.get("order", "desc")),
        after=query.get("after") or None,
        before=query.get("before") or None,
    )


def page_response(page: Page[Any]) -> Response:
    return JsonResponse(
        {
            "object": "list",
            "data": page.data,
            "first_id": page.data[0]["id"] if page.data else None,
            "last_id": page.data[-1]["id"] if page.data else None,
            "has_more": page.has_more,
        },
        characters=page.characters,
    )


async def unknown_cursor(request: Request, error: Exception) -> Response:
    """The answer to a cursor that is not in the list."""
    assert isinstance(error, UnknownCursorError)
    return bad_request(
        f"Invalid '{error.parameter}': there is no object with id '{error.cursor}' in this list.",
        param=error.parameter,
        code="invalid_value",
    ).response()


def _limit(text: str | None, default: int, maximum: int) -> int:
    if not text:
        return default
    try:
        limit = int(text) if _WHOLE_NUMBER.fullmatch(text) else None
    except ValueError:  # thousands of digits
        limit = None
    if limit is None:
        raise wrong_type("limit", "an integer", text)
    if limit > maximum:
        raise above_maximum("limit", limit, maximum)
    if limit < 1:
        raise below_minimum("limit", limit, 1)
    return limit


def _order(text: str) -> Literal["asc", "desc"]:
    match text:
        case "asc" | "desc":
            return text
        case _:
            raise unsupported_value("order", text, ["asc", "desc"])
