"""Reads config.toml by the table of settings.

A mistake in it never keeps the program from starting: the part that is wrong gets its default, and a
`Problem` says what is wrong.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistants_tui.addresses import OPENAI_VARIABLE, not_in_the_clear, only_for_openai
from assistants_tui.settings.config import (
    LOCAL,
    PROFILE_KINDS,
    PROFILE_NAME,
    SECTIONS,
    SERVER_NAME,
    CodeSettings,
    Config,
    FunctionSettings,
    Price,
    Profile,
    RunSettings,
)
from assistants_tui.settings.mcp_server import McpServer
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.setting_fields import Declaration, declared, for_kind
from assistants_tui.settings.toml_text import parse_toml
from assistants_tui.settings.value_types import SECRET_NAME, Keys


@dataclass(frozen=True)
class Problem:
    """One mistake in config.toml. `str` gives the sentence to show."""

    path: Path
    where: str
    """The key, such as `profiles.team.base_url`, or the line, such as `line 3, column 7`."""
    found: str
    """The value as it stands there; empty for what may be a key that nobody should see."""
    allowed: str

    def __str__(self) -> str:
        found = f" is {self.found}" if self.found else ""
        return f"{self.path}: {self.where}{found}; {self.allowed}"


@dataclass(frozen=True)
class LoadedConfig:
    config: Config
    problems: tuple[Problem, ...] = ()
    given: frozenset[str] = frozenset()
    """The keys that stand in the file, such as `runs.stream`; of all others the values are defaults."""


def load_config(path: Path) -> LoadedConfig:
    """Read `path`. A missing file gives the defaults; nothing in it raises."""
    try:
        document = parse_toml(path.read_bytes().decode())
    except FileNotFoundError:
        return LoadedConfig(Config())
    except OSError as error:
        problem = Problem(path, "the file", "unreadable", f"{error.strerror}; the defaults are used")
        return LoadedConfig(Config(), (problem,))
    except UnicodeDecodeError as error:
        problem = Problem(path, f"byte {error.start}", "not UTF-8", "save the file as UTF-8 text")
        return LoadedConfig(Config(), (problem,))
    except ValueError as error:
        reason, _, place = str(error).rpartition(" (at ")
        where = place.rstrip(")") if reason else "the file"
        problem = Problem(path, where, "", f"not TOML: {reason or error}")
        return LoadedConfig(Config(), (problem,))
    return read_config(path, document)


def read_config(path: Path, document: Mapping[str, Any]) -> LoadedConfig:
    """What the parsed content of `path` says. Nothing in it raises."""
    reader = _Reader(path)
    config = reader.config(document)
    return LoadedConfig(config, tuple(reader.problems), frozenset(_keys_of(document)))


def wrong_key_variable(owner: Profile | ProviderSettings) -> dict[str, str]:
    """The setting that names `OPENAI_VARIABLE` for a server that is not OpenAI's, and why that is wrong."""
    setting, url = owner.key_setting, owner.address
    if getattr(owner, setting) != OPENAI_VARIABLE or not url or not (why := only_for_openai(url)):
        return {}
    return {setting: f"{why} Put the key of that server into another variable, and name that one here."}


def _keys_of(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _keys_of(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _wrong_headers(provider: ProviderSettings) -> dict[str, str]:
    """Why the headers of a provider may not go to its server: those of the environment are kept like keys."""
    variables = {text[1:] for text in provider.headers.values() if text.startswith("$")}
    if OPENAI_VARIABLE in variables and (why := only_for_openai(provider.url)):
        return {"headers": f"{why} Put the key of that server into another variable."}
    if variables and not provider.allow_plain_http and (why := not_in_the_clear(provider.url)):
        return {"headers": f"{why} Use https, or allow it with `allow_plain_http = true`."}
    return {}


class _Reader:
    """Turns the parsed file into a `Config`, collecting what is wrong on the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def config(self, document: Mapping[str, Any]) -> Config:
        top = declared(Config)
        tables = {"keys", *(section.name for section in SECTIONS if section.name)}
        self._unknown(document, [*top, *tables], "")
        good = self._values({key: top[key] for key in top if key != "default_profile"}, document, "")
        runs = self._section(RunSettings, document, "runs", RunSettings())
        profiles = self._profiles(document, runs)
        if not profiles:
            profiles = {LOCAL.name: replace(LOCAL, runs=runs)}
        default = document.get("default_profile", next(iter(profiles)))
        if not isinstance(default, str) or default not in profiles:
            names = ", ".join(repr(name) for name in profiles)
            self._problem("default_profile", default, f"it must be the name of a profile: {names}")
            default = next(iter(profiles))
        if "hooks" in good:
            good["hooks"] = self.path.parent / Path(good["hooks"]).expanduser()
        return Config(
            profiles=profiles,
            models=dict(self._models(document)),
            default_profile=default,
            keys=self._keys(document),
            functions=self._section(FunctionSettings, document, "functions", FunctionSettings()),
            code=self._section(CodeSettings, document, "code", CodeSettings()),
            mcp=dict(self._servers(document)),
            prices=dict(self._prices(document)),
            **good,
        )

    # tables of each kind

    def _section(self, kind: type, parent: Mapping[str, Any], name: str, base: Any, prefix: str = "") -> Any:
        """A table whose mistakes leave the values of `base`."""
        where = f"{prefix}{name}"
        table = self._table(parent.get(name, {}), where)
        self._unknown(table, declared(kind), f"{where}.")
        return replace(base, **self._values(declared(kind), table, f"{where}."))

    def _profiles(self, document: Mapping[str, Any], runs: RunSettings) -> dict[str, Profile]:
        profiles: dict[str, Profile] = {}
        for name, table in self._named(document, "profiles", PROFILE_NAME, 64):
            if (profile := self._profile(name, table, runs)) is not None:
                profiles[name] = profile
        return profiles

    def _profile(self, name: str, table: Mapping[str, Any], runs: RunSettings) -> Profile | None:
        where = f"profiles.{name}"
        kind = next((kind for kind in PROFILE_KINDS if kind == table.get("kind")), None)
        if kind is None:
            allowed = declared(Profile)["kind"].type.allowed
            self._problem(f"{where}.kind", table.get("kind", "missing"), f"it must be {allowed}")
            return None
        settings = for_kind(Profile, kind)
        self._unknown(table, [*settings, "runs"], f"{where}.")
        good = self._values(settings, table, f"{where}.")
        missing = [key for key, setting in settings.items() if setting.required and key not in good]
        for key in missing:
            if key not in table:
                self._problem(f"{where}.{key}", "missing", f'a profile of kind "{kind}" needs it')
        own = self._section(RunSettings, table, "runs", runs, f"{where}.")
        if missing:
            return None
        profile = Profile(name=name, runs=own, **good)
        for key, wrong in wrong_key_variable(profile).items():
            self._problem(f"{where}.{key}", table[key], wrong)
        return profile

    def _models(self, document: Mapping[str, Any]) -> Iterator[tuple[str, ProviderSettings]]:
        """`[models.NAME]` tables. A provider with a mistake is left out: half of it may be another one."""
        settings = declared(ProviderSettings)
        for name, table in self._named(document, "models", SERVER_NAME, 32):
            where = f"models.{name}"
            before = len(self.problems)
            self._unknown(table, settings, f"{where}.")
            good = self._values(settings, table, f"{where}.")
            if "url" not in table:
                self._problem(f"{where}.url", "missing", "a provider of models needs it")
            if len(self.problems) > before:
                continue
            provider = ProviderSettings(name=name, **good)
            for key, wrong in {**wrong_key_variable(provider), **_wrong_headers(provider)}.items():
                self._problem(f"{where}.{key}", table[key], wrong)
            if provider.allow and provider.default_model not in (None, *provider.allow):
                allowed = f"it must be one of `allow`: {', '.join(provider.allow)}"
                self._problem(f"{where}.default_model", provider.default_model, allowed)
            if len(self.problems) == before:
                yield name, provider

    def _servers(self, document: Mapping[str, Any]) -> Iterator[tuple[str, McpServer]]:
        """`[mcp.NAME]` tables. A server with a mistake is left out."""
        for name, table in self._named(document, "mcp", SERVER_NAME, 32):
            where = f"mcp.{name}"
            kind, needed = ("address", "url") if "url" in table else ("program", "command")
            settings = for_kind(McpServer, kind)
            before = len(self.problems)
            for key, value in table.items():
                if key not in settings:
                    both = "a server has either `command`, `args` and `env`, or `url` and `api_key_env`"
                    self._problem(f"{where}.{key}", value, both)
            good = self._values(settings, table, f"{where}.")
            if needed not in table:
                self._problem(where, "missing", "it needs `command`, the program to start, or `url`")
            if len(self.problems) == before:
                yield name, McpServer(name=name, **good)

    def _prices(self, document: Mapping[str, Any]) -> Iterator[tuple[str, Price]]:
        """`[prices."MODEL"]` tables. A price with a mistake is left out."""
        settings = declared(Price)
        for model, table in self._table(document.get("prices", {}), "prices").items():
            whole = isinstance(table, dict) and table.keys() == settings.keys()
            if whole and not any(one.type.wrong(table[key]) for key, one in settings.items()):
                yield (
                    model,
                    Price(**{key: one.type.read(table[key]) for key, one in settings.items()}),
                )
            else:
                allowed = "it must have `input` and `output`: what a million tokens cost"
                self._problem(f'prices."{model}"', table, allowed)

    def _keys(self, document: Mapping[str, Any]) -> dict[str, str]:
        keys: dict[str, str] = {}
        for action, bound in self._table(document.get("keys", {}), "keys").items():
            if wrong := Keys().wrong(bound):
                self._problem(f"keys.{action}", bound, f"it must be {wrong}")
            else:
                keys[action] = Keys().read(bound)
        return keys

    # what they have in common

    def _table(self, value: object, where: str) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._problem(where, value, f"it must be a table: [{where}]")
        return {}

    def _named(
        self, document: Mapping[str, Any], section: str, pattern: str, longest: int
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The tables of a section that has one for each name."""
        for name, table in self._table(document.get(section, {}), section).items():
            if not re.fullmatch(pattern, name):
                allowed = f"1 to {longest} letters, digits, `-` and `_`, a letter or digit first"
                self._problem(section, name, f"a name is {allowed}")
            elif not isinstance(table, dict):
                self._problem(f"{section}.{name}", table, f"it must be a table: [{section}.{name}]")
            else:
                yield name, table

    def _values(
        self, settings: Mapping[str, Declaration], table: Mapping[str, Any], prefix: str
    ) -> dict[str, Any]:
        """The good values of a table, as the program has them."""
        good: dict[str, Any] = {}
        for key, setting in settings.items():
            if key not in table:
                continue
            if wrong := setting.type.wrong(table[key]):
                self._problem(f"{prefix}{key}", table[key], f"it must be {wrong}")
            else:
                good[key] = setting.type.read(table[key])
        return good

    def _unknown(self, table: Mapping[str, Any], allowed: Collection[str], prefix: str) -> None:
        for key, value in table.items():
            if key in allowed:
                continue
            if SECRET_NAME.search(key) and not _nearest(key, allowed):
                setting = next((name for name in allowed if name.endswith("key_env")), "api_key_env")
                advice = (
                    "keys do not belong into this file: put the key into an environment variable and name "
                    f"that in `{setting}`, or store it in the system's key store"
                )
            else:
                near = _nearest(key, allowed)
                meant = f"did you mean {near}? " if near else ""
                advice = f"unknown; {meant}allowed are {', '.join(sorted(allowed))}"
            self._problem(f"{prefix}{key}", value, advice)

    def _problem(self, where: str, value: object, allowed: str) -> None:
        key = where.rpartition(".")[2]
        hidden = not isinstance(value, (int, float)) and (
            SECRET_NAME.search(key) or key in {"env", "args", "headers"} or re.search("[@?]", _written(value))
        )
        self.problems.append(Problem(self.path, where, "" if hidden else _shown(value), allowed))


def _nearest(key: str, allowed: Collection[str]) -> str:
    """The name that was probably meant; empty if none is near."""
    from difflib import get_close_matches  # only where there is a mistake

    return next(iter(get_close_matches(key, allowed, 1)), "")


def _shown(value: object) -> str:
    """A value from the file, short enough for one line and without what a terminal would obey."""
    text = _written(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _written(value: object) -> str:
    try:
        return repr(value)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return "a number of thousands of digits"
