"""What the address of a server tells without asking anybody: whether a key may go there, how it is shown."""

import ipaddress
import re
import socket
from urllib.parse import unquote, urlsplit

OPENAI_VARIABLE = "OPENAI_API_KEY"
"""The environment variable whose key is sent to OpenAI alone, see `is_openai`."""

_OPENAI_HOST = "api.openai.com"
_USER = re.compile(r"^([a-z0-9+.-]+://)?.*@", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(r"(?<=[?&;])([^=&;#]*)=[^&;#]*")
_OPERATION = re.compile(r"/(?:chat/completions|completions|responses|embeddings|models|assistants)/*$")
_HARMLESS = frozenset({"api-version"})
# What the C library reads as an IPv4 address: "127.1", "0", "2130706433", "0x7f.1".
_IPV4_NUMBERS = re.compile(r"[0-9a-fx]+(\.[0-9a-fx]+){0,3}", re.IGNORECASE)


def without_operation(url: str) -> str:
    """The base URL of an endpoint that was given with the path of one of its operations."""
    return _OPERATION.sub("", url)


def is_on_this_computer(url: str) -> bool:
    """Whether a URL leads to a loopback address, a name of one, or a Unix socket."""
    if socket_path(url) is not None:
        return True
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    found = _ip_address(host)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found is not None and (found.is_loopback or found.is_unspecified)


def socket_path(url: str) -> str | None:
    """The Unix socket that a URL such as `unix:///run/engine.sock` names; None for any other URL."""
    return unquote(url.removeprefix("unix://")) if url.startswith("unix:///") else None


def is_openai(url: str) -> bool:
    """Whether a URL leads to OpenAI's own server, in any of its regions, such as eu.api.openai.com."""
    host = _host(url)
    return host == _OPENAI_HOST or host.endswith(f".{_OPENAI_HOST}")


def can_be_read_on_the_way(url: str) -> bool:
    """Whether what is sent there leaves this computer without encryption."""
    return not url.lower().startswith("https://") and not is_on_this_computer(url)


def only_for_openai(url: str) -> str:
    """Why the key in `OPENAI_VARIABLE` is not sent to a URL, as a sentence; empty where it is."""
    if is_openai(url):
        return ""
    return (
        f"The key in {OPENAI_VARIABLE} is not sent to {host_and_port(url)}: it is for {_OPENAI_HOST} alone."
    )


def not_in_the_clear(url: str) -> str:
    """Why no key is sent to a URL unless the user allows it, as a sentence; empty where it may."""
    if not url or not can_be_read_on_the_way(url):
        return ""
    return f"No key is sent to {host_and_port(url)} over plain http, because others could read it on the way."


def host_and_port(url: str) -> str:
    """Where a URL leads, as sentences name it: without user and password."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or "this address"
    except ValueError:
        return "this address"


def without_password(address: str) -> str:
    """The address of a server or proxy without user and password, and with no values in its query."""
    return _PARAMETER.sub(_hidden, _USER.sub(r"\1***@", address))


def _hidden(parameter: re.Match[str]) -> str:
    return parameter[0] if parameter[1].lower() in _HARMLESS else f"{parameter[1]}=***"


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is, however it is written; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    if not _IPV4_NUMBERS.fullmatch(host):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
