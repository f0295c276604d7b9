"""HTTP clients for servers that the user names, and what the environment says about the way to them.

Proxies and certificates of the environment hold, as in other programs. A server on this computer is never
asked through a proxy, and a variable that cannot be used is named with its value.
"""

import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import httpx2

from assistants_tui.addresses import host_and_port, is_on_this_computer, socket_path, without_password

_LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)
_KEY_HEADERS = ("authorization", "api-key", "openai-organization", "openai-project")
_OPENAI_VARIABLES = ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY", "OPENAI_CUSTOM_HEADERS")
_MAX_ERROR = 1 << 20  # bytes of an error that are read
_MAX_CODED_ERROR = 8 << 10  # of one that is compressed, which may unpack to a thousand times as much
_CODINGS = "gzip, deflate"  # compression whose beginning can be read; zstd without its end is an error
_REFUSED = "assistants_tui.refused_redirect"
_SCHEMES = ("http", "https", "all")


class NetworkSettingsError(Exception):
    """An address or a variable of the environment keeps a server from being reached.

    `str` names it, without passwords.
    """


def http_client(
    base_url: str,
    *,
    timeout: httpx2.Timeout,
    headers: Mapping[str, str] | None = None,
    follow_redirects: bool = True,
) -> httpx2.AsyncClient:
    """A client for one server. Redirects are followed; keys, `headers` and bodies go to that server alone.

    Without `follow_redirects` they are left to the caller, as they are. `base_url` may name a Unix socket,
    see `http_url`. Raises `NetworkSettingsError`.
    """
    try:
        server = httpx2.URL(http_url(base_url))
    except httpx2.InvalidURL as error:
        raise NetworkSettingsError(f"{without_password(base_url)} is no address of a server.") from error
    options: dict[str, Any] = {
        "timeout": timeout,
        "headers": {"accept-encoding": _CODINGS, **(headers or {})},
        "limits": _LIMITS,
        "follow_redirects": follow_redirects,
        "event_hooks": {
            "request": [_without_keys_elsewhere(server, {*_KEY_HEADERS, *(headers or {})})],
            "response": [_short_errors, *([_without_body_elsewhere(server)] if follow_redirects else ())],
        },
    }
    try:
        if (path := socket_path(base_url)) is not None:
            options |= {
                "trust_env": False,
                "transport": httpx2.AsyncHTTPTransport(uds=path, limits=_LIMITS, trust_env=False),
            }
        elif is_on_this_computer(base_url):
            secure = urlsplit(base_url).scheme == "https"
            options |= {"trust_env": False, "verify": httpx2.create_ssl_context() if secure else True}
        return httpx2.AsyncClient(**options)
    except (ValueError, OSError, ImportError, httpx2.InvalidURL) as error:  # ssl.SSLError is an OSError
        found = " ".join(problems())
        found = found or "The proxy or certificate settings of the environment cannot be used."
        raise NetworkSettingsError(found) from error


def http_url(base_url: str) -> str:
    """The URL that a client asks for: for a Unix socket, behind which is an engine, that of its API."""
    return base_url if socket_path(base_url) is None else "http://localhost/v1"


def _without_keys_elsewhere(
    server: httpx2.URL, names: Collection[str]
) -> Callable[[httpx2.Request], Awaitable[None]]:
    """Takes these headers out of requests that a redirect sends to another server, or out of encryption."""

    async def check(request: httpx2.Request) -> None:
        if not _is_same(request.url, server):
            for name in names:
                request.headers.pop(name, None)

    return check


def _without_body_elsewhere(server: httpx2.URL) -> Callable[[httpx2.Response], Awaitable[None]]:
    """Stops redirects that would send a body, such as a conversation, to another server.

    The response stays as it is but for its `Location`; `refused_redirect` tells why.
    """

    async def check(response: httpx2.Response) -> None:
        headers = response.request.headers
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        if not has_body or not response.has_redirect_location:
            return
        target = response.headers["location"]
        try:
            url = response.request.url.join(target)
            stays = _is_same(url, server)
        except httpx2.InvalidURL:
            return  # the client itself refuses it
        if not stays:
            del response.headers["location"]
            response.extensions[_REFUSED] = (
                f"{host_and_port(str(server))} sends the request on to {host_and_port(str(url))}, an address "
                "that was not entered. Nothing was sent there. If it is the right one, enter it instead."
            )

    return check


async def _short_errors(response: httpx2.Response) -> None:
    """Ends the body of an error early: it is read as a whole, and parsed, wherever it comes from."""
    if response.is_error and isinstance(response.stream, httpx2.AsyncByteStream):
        most = _MAX_CODED_ERROR if "content-encoding" in response.headers else _MAX_ERROR
        response.stream = _Beginning(response.stream, most)


class _Beginning(httpx2.AsyncByteStream):
    """The first bytes of a stream."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream = stream
        self._left = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece[: self._left]
            self._left -= len(piece)
            if self._left <= 0:
                return

    async def aclose(self) -> None:
        await self._stream.aclose()


def refused_redirect(response: httpx2.Response) -> str:
    """Why a redirect was not followed, as sentences that name both servers; empty for other responses."""
    sentences: str = response.extensions.get(_REFUSED, "")
    return sentences


def _is_same(url: httpx2.URL, server: httpx2.URL) -> bool:
    """Whether a URL leads to this server, encrypted or not worse than it."""
    now_encrypted = url.scheme == "https" and server.scheme == "http" and url.port is server.port is None
    return url.origin == server.origin or (now_encrypted and url.host == server.host)


@contextmanager
def without_openai_variables(*, keep: bool = False) -> Iterator[None]:
    """Hide the variables that are meant for OpenAI's own server while a client for another is made.

    The openai package finds organization, project and the administrator's key there, and headers, which may
    hold keys and would even replace the client's own. With `keep` nothing is hidden.
    """
    names = () if keep else _OPENAI_VARIABLES
    hidden = {name: value for name in names if (value := os.environ.pop(name, None)) is not None}
    try:
        yield
    finally:
        os.environ.update(hidden)


def way_to(url: str) -> str:
    """A sentence that names the proxy through which a URL is asked for; empty where there is none."""
    try:
        address = urlsplit(url)
        name, value = _proxy(address.scheme) or _proxy("all") or ("", "")
    except ValueError:
        return ""
    if not value or is_on_this_computer(url) or proxy_bypass(address.netloc.rpartition("@")[2]):
        return ""
    return f"The way there is the proxy of the environment variable {name}, {without_password(value)}."


def problems() -> Iterator[str]:
    """What is wrong with the environment's proxies and certificates, a sentence for each variable."""
    for scheme in _SCHEMES:
        if (found := _proxy(scheme)) is not None and (wrong := _wrong_proxy(found[1])):
            yield _sentence(*found, wrong)
    if (file := os.environ.get("SSL_CERT_FILE")) and (wrong := _wrong_certificates(file)):
        yield _sentence("SSL_CERT_FILE", file, wrong)
    if (folder := os.environ.get("SSL_CERT_DIR")) and not Path(folder).is_dir():
        yield _sentence("SSL_CERT_DIR", folder, "is no folder")


def settings() -> Iterator[tuple[str, str]]:
    """The variables that hold for the way to servers, and their values without passwords."""
    for scheme in (*_SCHEMES, "no"):
        if (found := _proxy(scheme)) is not None:
            yield found[0], without_password(found[1]) if scheme != "no" else found[1]
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if value := os.environ.get(name):
            yield name, value


def _proxy(scheme: str) -> tuple[str, str] | None:
    """The variable for a scheme and its value. The name in small letters comes first, as elsewhere."""
    for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY"):
        if name in os.environ:
            return (name, os.environ[name]) if os.environ[name] else None
    return None


def _wrong_proxy(value: str) -> str:
    address = value if "://" in value else f"http://{value}"
    scheme = address.partition("://")[0].lower()
    if scheme not in {"http", "https", "socks5", "socks5h"}:
        return "must begin with http://, https://, socks5:// or socks5h://"
    if scheme.startswith("socks") and find_spec("socksio") is None:
        return "needs the Python package socksio, which is not installed"
    try:
        httpx2.Proxy(address)
        _ = urlsplit(address).port  # it checks the number
    except (ValueError, httpx2.InvalidURL):
        return "is no address of a proxy"
    return ""


def _wrong_certificates(file: str) -> str:
    try:
        ssl.create_default_context(cafile=file)
    except FileNotFoundError:
        return "is not there"
    except ssl.SSLError:
        return "is no file of certificates"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""


def _sentence(name: str, value: str, wrong: str) -> str:
    shown = value if name.startswith("SSL_") else without_password(value)
    return f"The environment variable {name} is {shown}, which {wrong}. Correct it or unset it."
