"""HTTP clients for servers that the user names, and what the environment says about the way to them.

Proxies and certificates of the environment hold, as in other programs. A server on this computer is never
asked through a proxy, and a variable that cannot be used is named with its value.
"""

import ipaddress
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import httpx2

_LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)
_SCHEMES = ("http", "https", "all")
_USER = re.compile(r"^([a-z0-9+.-]+://)?.*@", re.IGNORECASE | re.DOTALL)


class NetworkSettingsError(Exception):
    """A variable of the environment keeps servers from being reached. `str` names it, without passwords."""


def http_client(
    base_url: str, *, timeout: httpx2.Timeout, headers: Mapping[str, str] | None = None
) -> httpx2.AsyncClient:
    """A client for one server. Raises `NetworkSettingsError`."""
    try:
        if not is_on_this_computer(base_url):
            return httpx2.AsyncClient(timeout=timeout, headers=headers, limits=_LIMITS, follow_redirects=True)
        secure = urlsplit(base_url).scheme == "https"
        return httpx2.AsyncClient(
            timeout=timeout,
            headers=headers,
            limits=_LIMITS,
            follow_redirects=True,
            trust_env=False,
            verify=httpx2.create_ssl_context() if secure else True,
        )
    except (ValueError, OSError, ImportError, httpx2.InvalidURL) as error:  # ssl.SSLError is an OSError
        found = next(problems(), "The proxy or certificate settings of the environment cannot be used.")
        raise NetworkSettingsError(found) from error


def is_on_this_computer(url: str) -> bool:
    """Whether the host of a URL is a loopback address or a name of one."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_unspecified


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


def without_password(address: str) -> str:
    """The address of a proxy without user and password."""
    return _USER.sub(r"\1***@", address)


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
