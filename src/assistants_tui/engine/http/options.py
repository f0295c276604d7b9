"""The method OPTIONS: what a URL takes, without a key, since nothing is read or changed."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send


class Options:
    """Answers OPTIONS for the routes of a prefix; everything else goes on to the endpoints."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[Route]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            methods = methods_of(Request(scope), self._routes)
            if methods:
                allow = ", ".join(sorted(methods | {"OPTIONS"}))
                await Response(status_code=204, headers={"allow": allow})(scope, receive, send)
                return
        await self._app(scope, receive, send)


def methods_of(request: Request, routes: Sequence[Route]) -> set[str]:
    """What a URL takes. Its methods are routes of their own, of which the router names only the first."""
    prefix = "/" + request.url.path.split("/")[1]
    methods: set[str] = set()
    for route in routes:
        match, _ = route.matches({**request.scope, "root_path": prefix})
        if match is not Match.NONE:
            methods |= route.methods or set()
    return methods
