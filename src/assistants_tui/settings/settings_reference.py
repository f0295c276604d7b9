"""Every setting with its value, its default, what is allowed, and where the value comes from."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assistants_tui.settings.config import SECTIONS, Config, Price, Profile, RunSettings
from assistants_tui.settings.config_reader import LoadedConfig
from assistants_tui.settings.mcp_server import McpServer
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.setting_fields import Declaration, declared, for_kind
from assistants_tui.settings.toml_text import line_of, plain
from assistants_tui.settings.value_types import Environment, JsonTable, Text, ValueType


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is in force. All texts are for people."""

    group: str
    """The table of config.toml: `runs`, `profiles.local`; empty for the top of the file."""
    name: str
    value: str
    default: str
    allowed: str
    about: str
    source: str
    """`default`, or the table of config.toml that sets it."""
    raw: Any = field(default=None, repr=False)
    """The value itself, which may hold what `value` does not show; None for what is not set."""
    type: ValueType | None = None
    """How it is typed; None for what is changed in the file alone."""
    required: bool = False
    """Whether it cannot be taken out of the file."""

    @property
    def path(self) -> str:
        return f"{self.group}.{self.name}" if self.group else self.name

    @property
    def key(self) -> tuple[str, ...]:
        """The tables that lead to it, and its name, as in `config_editor`."""
        return (*(self.group.split(".") if self.group else ()), self.name)

    @property
    def toml(self) -> str:
        """The setting as it may stand in its table, or a table of its own; what is not set as a comment."""
        import tomli_w  # not for the first frame

        if self.raw is None:
            return f"# {self.name} = {self.allowed}" if self.name else f"# {self.allowed}"
        if isinstance(self.raw, Mapping) and self.type is None:
            return tomli_w.dumps({self.group: {self.name: self.raw}}).rstrip("\n")
        return line_of(self.name, self.raw)


def redact(value: str | Sequence[str]) -> str:
    """A URL without its query, a command without its arguments: both may hold what nobody else should see."""
    if not isinstance(value, str):
        return f"{value[0]} …" if len(value) > 1 else "".join(value)
    if value.startswith(("http://", "https://")):
        return re.sub(r"[?#].*", "?…", value, flags=re.DOTALL)
    return value


def settings_of(loaded: LoadedConfig, profile: Profile) -> list[Setting]:
    """All settings that config.toml can have, with those of one profile, in the order of the table."""
    found: list[Setting] = []
    for section in SECTIONS:
        if section.settings is Profile:
            settings = for_kind(Profile, profile.kind)
            found += _rows(loaded, settings, f"profiles.{profile.name}", profile)
        elif section.settings is RunSettings:
            found += _runs(loaded, profile)
        elif section.settings is ProviderSettings:
            found += _models(loaded)
        elif section.settings is McpServer:
            found += _servers(loaded.config)
        elif section.settings is Price:
            found += _prices(loaded.config)
        else:
            values = getattr(loaded.config, section.name) if section.name else loaded.config
            found += _rows(loaded, declared(section.settings), section.name, values)
    return found


def _rows(
    loaded: LoadedConfig, settings: Mapping[str, Declaration], group: str, values: object
) -> Iterator[Setting]:
    for setting in settings.values():
        yield _row(loaded, setting, group, getattr(values, setting.name))


def _runs(loaded: LoadedConfig, profile: Profile) -> Iterator[Setting]:
    own = f"profiles.{profile.name}.runs"
    for setting in declared(RunSettings).values():
        group = own if f"{own}.{setting.name}" in loaded.given else "runs"
        value = getattr(profile.runs, setting.name)
        yield _row(loaded, setting, group, value, f" A profile may have its own: [{own}].")


def _row(loaded: LoadedConfig, setting: Declaration, group: str, value: Any, more: str = "") -> Setting:
    path = f"{group}.{setting.name}" if group else setting.name
    table = f"[{group}]" if group else "its first lines"
    given = path in loaded.given or any(key.startswith(f"{path}.") for key in loaded.given)
    default, kind, allowed = setting.default, setting.type, setting.type.allowed
    if path == "default_profile":
        default = next(iter(loaded.config.profiles))
        allowed = f"the name of a profile: {', '.join(loaded.config.profiles)}"
        kind = Text(allowed, "|".join(map(re.escape, loaded.config.profiles)))
    return Setting(
        group,
        setting.name,
        _words(value),
        _words(default),
        allowed,
        setting.help + more,
        f"config.toml, {table}" if given else "default",
        None if value in (None, (), {}) else plain(value),
        None if setting.name == "kind" else kind,  # other kinds have other settings
        setting.required,
    )


def _models(loaded: LoadedConfig) -> Iterator[Setting]:
    for name, provider in loaded.config.models.items():
        yield from _rows(loaded, declared(ProviderSettings), f"models.{name}", provider)
    if not loaded.config.models:
        about = "Providers of models, whose models every embedded profile has. F3 connects one."
        yield Setting("models", "", "none", "none", "tables [models.NAME] with url", about, "default")


def _servers(config: Config) -> Iterator[Setting]:
    about = "An MCP server, whose tools assistants can call as functions."
    allowed = "tables [mcp.NAME] with command, args and env, or with url and api_key_env"
    for name, server in config.mcp.items():
        value = redact(server.url or (server.command or "", *server.args))
        raw = {key: plain(given) for key in declared(McpServer) if (given := getattr(server, key))}
        yield Setting("mcp", name, value, "", allowed, about, f"config.toml, [mcp.{name}]", raw)
    if not config.mcp:
        yield Setting("mcp", "", "none", "none", allowed, about, "default")


def _prices(config: Config) -> Iterator[Setting]:
    about = "What a million tokens of a model cost, for the sums that the inspector shows."
    allowed = 'tables [prices."MODEL"] with input and output'
    for model, price in config.prices.items():
        value = f"{_words(price.input)} in, {_words(price.output)} out"
        raw = {"input": plain(price.input), "output": plain(price.output)}
        yield Setting("prices", model, value, "", allowed, about, f'config.toml, [prices."{model}"]', raw)
    if not config.prices:
        yield Setting("prices", "", "none", "none", allowed, about, "default")


def _words(value: Any) -> str:
    if value in (None, (), {}):
        return "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        if not all(isinstance(one, str) for one in value.values()):
            return JsonTable().text(value)
        return redact(tuple(Environment().text({name: one}) for name, one in value.items()))
    return redact(value) if isinstance(value, (str, tuple)) else str(plain(value))
