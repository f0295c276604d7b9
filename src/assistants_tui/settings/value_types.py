"""The types of settings: which values of TOML each takes, in words too, and how one is typed into a form."""

import json
import math
import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from assistants_tui.addresses import socket_path

SECRET_NAME = re.compile(r"key|token|secret|password|credential", re.IGNORECASE)
"""Found in names of what nobody else should see."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_KEY_HEADER = re.compile(r"authorization|proxy-authorization|cookie", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s/@]+(/\S*)?")


class ValueType(ABC):
    """What a setting may be."""

    unit: str = ""
    """What a number counts."""

    @property
    @abstractmethod
    def allowed(self) -> str:
        """The values that it may have, in words that go on after "it must be"."""

    @abstractmethod
    def accepts(self, value: object) -> bool:
        """Whether a value of TOML has the right form; `wrong` may find more."""

    def wrong(self, value: object) -> str:
        """What a value of TOML must be instead, as `allowed` or more exact; empty if it is good."""
        return "" if self.accepts(value) else self.allowed

    def read(self, value: Any) -> Any:
        """A good value of TOML as the program has it."""
        return value

    def parse(self, text: str) -> object:
        """The value of TOML for what was typed. Raises `ValueError` with what it must be."""
        value = self._from_text(text.strip())
        if wrong := self.wrong(value):
            raise ValueError(wrong)
        return value

    def text(self, value: Any) -> str:
        """What has to be typed for a value of the program, for `parse`."""
        return str(value)

    def _from_text(self, text: str) -> object:
        """The value that a text may stand for; `parse` checks it."""
        return text


class Flag(ValueType):
    """true or false."""

    allowed = "true or false"

    def accepts(self, value: object) -> bool:
        return isinstance(value, bool)

    def _from_text(self, text: str) -> object:
        return {"true": True, "false": False}.get(text.lower())

    def text(self, value: Any) -> str:
        return "true" if value else "false"


@dataclass(frozen=True)
class Number(ValueType):
    """A number within bounds, both included; a whole one or any. The program has the others as floats."""

    least: float
    most: float = math.inf
    unit: str = ""
    whole: bool = False
    unlimited: int | None = None
    """A value out of bounds that stands for no limit."""

    @property
    def allowed(self) -> str:
        kind = f"a {'whole ' * self.whole}number{f' of {self.unit}' * bool(self.unit)}"
        bounds = f"of at least {self.least:.10g}"
        if math.isfinite(self.most):
            bounds = f"from {self.least:.10g} to {self.most:.10g}"
        return f"{kind} {bounds}" + (f", or {self.unlimited} for no limit" if self.unlimited else "")

    def accepts(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        if self.unlimited is not None and value == self.unlimited:
            return True
        try:
            return math.isfinite(value) and self.least <= value <= self.most
        except OverflowError:  # a whole number beyond those that the program can calculate with
            return False

    def read(self, value: Any) -> Any:
        return value if self.whole else float(value)

    def _from_text(self, text: str) -> object:
        try:
            return int(text)
        except ValueError:
            pass
        try:
            return float(text)
        except ValueError:
            return None

    def text(self, value: Any) -> str:
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@dataclass(frozen=True)
class Choice(ValueType):
    """One of a few names."""

    names: Sequence[str]

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(f'"{name}"' for name in self.names)

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and value in self.names


@dataclass(frozen=True)
class Text(ValueType):
    """A text that is not blank, and that matches `pattern` as a whole where there is one."""

    allowed: str = "a text in quotes that is not empty"
    pattern: str = ""

    def accepts(self, value: object) -> bool:
        if not isinstance(value, str) or not value.strip():
            return False
        return not self.pattern or bool(re.fullmatch(self.pattern, value))


@dataclass(frozen=True)
class Url(ValueType):
    """The address of a server; `or_socket`: or of a Unix socket."""

    or_socket: bool = False

    allowed = 'a URL such as "https://assistants.example.org/v1", without user and password'

    def accepts(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        if self.or_socket and socket_path(value) is not None:
            return True
        try:
            return bool(_URL.fullmatch(value) and urlsplit(value).hostname and urlsplit(value).port != 0)
        except ValueError:  # an address or a port that cannot be
            return False


class Variable(ValueType):
    """The name of an environment variable that holds a key."""

    allowed = "the name of an environment variable, not the key itself"

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and bool(_VARIABLE.fullmatch(value))


@dataclass(frozen=True)
class Words(ValueType):
    """A list of texts; `program`: of a program and its arguments. The program has a tuple."""

    program: bool = False

    @property
    def allowed(self) -> str:
        if self.program:
            return 'a list of a program and its arguments, such as ["az", "account", "…"]'
        return "a list of texts"

    def accepts(self, value: object) -> bool:
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            return False
        return not self.program or bool(value and all(value))

    def read(self, value: Any) -> Any:
        return tuple(value)

    def _from_text(self, text: str) -> object:
        return _split(text)

    def text(self, value: Any) -> str:
        return shlex.join(value)


class Environment(ValueType):
    """A table of environment variables. It names variables that hold keys, and has no keys itself."""

    allowed = 'a table of texts, such as { SHOP_KEY = "$SHOP_KEY" }'

    def accepts(self, value: object) -> bool:
        return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())

    def wrong(self, value: object) -> str:
        if not isinstance(value, dict) or not self.accepts(value):
            return self.allowed
        for name, text in value.items():
            if text.startswith("$"):
                if not _VARIABLE.fullmatch(text[1:]):
                    return "a table whose values are texts, or `$` and the name of an environment variable"
            elif SECRET_NAME.search(name):
                return f'without keys: let {name} name an environment variable, such as "${name}"'
        return ""

    def _from_text(self, text: str) -> object:
        return dict(word.partition("=")[::2] for word in _split(text))

    def text(self, value: Mapping[str, str]) -> str:
        return shlex.join(f"{name}={one}" for name, one in value.items())


class Headers(Environment):
    """A table of HTTP headers; values with keys in them come from environment variables."""

    allowed = 'a table of texts, such as { HTTP-Referer = "https://example.org" }'

    def wrong(self, value: object) -> str:
        if isinstance(value, dict) and self.accepts(value):
            for name, text in value.items():
                if not _HEADER.fullmatch(name):
                    return "a table whose names are names of HTTP headers"
                if not text.isascii() or not text.isprintable():
                    return f"a table of plain texts: {name} has characters that headers cannot have"
                if _KEY_HEADER.fullmatch(name) and not text.startswith("$"):
                    return f'without keys: let {name} name an environment variable, such as "$MODEL_KEY"'
        return super().wrong(value)


class JsonTable(ValueType):
    """A table of anything that JSON has. `without`: names that it must not have."""

    def __init__(self, without: Sequence[str] = ()) -> None:
        self._without = without

    @property
    def allowed(self) -> str:
        but = f", without {', '.join(self._without)}" if self._without else ""
        return f"a table such as {{ top_k = 40 }}{but}"

    def accepts(self, value: object) -> bool:
        if not isinstance(value, dict) or any(name in value for name in self._without):
            return False
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):  # dates, and numbers that are none
            return False
        return True

    def _from_text(self, text: str) -> object:
        try:
            return json.loads(text)
        except ValueError:
            return None

    def text(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)


class Keys(ValueType):
    """The keys of an action. The program has them as Textual's keymap does, comma separated."""

    allowed = 'a key such as "ctrl+n", or a list of them'

    def accepts(self, value: object) -> bool:
        many = value if isinstance(value, list) else [value]
        return bool(many) and all(isinstance(key, str) and key for key in many)

    def read(self, value: Any) -> Any:
        return ",".join(value) if isinstance(value, list) else value

    def _from_text(self, text: str) -> object:
        keys = [key.strip() for key in text.split(",")]
        return keys[0] if len(keys) == 1 else keys

    def text(self, value: Any) -> str:
        return ",".join(value) if isinstance(value, list) else str(value)


def _split(text: str) -> list[str]:
    """The words of a text as a shell would take them. Raises `ValueError` with what it must be."""
    try:
        return shlex.split(text)
    except ValueError:
        raise ValueError("text in which each quote is closed") from None
