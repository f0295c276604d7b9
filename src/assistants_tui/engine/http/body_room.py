"""Gives each request room for its body until its answer begins."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistants_tui.engine.http.context import context, owner


class BodyRoom:
    """Middleware behind the one that knows the owner of a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        async with context(request).large_bodies.room(owner(request)) as room:
            request.state.body_room = room

            async def send_without(message: Message) -> None:
                if message["type"] == "http.response.start":  # streams go on for as long as their runs
                    await room.keep(0)
                await send(message)

            await self._app(scope, receive, send_without)
