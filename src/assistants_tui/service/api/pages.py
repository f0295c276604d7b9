"""Lists of the API, page by page: `limit`, `order` and `after` go out, `data` and `has_more` come back."""

from collections.abc import Mapping
from typing import Any

from assistants_tui.service.api.client import Client
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.wire import Page

MAX_LIMIT = 100
"""The most that the API gives at once (https://platform.openai.com/docs/api-reference/assistants/listAssistants)."""


async def read_page(
    client: Client,
    path: str,
    *,
    limit: int = 20,
    after: str | None = None,
    order: str = "desc",
    query: Mapping[str, object] | None = None,
) -> Page[Any]:
    """One page of a list. `order` goes by creation: `desc` gives the newest first."""
    asked: dict[str, object] = {**(query or {}), "limit": limit, "order": order}
    if after is not None:
        asked["after"] = after
    answer = await client.get(path, asked)
    items = answer.get("data")
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and isinstance(item.get("id"), str) for item in items
    ):
        raise ServiceError("The server sent a list without its items.", kind="protocol")
    more = bool(answer.get("has_more")) and bool(items)
    return Page(items, items[-1]["id"] if more else None)


async def read_all(
    client: Client,
    path: str,
    *,
    count: int | None = None,
    order: str = "asc",
    query: Mapping[str, object] | None = None,
) -> list[Any]:
    """All items of a list, or the first `count`. A server that gives the same page again ends it."""
    found: dict[str, Any] = {}
    after: str | None = None
    while count is None or len(found) < count:
        limit = MAX_LIMIT if count is None else min(MAX_LIMIT, count - len(found))
        page = await read_page(client, path, limit=limit, after=after, order=order, query=query)
        known = len(found)
        found.update((item["id"], item) for item in page.items)
        if page.next_cursor is None or len(found) == known:
            break
        after = page.next_cursor
    return list(found.values())[:count]
