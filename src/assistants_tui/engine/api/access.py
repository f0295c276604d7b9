"""Who may ask, and in which manner: OpenAI's under /v1, Azure's under /openai."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from assistants_tui.engine.api.context import context
from assistants_tui.engine.api.errors import ApiError, bad_request

# Dates are those of Azure OpenAI, "v1" is what clients of Azure's agents send.
_AZURE_VERSION = re.compile(r"20\d\d-\d\d-\d\d(-preview)?|v1")
# The SDK sends the header for these, but not for files and models.
_BETA_RESOURCES = {"assistants", "threads"}


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
        if not engine.keys.required:
            _refuse_web_pages(request)
        request.state.owner = await engine.keys.owner(_key(request), engine.database)
        request.state.azure = self._azure
        if not self._azure and "api-version" not in request.query_params:  # which only Azure's clients send
            _check_beta(request)
        await self._app(scope, receive, send)


def _key(request: Request) -> str | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return request.headers.get("api-key")


def _refuse_web_pages(request: Request) -> None:
    """Where no keys are asked for, a page in this machine's browser must not get in either.

    It gives itself away by its origin, or, if its domain was made to point to this machine (DNS rebinding),
    by the name it calls.
    """
    origin = request.headers.get("origin")
    allowed = context(request).settings.web_origins
    if origin is not None and origin not in allowed and not _is_this_machine(_host(origin)):
        raise ApiError(403, "Web pages may not use an engine without keys. Serve it with keys to allow that.")
    host = _host(f"//{request.headers.get('host', '')}")
    if "." in host and not _is_address(host):
        raise ApiError(
            403, f"An engine without keys does not answer to the name '{host}'. Call it by its address."
        )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return "..."  # no name and no address


def _is_this_machine(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


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
