"""JSON answers, the rendering of which leaves time for other requests."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from assistants_tui.engine.http.context import context, owner
from assistants_tui.engine.http.errors import ApiError
from assistants_tui.engine.http.large_bodies import LARGE
from assistants_tui.protocol import text_size

_PIECE = 64 * 1024  # bytes that are handed to the socket at once: a reader who takes none of them is noticed


class JsonResponse(Response):
    """An object or a page of them. It is rendered when it is sent: one large one after another, in a thread.

    `characters` of its texts; None to count them, which takes a while for a page. A large one that is asked
    for counts as a large body does, until it is sent. If there is no room, it is refused at once, status 503:
    what waits for room would have to be held as well.
    """

    media_type = "application/json"

    def __init__(
        self,
        content: Any,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        characters: int | None = None,
    ) -> None:
        super().__init__(None, status_code, headers)
        self._content = content
        self._characters = text_size.characters(content) if characters is None else characters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._characters <= LARGE:
            self.body = self._rendered()
            self.headers["content-length"] = str(len(self.body))
            await super().__call__(scope, receive, send)
            return
        request = Request(scope)
        bodies = context(request).large_bodies
        async with bodies.room(owner(request)) as room:
            # what was changed must not be answered as if it had not been: there the room is that of the body
            if request.method == "GET":
                try:
                    room.take_now(self._characters)
                except ApiError as error:
                    await error.response()(scope, receive, send)
                    return
            body = await bodies.in_turn(self._rendered)
            self._content = None  # not kept for as long as a slow client reads
            self.headers["content-length"] = str(len(body))
            headers = dict(self.headers)
            await StreamingResponse(_pieces(body), self.status_code, headers)(scope, receive, send)

    def _rendered(self) -> bytes:
        text = json.dumps(self._content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]
