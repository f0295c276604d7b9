"""Who may ask, and in which manner: OpenAI's under /v1, Azure's under /openai."""

import re

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from assistants_tui.engine.api.context import context
from assistants_tui.engine.api.errors import ApiError, bad_request

_AZURE_VERSION = re.compile(r"20\d\d-\d\d-\d\d(-preview)?")
_BETA_RESOURCES = {
    "assistants",
    "threads",
}  # the SDK sends the header for these, but not for files and models


class Access:
    """Lets a request through to the endpoints with its owner known, or answers why not."""

    def __init__(self, app: ASGIApp, *, azure: bool) -> None:
        self._app = app
        self._azure = azure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if self._azure and not _AZURE_VERSION.fullmatch(request.query_params.get("api-version", "")):
            raise ApiError(404, "Resource not found", code="404")
        engine = context(request)
        request.state.owner = await engine.keys.owner(_key(request), engine.database)
        request.state.azure = self._azure
        if not self._azure:
            _check_beta(request)
        await self._app(scope, receive, send)


def _key(request: Request) -> str | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return request.headers.get("api-key")


def _check_beta(request: Request) -> None:
    resource = request.url.path.removeprefix(request.scope["root_path"]).strip("/").partition("/")[0]
    if resource not in _BETA_RESOURCES:
        return
    features = request.headers.get("openai-beta", "").replace(" ", "").split(",")
    if "assistants=v2" in features:
        return
    if "assistants=v1" in features:
        message = (
            "Version 1 of the Assistants API has ended. Please send the header 'OpenAI-Beta: assistants=v2'."
        )
    else:
        message = (
            "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
            "Please try again by setting the header 'OpenAI-Beta: assistants=v2'."
        )
    raise bad_request(message, code="invalid_beta")
