"""Every setting with its value, its default, what is allowed, and where the value comes from."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import get_args

from assistants_tui.settings.code_settings import CodeSettings, wrong_code_setting
from assistants_tui.settings.config import (
    KIND_FIELDS,
    Config,
    LoadedConfig,
    Notify,
    Profile,
    RunSettings,
    allowed_run_setting,
)

_RUNS: Mapping[str, str] = {
    "stream": "Show answers while they are written; else the app asks for the state of the run instead.",
    "poll_initial_delay": "How long to wait before asking for the state of a run the first time.",
    "poll_interval": "How long to wait between two questions about a run.",
    "timeout": "After this long a run is cancelled, and the thread is free again.",
    "max_response_chars": "Longer answers are cut there, and their run is cancelled.",
    "assistant_fetch_count": "How many assistants are listed at most.",
    "min_tokens_per_request": "No run is started while the token balance is lower.",
    "token_balance": "Tokens that may be used in all; each run takes what it uses from it.",
    "tool_choice": "A tool that every run must use.",
}
_CODE: Mapping[str, str] = {
    "sandbox": "What keeps the embedded engine's code from the rest of the computer.",
    "timeout": "How long one block of code may run.",
    "idle": "After this long without code a thread's variables are given up; its files stay.",
    "memory": "What all processes of a thread's code may take together.",
    "processes": "How many processes and threads a thread's code may have.",
    "disk": "What the files in /mnt/data may take.",
    "output": "How much text one block of code may print.",
}
_PROFILE: Mapping[str, tuple[str, str]] = {
    "default_model": ("The model that new assistants are offered first.", "the name of a model"),
    "model_url": (
        "The model endpoint of the embedded engine; without one the offline tutor answers.",
        "the URL of an OpenAI-compatible chat completions endpoint",
    ),
    "model_api_key_env": ("Where the endpoint's key is found.", "the name of an environment variable"),
    "allow_plain_http": (
        "Whether a key may be sent to another computer without encryption.",
        "true or false",
    ),
    "embedding_model": ("With it, file search finds by meaning too.", "a model of the endpoint"),
    "base_url": ("The server of the Assistants API.", "a URL, mostly ending with /v1, or unix:///PATH"),
    "organization": ("Sent with every request.", "an organization's ID"),
    "project": ("Sent with every request.", "a project's ID"),
    "azure_endpoint": (
        "The Azure OpenAI resource; without it the environment variable AZURE_OPENAI_ENDPOINT.",
        "a URL",
    ),
    "project_endpoint": ("The project in Azure AI Foundry.", "a URL"),
    "api_version": ("The version of the API to ask for.", "a date such as 2024-05-01-preview, or v1"),
    "token_command": ("Prints an access token of Entra ID.", "a list of a program and its arguments"),
    "api_key_env": ("Where the server's key is found.", "the name of an environment variable"),
}


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
    raw: object = field(default=None, repr=False)
    """The value itself, which may hold what `value` does not show; None for what is not set."""

    @property
    def path(self) -> str:
        return f"{self.group}.{self.name}" if self.group else self.name

    @property
    def toml(self) -> str:
        """The setting as it may stand in its table, or a table of its own; what is not set as a comment."""
        import tomli_w  # not for the first frame

        if self.raw is None:
            return f"# {self.name} = {self.allowed}" if self.name else f"# {self.allowed}"
        if isinstance(self.raw, Mapping):
            return tomli_w.dumps({self.group: {self.name: self.raw}}).rstrip("\n")
        return tomli_w.dumps({self.name: self.raw}).rstrip("\n")


def told(value: str | Sequence[str]) -> str:
    """A URL without its query, a command without its arguments: both may hold what nobody else should see."""
    if not isinstance(value, str):
        return f"{value[0]} …" if len(value) > 1 else "".join(value)
    if value.startswith(("http://", "https://")):
        return re.sub(r"[?#].*", "?…", value, flags=re.DOTALL)
    return value


def settings_of(loaded: LoadedConfig, profile: Profile) -> list[Setting]:
    """All settings that config.toml can have, with those of one profile, in the order of the file's parts."""
    return [
        *_top(loaded),
        *_runs(loaded, profile),
        *_profile(loaded, profile),
        *_code(loaded),
        *_functions(loaded),
        *_servers(loaded.config),
        *_prices(loaded.config),
    ]


def _top(loaded: LoadedConfig) -> Iterator[Setting]:
    config = loaded.config

    yield _setting(
        loaded,
        "default_profile",
        config.default_profile,
        next(iter(config.profiles)),
        allowed=f"a profile: {', '.join(config.profiles)}",
        about="The profile that is opened at the first start; afterwards the one that was used last.",
    )
    yield _setting(
        loaded,
        "theme",
        config.theme,
        None,
        allowed="the name of a theme",
        about="The colours at the first start; afterwards those that were chosen last.",
    )
    yield _setting(
        loaded,
        "notify",
        config.notify,
        "bell",
        allowed=", ".join(get_args(Notify)),
        about="How the terminal is told that a run has ended where you do not look.",
    )
    yield _setting(
        loaded,
        "hooks",
        config.hooks,
        None,
        allowed="the path of a Python file, from the folder of config.toml",
        about="Its functions on_tokens_validated, on_tokens_consumed, on_exception and on_run_cancel are "
        "told what happens to runs.",
    )


def _runs(loaded: LoadedConfig, profile: Profile) -> Iterator[Setting]:
    own = f"profiles.{profile.name}.runs"
    for item in fields(RunSettings):
        group = own if f"{own}.{item.name}" in loaded.given else "runs"
        yield _setting(
            loaded,
            f"{group}.{item.name}",
            getattr(profile.runs, item.name),
            item.default,
            allowed=allowed_run_setting(item.name),
            about=f"{_RUNS[item.name]} A profile may have its own: [{own}].",
        )


def _profile(loaded: LoadedConfig, profile: Profile) -> Iterator[Setting]:
    group = f"profiles.{profile.name}"
    yield _setting(
        loaded,
        f"{group}.kind",
        profile.kind,
        "embedded",
        allowed=", ".join(KIND_FIELDS),
        about="What the profile leads to.",
    )
    for name in ("default_model", *sorted(KIND_FIELDS[profile.kind]), "allow_plain_http"):
        about, allowed = _PROFILE[name]
        value, default = getattr(profile, name), False if name == "allow_plain_http" else None
        yield _setting(loaded, f"{group}.{name}", value or default, default, allowed=allowed, about=about)


def _code(loaded: LoadedConfig) -> Iterator[Setting]:
    for item in fields(CodeSettings):
        yield _setting(
            loaded,
            f"code.{item.name}",
            getattr(loaded.config.code, item.name),
            item.default,
            allowed=wrong_code_setting(item.name, None),
            about=_CODE[item.name],
        )


def _functions(loaded: LoadedConfig) -> Iterator[Setting]:
    functions = loaded.config.functions
    yield _setting(
        loaded,
        "functions.timeout",
        functions.timeout,
        60.0,
        allowed="a number of seconds from 1 to 3600",
        about="After this long a call of a function is stopped.",
    )
    yield _setting(
        loaded,
        "functions.python",
        functions.python,
        None,
        allowed="the path of a Python interpreter",
        about="Runs your functions, where they need packages of their own.",
    )
    yield Setting(
        "functions",
        "env",
        told(tuple(f"{name} = {value}" for name, value in functions.env.items())) or "none",
        "none",
        'a table of texts, such as { SHOP_KEY = "$SHOP_KEY" }',
        "Environment variables for your functions, which see few others.",
        "config.toml, [functions]" if functions.env else "default",
        dict(functions.env),
    )


def _servers(config: Config) -> Iterator[Setting]:
    about = "An MCP server, whose tools assistants can call as functions."
    allowed = "tables [mcp.NAME] with command, args and env, or with url and api_key_env"
    for name, server in config.mcp.items():
        value = told(server.url or (server.command or "", *server.args))
        raw = {
            key: list(given) if isinstance(given, tuple) else given
            for key in ("command", "args", "env", "url", "api_key_env", "allow_plain_http")
            if (given := getattr(server, key))
        }
        yield Setting("mcp", name, value, "", allowed, about, f"config.toml, [mcp.{name}]", raw)
    if not config.mcp:
        yield Setting("mcp", "", "none", "none", allowed, about, "default")


def _prices(config: Config) -> Iterator[Setting]:
    about = "What a million tokens of a model cost, for the sums that the inspector shows."
    allowed = 'tables [prices."MODEL"] with input and output'
    for model, price in config.prices.items():
        value = f"{_words(price.input)} in, {_words(price.output)} out"
        raw = {"input": _plain(price.input), "output": _plain(price.output)}
        yield Setting("prices", model, value, "", allowed, about, f'config.toml, [prices."{model}"]', raw)
    if not config.prices:
        yield Setting("prices", "", "none", "none", allowed, about, "default")


def _setting(
    loaded: LoadedConfig, path: str, value: object, default: object, *, allowed: str, about: str
) -> Setting:
    group, _, name = path.rpartition(".")
    table = f"[{group}]" if group else "its first lines"
    source = f"config.toml, {table}" if path in loaded.given else "default"
    return Setting(group, name, _words(value), _words(default), allowed, about, source, _plain(value))


def _plain(value: object) -> object:
    """The value as TOML can have it, and as a person would write it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


def _words(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    return told(value) if isinstance(value, (str, tuple)) else str(_plain(value))
