"""The bytes of request bodies, from clients that may be slow or have gone."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request

from assistants_tui.engine.http.errors import ApiError

IDLE_SECONDS = 60.0
"""How long a client may pause in the middle of a body."""


def refuse_longer(request: Request, limit: int, refusal: ApiError) -> int:
    """The length that a body says itself that it has, 0 if it says nothing.

    If that is longer than `limit`, raises the refusal before anything of it is read.
    """
    length = request.headers.get("content-length", "")
    announced = int(length[:20]) if length.isascii() and length.isdigit() else 0
    if announced > limit:
        refusal.headers = {"connection": "close"}  # the rest of the body is not waited for
        raise refusal
    return announced


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
