"""The bytes of request bodies, from clients that may be slow or have gone."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request

from assistants_tui.engine.api.errors import ApiError

IDLE_SECONDS = 60.0
"""How long a client may pause in the middle of a body."""


def refuse_longer(request: Request, limit: int, refusal: ApiError) -> None:
    """Raise the refusal before anything of a body is read that says itself that it is longer than `limit`."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > limit:
        refusal.headers = {"connection": "close"}  # the rest of the body is not waited for
        raise refusal


async def chunks_of(request: Request) -> AsyncIterator[bytes]:
    """The body piece by piece. Raises `ApiError` if the client stops sending without hanging up."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ApiError(
                408,
                f"The request body did not come on for {IDLE_SECONDS:g} seconds.",
                headers={"connection": "close"},
            ) from None
        yield chunk
