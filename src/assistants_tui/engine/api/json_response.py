"""JSON answers, the rendering of which leaves time for other requests."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from assistants_tui.engine.api.context import context
from assistants_tui.engine.api.large_bodies import LARGE


class JsonResponse(Response):
    """An object or a page of them. It is rendered when it is sent: one large one after another, in a thread.

    `large` says whether it has very long texts; None to have a look, which takes a while for a page.
    """

    media_type = "application/json"

    def __init__(
        self,
        content: Any,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        large: bool | None = None,
    ) -> None:
        super().__init__(None, status_code, headers)
        self._content = content
        self._large = _characters(content) > LARGE if large is None else large

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        in_turn = context(Request(scope)).large_bodies.in_turn
        self.body = await in_turn(self._rendered) if self._large else self._rendered()
        self.headers["content-length"] = str(len(self.body))
        self._content = None  # not kept for as long as a slow client reads
        await super().__call__(scope, receive, send)

    def _rendered(self) -> bytes:
        text = json.dumps(self._content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()


def _characters(value: Any) -> int:
    """The characters of all texts in a JSON value."""
    match value:
        case str():
            return len(value)
        case dict():
            return sum(map(_characters, value.values()))
        case list():
            return sum(map(_characters, value))
        case _:
            return 0
