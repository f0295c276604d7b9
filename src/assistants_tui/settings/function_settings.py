"""What config.toml says about functions, MCP servers and prices: the parts that are not about profiles."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Report = Callable[[str, object, str], None]
"""Told of a mistake: where it stands, the value, and what is allowed there."""

SERVER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
"""It becomes the beginning of function names, which have 64 characters."""


@dataclass(frozen=True)
class FunctionSettings:
    """How the user's Python functions are run."""

    timeout: float = 60.0
    """Seconds after which a call is stopped, also one of an MCP server."""
    python: str | None = None
    """The Python that runs them, for functions that need packages of their own; None: the one that runs the
    app."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables that they get besides the few that every program needs. A value that begins with
    `$` names a variable to take the value from."""


@dataclass(frozen=True)
class McpServer:
    """A server of the Model Context Protocol: a program that is started, or an address.

    Values of `env` that begin with `$` name an environment variable to take the value from.
    """

    name: str
    command: str | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    url: str | None = None
    api_key_env: str | None = None
    """The environment variable with the key that is sent to `url` as a bearer token."""
    allow_plain_http: bool = False
    """Whether the key may be sent to another computer without encryption."""


@dataclass(frozen=True)
class Price:
    """What a million tokens of a model cost, in whatever currency the user thinks in."""

    input: float
    output: float


_SECRET = re.compile(r"key|token|secret|password|credential", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_URL = re.compile(r"https?://[^\s/@]+(/\S*)?")
_PROGRAM_KEYS = frozenset({"command", "args", "env"})
_ADDRESS_KEYS = frozenset({"url", "api_key_env", "allow_plain_http"})


def read_functions(table: Mapping[str, Any], report: Report) -> FunctionSettings:
    """`[functions]`."""
    good: dict[str, Any] = {}
    for key, value in table.items():
        if key == "timeout":
            if _is_number(value) and 1 <= value <= 3600:
                good[key] = float(value)
            else:
                report("functions.timeout", value, "it must be a number of seconds from 1 to 3600")
        elif key == "python":
            if isinstance(value, str) and value.strip():
                good[key] = value
            else:
                report("functions.python", value, "it must be the path of a Python interpreter")
        elif key == "env":
            if wrong := _wrong_environment(value):
                report("functions.env", value, f"it must be {wrong}")
            else:
                good[key] = value
        else:
            report(f"functions.{key}", value, "unknown; allowed are env, python, timeout")
    return FunctionSettings(**good)


def read_mcp(table: Mapping[str, Any], report: Report) -> dict[str, McpServer]:
    """`[mcp.NAME]` tables. A server with a mistake is left out."""
    servers: dict[str, McpServer] = {}
    for name, entry in table.items():
        where = f"mcp.{name}"
        if not SERVER_NAME.fullmatch(name):
            report("mcp", name, "a name is 1 to 32 letters, digits, `-` and `_`, a letter or digit first")
        elif not isinstance(entry, dict):
            report(where, entry, f"it must be a table: [{where}]")
        elif (server := _server(name, entry, where, report)) is not None:
            servers[name] = server
    return servers


def read_prices(table: Mapping[str, Any], report: Report) -> dict[str, Price]:
    """`[prices."MODEL"]` tables. A price with a mistake is left out."""
    prices: dict[str, Price] = {}
    for model, entry in table.items():
        where = f'prices."{model}"'
        if (
            isinstance(entry, dict)
            and entry.keys() == {"input", "output"}
            and all(_is_number(value) and value >= 0 for value in entry.values())
        ):
            prices[model] = Price(float(entry["input"]), float(entry["output"]))
        else:
            report(where, entry, "it must have `input` and `output`: what a million tokens cost")
    return prices


def _server(name: str, entry: Mapping[str, Any], where: str, report: Report) -> McpServer | None:
    kind, allowed = ("url", _ADDRESS_KEYS) if "url" in entry else ("command", _PROGRAM_KEYS)
    good = True
    for key, value in entry.items():
        wrong = _wrong_server_setting(key, value) if key in allowed else ""
        if key not in allowed:
            both = "a server has either `command`, `args` and `env`, or `url` and `api_key_env`"
            report(f"{where}.{key}", value, both)
            good = False
        elif wrong:
            report(f"{where}.{key}", value, f"it must be {wrong}")
            good = False
    if kind not in entry:
        report(where, "missing", "it needs `command`, the program to start, or `url`")
        good = False
    if not good:
        return None
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
    }
    return McpServer(name=name, **values)


def _wrong_server_setting(key: str, value: object) -> str:
    """What the setting must be, if `value` is not that; else an empty text."""
    if key == "args":
        good = isinstance(value, list) and all(isinstance(word, str) for word in value)
        return "" if good else "a list of texts"
    if key == "env":
        return _wrong_environment(value)
    if key == "allow_plain_http":
        return "" if isinstance(value, bool) else "true or false"
    if not isinstance(value, str) or not value.strip():
        return "a text in quotes that is not empty"
    if key == "url":
        return "" if _URL.fullmatch(value) else "a URL without user and password"
    good_name = key != "api_key_env" or _VARIABLE.fullmatch(value)
    return "" if good_name else "the name of an environment variable, not the key itself"


def _wrong_environment(value: object) -> str:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        return "a table of texts"
    for name, text in value.items():
        if text.startswith("$"):
            if not _VARIABLE.fullmatch(text[1:]):
                return "a table whose values are texts, or `$` and the name of an environment variable"
        elif _SECRET.search(name):
            return f'without keys: let {name} name an environment variable, such as "${name}"'
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
