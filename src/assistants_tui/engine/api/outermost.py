"""The layer around all endpoints: an ID for each request, and an answer for faults of our own."""

import logging
import secrets

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistants_tui.engine.api.errors import server_error

_log = logging.getLogger(__name__)


class Outermost:
    """Adds `x-request-id` to every response, and turns an exception that nobody expected into a 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req_{secrets.token_hex(16)}"
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            _log.debug("request %s was given up by its client", request_id)
        except Exception:
            _log.exception("request %s %s %s failed", request_id, scope["method"], scope["path"])
            if started:
                raise
            await server_error().response()(scope, receive, send_with_id)
