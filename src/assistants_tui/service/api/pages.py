"""Lists of the API, page by page: `limit`, `order` and `after` go out, `data` and `has_more` come back."""

from collections.abc import Mapping
from typing import TypeVar

from assistants_tui.service.api.client import Client
from assistants_tui.service.wire import ListAnswer, Listed, Page

Thing = TypeVar("Thing", bound=Listed)

MAX_LIMIT = 100
"""The most that the API gives at once (https://platform.openai.com/docs/api-reference/assistants/listAssistants)."""


async def read_page(
    client: Client,
    kind: type[Thing],
    path: str,
    *,
    limit: int = 20,
    after: str | None = None,
    order: str = "desc",
    query: Mapping[str, object] | None = None,
) -> Page[Thing]:
    """One page of a list of objects of `kind`. `order` goes by creation: `desc` gives the newest first."""
    asked: dict[str, object] = {**(query or {}), "limit": limit, "order": order}
    if after is not None:
        asked["after"] = after
    answer = await client.fetch(ListAnswer, path, asked)
    items = [
        client.checked(kind, item, f"GET /{path}", f"data[{number}]")
        for number, item in enumerate(answer["data"])
    ]
    more = answer.get("has_more") is True and bool(items)
    return Page(items, items[-1]["id"] if more else None)


async def read_all(
    client: Client,
    kind: type[Thing],
    path: str,
    *,
    count: int | None = None,
    order: str = "asc",
    query: Mapping[str, object] | None = None,
) -> list[Thing]:
    """All items of a list, or the first `count`. A server that gives the same page again ends it."""
    found: dict[str, Thing] = {}
    after: str | None = None
    while count is None or len(found) < count:
        limit = MAX_LIMIT if count is None else min(MAX_LIMIT, count - len(found))
        page = await read_page(client, kind, path, limit=limit, after=after, order=order, query=query)
        known = len(found)
        found.update((item["id"], item) for item in page.items)
        if page.next_cursor is None or len(found) == known:
            break
        after = page.next_cursor
    return list(found.values())[:count]
