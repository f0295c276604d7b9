"""The layer around all endpoints: an ID for each request, and an answer for faults of our own.

It also refuses requests of which a proxy could think that they end elsewhere than we do.
"""

import logging
import secrets

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistants_tui.engine.http.errors import ApiError, server_error

_NOSNIFF = (b"x-content-type-options", b"nosniff")  # browsers show what they are sent as what it says it is
_log = logging.getLogger(__name__)


class OuterMiddleware:
    """Adds headers to every response, and turns an exception that nobody expected into a 500."""

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
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), _NOSNIFF]
            await send(message)

        try:
            _check_length(Headers(scope=scope), scope.get("http_version", "1.1"))
            await self._app(scope, receive, send_with_id)
        except ApiError as error:
            await error.response()(scope, receive, send_with_id)
        except ClientDisconnect:
            _log.debug("request %s was given up by its client", request_id)
        except Exception:
            _log.exception("request %s %s %s failed", request_id, scope["method"], scope["path"])
            if started:
                raise
            await server_error().response()(scope, receive, send_with_id)


def _check_length(headers: Headers, version: str) -> None:
    """Refuse a body that may end in two places, so that a second request hides in it (RFC 9112, 6.1)."""
    if "transfer-encoding" not in headers:
        return
    if "content-length" in headers or version == "1.0":
        raise ApiError(
            400,
            "A request has either a Content-Length or, since HTTP/1.1, a Transfer-Encoding, and not both.",
            headers={"connection": "close"},
        )
