"""Who may ask, and in which manner: OpenAI's under /v1, Azure's under /openai."""

import re
from collections import Counter
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from assistants_tui.addresses import is_on_this_computer
from assistants_tui.engine.http.context import context
from assistants_tui.engine.http.errors import ApiError, bad_request, shown

# Dates are those of Azure OpenAI, "v1" is what clients of Azure's agents send.
_AZURE_VERSION = re.compile(r"20\d\d-\d\d-\d\d(-preview)?|v1")
# The SDK sends the header for these, but not for files and models.
_BETA_RESOURCES = {"assistants", "threads"}
_HOST_AND_PORT = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]*)?", re.IGNORECASE)
_FROM_ELSEWHERE = {"cross-site", "same-site"}


class Peer(Protocol):
    """The other end of a connection, where a server can tell whose it is: `peer` in the scope's state."""

    async def is_own(self) -> bool:
        """Whether it is a program of the user who runs the server."""


class AuthenticationMiddleware:
    """Lets a request through to the endpoints with its owner known, or answers why not."""

    def __init__(self, app: ASGIApp, *, azure: bool) -> None:
        self._app = app
        self._azure = azure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if self._azure and not _AZURE_VERSION.fullmatch(request.query_params.get("api-version", "")):
            raise ApiError(404, "Resource not found", code="404")
        engine = context(request)
        _refuse_repetitions(request)
        if not engine.keys.required:
            await _refuse_other_users(request)
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


async def _refuse_other_users(request: Request) -> None:
    """Where no keys are asked for, the engine is for the programs of one user."""
    peer: Peer | None = request.scope.get("state", {}).get("peer")
    if peer is None or context(request).settings.any_user or await peer.is_own():
        return
    raise ApiError(
        403,
        "This engine has no keys, so it is only for programs of the user who serves it. To let others in, "
        "it has to be served with keys (--api-key-file), or to every user of its computer (--any-user).",
        headers={"connection": "close"},
    )


def _refuse_web_pages(request: Request) -> None:
    """Where no keys are asked for, a page in this machine's browser must not get in either.

    It gives itself away by its origin or, if its domain was made to point to this machine (DNS rebinding), by
    the name it calls. Another port of this machine is another origin: what is served there is a page, too.
    """
    settings, called = context(request).settings, request.headers.get("host", "")
    page = _page(request)
    if page is not None and page not in settings.web_origins and not _is_own(page, called):
        raise ApiError(403, _not_for_page(page))
    host = _host(f"//{called}")
    here = host in settings.host_names or _is_address(host) or is_on_this_computer(f"http://{called}")
    if not here or not _HOST_AND_PORT.fullmatch(called):
        what = f"to the name '{shown(host)}'" if host else "without the name of a host"
        raise ApiError(
            403,
            f"An engine without keys does not answer {what}. Call it by its address, or as localhost. "
            "Whoever serves it can allow other names (--allow-host).",
        )


def _page(request: Request) -> str | None:
    """The origin of the web page that asks, empty if it does not tell.

    None for programs, and for what a browser asks for itself.
    """
    origin = request.headers.get("origin")
    if origin is not None:
        return "" if origin == "null" else origin
    if request.headers.get("sec-fetch-site") not in _FROM_ELSEWHERE:
        return None
    return _origin(request.headers.get("referer", ""))  # all that browsers send with pictures and links


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""


def _not_for_page(origin: str) -> str:
    if not origin:
        return "Web pages that hide their origin may not use an engine without keys. Serve it with keys."
    return (
        f"Web pages of {shown(origin)} may not use an engine without keys. Whoever serves it can allow them "
        "by name (--allow-origin), or serve it with keys."
    )


def _is_own(origin: str, called: str) -> bool:
    """Whether an origin is the engine itself, as it was called."""
    try:
        return bool(called) and urlsplit(origin).netloc.lower() == called.lower()
    except ValueError:
        return False


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return "[…"  # no name and no address


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _refuse_repetitions(request: Request) -> None:
    """Refuse a parameter that is given twice where one counts: who reads the other one is misled."""
    names = Counter(name for name, _ in request.query_params.multi_items() if not _is_list(name))
    [(name, count)] = names.most_common(1) or [("", 0)]
    if count > 1:
        raise bad_request(
            f"Duplicate parameter: '{shown(name)}' is in the URL more than once.",
            param=shown(name),
            code="duplicate_parameter",
        )
    for header in ("authorization", "api-key"):
        if len(request.headers.getlist(header)) > 1:
            raise bad_request(f"The header '{header}' is sent more than once.", code="duplicate_header")


def _is_list(name: str) -> bool:
    return name.endswith("[]") or name == "include"


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
