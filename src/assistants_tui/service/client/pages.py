"""Lists of the API, page by page: `limit`, `order` and `after` go out, `data` and `has_more` come back."""

import logging
from collections.abc import Mapping
from typing import TypeVar

from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import ListAnswer, Listed, Page
from assistants_tui.service.client.http_client import Client
from assistants_tui.service.errors import ServiceError

_logger = logging.getLogger(__name__)

Thing = TypeVar("Thing", bound=Listed)


async def read_page(
    client: Client,
    kind: type[Thing],
    path: str,
    *,
    limit: int = limits.DEFAULT_PAGE,
    after: str | None = None,
    order: str = "desc",
    query: Mapping[str, object] | None = None,
    lenient: bool = False,
) -> Page[Thing]:
    """One page of a list of objects of `kind`. `order` goes by creation: `desc` gives the newest first.

    `lenient`: an object that is not as the API promises is left out, unless all of them are so.
    """
    asked: dict[str, object] = {**(query or {}), "limit": limit, "order": order}
    if after is not None:
        asked["after"] = after
    answer = await client.fetch(ListAnswer, path, asked)
    items: list[Thing] = []
    faults: list[ServiceError] = []
    for number, item in enumerate(answer["data"]):
        try:
            items.append(client.checked(kind, item, f"GET /{path}", f"data[{number}]"))
        except ServiceError as error:
            faults.append(error)
    if faults and not (lenient and items):
        raise faults[0]
    for fault in faults:
        _logger.warning("left out of a list: %s", fault)
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
    lenient: bool = False,
) -> list[Thing]:
    """All items of a list, or the first `count`. A server that gives the same page again ends it."""
    found: dict[str, Thing] = {}
    after: str | None = None
    while count is None or len(found) < count:
        limit = limits.MAX_PAGE if count is None else min(limits.MAX_PAGE, count - len(found))
        page = await read_page(
            client, kind, path, limit=limit, after=after, order=order, query=query, lenient=lenient
        )
        known = len(found)
        found.update((item["id"], item) for item in page.items)
        if page.next_cursor is None or len(found) == known:
            break
        after = page.next_cursor
    return list(found.values())[:count]
