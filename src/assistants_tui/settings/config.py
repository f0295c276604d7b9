"""config.toml: the user's own file, with the profiles (ways to a server) and how runs are made.

A mistake in it never keeps the program from starting: the part that is wrong gets its default, and a
`Problem` says what is wrong. The program creates the file once and later only ever appends a profile to it.
"""

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

from assistants_tui.addresses import OPENAI_VARIABLE, only_for_openai, socket_path
from assistants_tui.settings.code_settings import CodeSettings, read_code
from assistants_tui.settings.files import SettingsError, locked, write_atomic
from assistants_tui.settings.function_settings import (
    FunctionSettings,
    McpServer,
    Price,
    read_functions,
    read_mcp,
    read_prices,
)

ProfileKind = Literal["embedded", "openai", "azure", "foundry"]
Notify = Literal["bell", "osc9", "osc777", "off"]
"""How the terminal is told that a run has ended where nobody looks: by its bell, or by a desktop notification
with the escape sequence of iTerm2 (9) or of rxvt (777)."""

PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class RunSettings:
    """How runs are started and watched. Times are in seconds."""

    stream: bool = True
    """Show answers while they are written; False: create the run, then ask for its state again and again."""
    poll_initial_delay: float = 0.5
    """Wait this long before asking the first time."""
    poll_interval: float = 1.0
    """Wait this long between two questions."""
    timeout: float = 600.0
    """Give up after this long: the run is cancelled and the thread is free again."""
    max_response_chars: int = -1
    """Cut answers after this many characters and cancel the run; -1: never."""
    assistant_fetch_count: int = 100
    """List at most this many assistants."""
    min_tokens_per_request: int = 0
    """Start a run only if the token balance is at least this."""
    token_balance: int | None = None
    """Tokens that may be used in all; None: no budget is kept."""
    tool_choice: str | None = None
    """A tool that every run must use: `code_interpreter`, `file_search`, a function's name, or `required`,
    `none`, `auto`. None: left to the model."""


@dataclass(frozen=True)
class Profile:
    """A way to a server of the Assistants API. Which fields count depends on `kind`."""

    name: str
    kind: ProfileKind
    runs: RunSettings = field(default_factory=RunSettings)
    """The settings of `[runs]`, with those that `[profiles.NAME.runs]` replaces."""
    default_model: str | None = None
    """The model offered first for new assistants; the embedded engine also uses it for unknown names."""
    allow_plain_http: bool = False
    """Whether a key may be sent to another computer without encryption."""
    # embedded
    model_url: str | None = None
    """An OpenAI-compatible chat completions endpoint; None: the built-in offline tutor."""
    model_api_key_env: str | None = None
    embedding_model: str | None = None
    """An embedding model of that endpoint, for file search; None: it looks for words alone."""
    # openai
    base_url: str | None = None
    """A URL of http or https, or `unix:///path` for a Unix socket."""
    organization: str | None = None
    project: str | None = None
    # azure
    azure_endpoint: str | None = None
    """None: the environment variable AZURE_OPENAI_ENDPOINT."""
    # foundry
    project_endpoint: str | None = None
    # azure and foundry
    api_version: str | None = None
    """None: the environment variable OPENAI_API_VERSION (azure), `v1` (foundry)."""
    token_command: tuple[str, ...] = ()
    """A command that prints an Entra ID access token."""
    # openai, azure and foundry
    api_key_env: str | None = None
    """Name of the environment variable that holds the key; the key itself never stands in the file."""

    @property
    def key_setting(self) -> str:
        """The setting that names the environment variable with the key."""
        return "model_api_key_env" if self.kind == "embedded" else "api_key_env"

    @property
    def address(self) -> str:
        """The URL that gets this profile's key; empty where the profile does not say it."""
        return self.model_url or self.base_url or self.azure_endpoint or self.project_endpoint or ""

    @property
    def key_variable(self) -> str | None:
        """The environment variable that holds this profile's key."""
        if self.kind == "embedded":
            return self.model_api_key_env
        if self.kind == "azure":
            return self.api_key_env or "AZURE_OPENAI_API_KEY"
        return self.api_key_env


LOCAL: Final = Profile(name="local", kind="embedded")
"""The profile of somebody who has configured nothing: the embedded engine with its offline tutor."""


@dataclass(frozen=True)
class Config:
    """What config.toml says, with defaults for what it does not say."""

    profiles: Mapping[str, Profile] = field(default_factory=lambda: {LOCAL.name: LOCAL})
    """By name, in the order of the file; never empty."""
    default_profile: str = LOCAL.name
    """A name in `profiles`."""
    theme: str | None = None
    notify: Notify = "bell"
    keys: Mapping[str, str] = field(default_factory=dict)
    """Key bindings that the user changed: action ID to keys, comma separated, as in Textual's keymap."""
    functions: FunctionSettings = field(default_factory=FunctionSettings)
    mcp: Mapping[str, McpServer] = field(default_factory=dict)
    """MCP servers by name; their tools can be called as functions."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """What models cost, by name."""
    code: CodeSettings = field(default_factory=CodeSettings)
    """What the code interpreter of the embedded engine may do."""
    hooks: Path | None = None
    """A Python file of the user whose functions are told what happens to runs."""


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
        document = tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        return LoadedConfig(Config())
    except OSError as error:
        problem = Problem(path, "the file", "unreadable", f"{error.strerror}; the defaults are used")
        return LoadedConfig(Config(), (problem,))
    except UnicodeDecodeError as error:
        problem = Problem(path, f"byte {error.start}", "not UTF-8", "save the file as UTF-8 text")
        return LoadedConfig(Config(), (problem,))
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).rpartition(" (at ")
        problem = Problem(path, place.rstrip(")") or "the file", "", f"not TOML: {reason or error}")
        return LoadedConfig(Config(), (problem,))
    reader = _Reader(path)
    config = reader.config(document)
    return LoadedConfig(config, tuple(reader.problems), frozenset(_keys_of(document)))


def _keys_of(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _keys_of(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


# What is allowed


KIND_FIELDS: Mapping[ProfileKind, frozenset[str]] = {
    "embedded": frozenset({"model_url", "model_api_key_env", "embedding_model"}),
    "openai": frozenset({"base_url", "api_key_env", "organization", "project"}),
    "azure": frozenset({"azure_endpoint", "api_version", "api_key_env", "token_command"}),
    "foundry": frozenset({"project_endpoint", "api_version", "api_key_env", "token_command"}),
}
"""What a profile of each kind may say beyond `_EVERY_KIND`."""
_EVERY_KIND = frozenset({"kind", "runs", "default_model", "allow_plain_http"})
REQUIRED: Mapping[ProfileKind, str] = {"openai": "base_url", "foundry": "project_endpoint"}
"""What a profile of a kind cannot do without."""
_URLS = frozenset({"model_url", "base_url", "azure_endpoint", "project_endpoint"})
_VARIABLES = frozenset({"model_api_key_env", "api_key_env"})
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"key|token|secret|password|credential", re.IGNORECASE)
_TOP = frozenset(
    {
        "default_profile",
        "profiles",
        "runs",
        "theme",
        "notify",
        "keys",
        "functions",
        "mcp",
        "prices",
        "code",
        "hooks",
    }
)
_NUMBERS: Mapping[str, tuple[float, float, str]] = {
    "poll_initial_delay": (0, 60, "a number of seconds from 0 to 60"),
    "poll_interval": (0.05, 60, "a number of seconds from 0.05 to 60"),
    "timeout": (1, 86_400, "a number of seconds from 1 to 86400"),
    "max_response_chars": (1, math.inf, "a whole number of at least 1, or -1 for no limit"),
    "assistant_fetch_count": (1, 100_000, "a whole number from 1 to 100000"),
    "min_tokens_per_request": (0, math.inf, "a whole number of at least 0"),
    "token_balance": (0, math.inf, "a whole number of at least 0"),
}
_WHOLE = frozenset(_NUMBERS) - {"poll_initial_delay", "poll_interval", "timeout"}
_TOOL_CHOICE = re.compile(r"[A-Za-z0-9_-]{1,64}")


class _Reader:
    """Turns the parsed file into a `Config`, collecting what is wrong on the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def config(self, document: Mapping[str, Any]) -> Config:
        self._unknown(document, _TOP, "")
        runs = self._runs(document.get("runs", {}), "runs", RunSettings())
        profiles = self._profiles(document.get("profiles", {}), runs)
        if not profiles:
            profiles = {LOCAL.name: replace(LOCAL, runs=runs)}
        first = next(iter(profiles))
        default = document.get("default_profile", first)
        if not isinstance(default, str) or default not in profiles:
            names = ", ".join(repr(name) for name in profiles)
            self._problem("default_profile", default, f"it must be the name of a profile: {names}")
            default = first
        theme = document.get("theme")
        if theme is not None and not isinstance(theme, str):
            self._problem("theme", theme, "it must be the name of a theme")
            theme = None
        return Config(
            profiles,
            default,
            theme,
            self._notify(document.get("notify", "bell")),
            self._keys(document.get("keys", {})),
            read_functions(self._table(document.get("functions", {}), "functions"), self._problem),
            read_mcp(self._table(document.get("mcp", {}), "mcp"), self._problem),
            read_prices(self._table(document.get("prices", {}), "prices"), self._problem),
            read_code(self._table(document.get("code", {}), "code"), self._problem),
            self._hooks(document.get("hooks")),
        )

    def _notify(self, value: object) -> Notify:
        ways: tuple[Notify, ...] = get_args(Notify)
        for way in ways:
            if value == way:
                return way
        allowed = ", ".join(f'"{way}"' for way in ways)
        self._problem("notify", value, f"it must be one of {allowed}")
        return "bell"

    def _hooks(self, value: object) -> Path | None:
        if value is None:
            return None
        if not isinstance(value, str) or not value.endswith(".py"):
            self._problem("hooks", value, 'it must be the path of a Python file, such as "hooks.py"')
            return None
        return self.path.parent / Path(value).expanduser()

    def _problem(self, where: str, value: object, allowed: str) -> None:
        key = where.rpartition(".")[2]
        hidden = not isinstance(value, (int, float)) and (
            _SECRET.search(key) or key in {"env", "args"} or re.search("[@?]", repr(value))
        )
        self.problems.append(Problem(self.path, where, "" if hidden else _shown(value), allowed))

    def _unknown(self, table: Mapping[str, Any], allowed: frozenset[str], prefix: str) -> None:
        for key, value in table.items():
            if key in allowed:
                continue
            if _SECRET.search(key):
                advice = (
                    "keys do not belong into this file: put the key into an environment variable and name "
                    "that in `api_key_env`, or store it in the system's key store"
                )
            else:
                advice = f"unknown; allowed are {', '.join(sorted(allowed))}"
            self._problem(f"{prefix}{key}", value, advice)

    def _table(self, value: object, where: str) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._problem(where, value, f"it must be a table: [{where}]")
        return {}

    def _runs(self, value: object, where: str, base: RunSettings) -> RunSettings:
        table = self._table(value, where)
        names = frozenset(item.name for item in fields(RunSettings))
        self._unknown(table, names, f"{where}.")
        good: dict[str, Any] = {}
        for name in names & table.keys():
            wrong = _wrong_run_setting(name, table[name])
            if wrong:
                self._problem(f"{where}.{name}", table[name], f"it must be {wrong}")
            else:
                good[name] = table[name]
        return replace(base, **good)

    def _profiles(self, value: object, runs: RunSettings) -> dict[str, Profile]:
        profiles: dict[str, Profile] = {}
        for name, table in self._table(value, "profiles").items():
            if not isinstance(table, dict):
                self._problem(f"profiles.{name}", table, f"it must be a table: [profiles.{name}]")
            elif (profile := self._profile(name, table, runs)) is not None:
                profiles[name] = profile
        return profiles

    def _profile(self, name: str, table: Mapping[str, Any], runs: RunSettings) -> Profile | None:
        where = f"profiles.{name}"
        if not PROFILE_NAME.fullmatch(name):
            self._problem(
                "profiles", name, "a name is 1 to 64 letters, digits, `-` and `_`, a letter or digit first"
            )
            return None
        kind = next((kind for kind in KIND_FIELDS if kind == table.get("kind")), None)
        if kind is None:
            kinds = ", ".join(f'"{kind}"' for kind in KIND_FIELDS)
            self._problem(f"{where}.kind", table.get("kind", "missing"), f"it must be one of {kinds}")
            return None
        allowed = KIND_FIELDS[kind]
        self._unknown(table, allowed | _EVERY_KIND, f"{where}.")
        good: dict[str, Any] = {}
        for key in (allowed | {"default_model", "allow_plain_http"}) & table.keys():
            wrong = wrong_profile_setting(key, table[key])
            if wrong:
                self._problem(f"{where}.{key}", table[key], f"it must be {wrong}")
            else:
                good[key] = tuple(table[key]) if isinstance(table[key], list) else table[key]
        required = REQUIRED.get(kind)
        if required and required not in good:
            if required not in table:
                self._problem(f"{where}.{required}", "missing", f'a profile of kind "{kind}" needs it')
            return None
        merged = self._runs(table.get("runs", {}), f"{where}.runs", runs)
        profile = Profile(name=name, kind=kind, runs=merged, **good)
        for key, wrong in wrong_key_variable(profile).items():
            self._problem(f"{where}.{key}", table[key], wrong)
        return profile

    def _keys(self, value: object) -> dict[str, str]:
        keys: dict[str, str] = {}
        for action, bound in self._table(value, "keys").items():
            many = bound if isinstance(bound, list) else [bound]
            if many and all(isinstance(key, str) and key for key in many):
                keys[action] = ",".join(many)
            else:
                self._problem(f"keys.{action}", bound, 'it must be a key such as "ctrl+n", or a list of them')
        return keys


def _wrong_run_setting(name: str, value: object) -> str:
    """What `runs.<name>` must be, if `value` is not that; else an empty text."""
    if name == "stream":
        return "" if isinstance(value, bool) else "true or false"
    if name == "tool_choice":
        good = isinstance(value, str) and bool(_TOOL_CHOICE.fullmatch(value))
        return "" if good else "code_interpreter, file_search, a function's name, required, none or auto"
    least, most, allowed = _NUMBERS[name]
    if isinstance(value, bool) or not isinstance(value, int if name in _WHOLE else (int, float)):
        return allowed
    if name == "max_response_chars" and value == -1:
        return ""
    return "" if least <= value <= most else allowed


def allowed_run_setting(name: str) -> str:
    """What `runs.<name>` may be, in words."""
    return _wrong_run_setting(name, None)


def wrong_profile_setting(key: str, value: object) -> str:
    """What `profiles.<name>.<key>` must be, if `value` is not that; else an empty text."""
    if key == "allow_plain_http":
        return "" if isinstance(value, bool) else "true or false"
    if key == "token_command":
        words = value if isinstance(value, list) else []
        good = bool(words) and all(isinstance(word, str) and word for word in words)
        return "" if good else 'a list of a program and its arguments, such as ["az", "account", "…"]'
    if not isinstance(value, str) or not value.strip():
        return "a text in quotes that is not empty"
    if key in _URLS:
        at_socket = key == "base_url" and socket_path(value) is not None
        good = at_socket or bool(re.fullmatch(r"https?://[^\s/@]+(/\S*)?", value))
        return "" if good else 'a URL such as "https://assistants.example.org/v1", without user and password'
    if key in _VARIABLES:
        good = bool(_VARIABLE.fullmatch(value))
        return "" if good else "the name of an environment variable, not the key itself"
    return ""


def wrong_key_variable(profile: Profile) -> dict[str, str]:
    """The setting that names `OPENAI_VARIABLE` for a server that is not OpenAI's, and why that is wrong."""
    setting, url = profile.key_setting, profile.address
    if getattr(profile, setting) != OPENAI_VARIABLE or not url or not (why := only_for_openai(url)):
        return {}
    return {setting: f"{why} Put the key of that server into another variable, and name that one here."}


def _shown(value: object) -> str:
    """A value from the file, short enough for one line and without what a terminal would obey."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


# Writing


_TEMPLATE = """\
# Settings of assistants-tui. It reads them when it starts and after you have edited them in the app,
# and never changes what you write here.

# The profile to open, until you change it in the app (F3). `assistants-tui --profile NAME` opens another one.
default_profile = "local"

# How the terminal is told that a run has ended where you do not look: "bell", "osc9" or "osc777" (desktop
# notifications of terminals that know them), or "off".
# notify = "bell"

# A Python file, relative to this one, whose functions are told what happens to runs. It may define
# on_tokens_validated(ok, balance, required), on_tokens_consumed(usage), on_exception(error) and
# on_run_cancel(run).
# hooks = "hooks.py"

# A profile is a way to a server of the Assistants API. This one runs the server inside the program.
[profiles.local]
kind = "embedded"
# Without a model endpoint, answers come from the built-in offline tutor. Any OpenAI-compatible one will do:
# model_url = "http://localhost:11434/v1"
# model_api_key_env = "MODEL_KEY"          # the environment variable that holds the key, not the key itself;
#                                          # OPENAI_API_KEY is for https://api.openai.com alone
# default_model = "llama3.2"
# embedding_model = "nomic-embed-text"     # file search then finds by meaning, and not only by words
# allow_plain_http = true                  # a key may be sent to another computer without encryption

# A server that speaks the Assistants API, such as `assistants-tui serve` on another machine:
# [profiles.team]
# kind = "openai"
# base_url = "https://assistants.example.org/v1"
# api_key_env = "TEAM_KEY"
# For `assistants-tui serve --socket PATH` on this computer the base_url is "unix:///PATH".

# Azure AI Foundry agents (classic), while they last:
# [profiles.foundry]
# kind = "foundry"
# project_endpoint = "https://NAME.services.ai.azure.com/api/projects/PROJECT"
# token_command = ["az", "account", "get-access-token", "--resource", "https://ai.azure.com",
#                  "--query", "accessToken", "--output", "tsv"]

# How runs are made. A profile may have its own: [profiles.local.runs]
[runs]
# stream = true                   # false: ask for the state of the run again and again instead
# poll_initial_delay = 0.5        # seconds before asking the first time
# poll_interval = 1.0             # seconds between two questions
# timeout = 600                   # seconds after which a run is cancelled
# max_response_chars = -1         # cut longer answers and cancel the run; -1: never
# assistant_fetch_count = 100     # list at most this many assistants
# min_tokens_per_request = 0      # start no run when fewer tokens are left
# token_balance = 100000          # tokens that may be used in all
# tool_choice = "file_search"     # a tool that every run must use

# What a million tokens cost, for the sums that the inspector shows.
# [prices."gpt-4o"]
# input = 2.50
# output = 10.00

# The code that the embedded engine runs for assistants, and what the code of one thread may use.
# [code]
# sandbox = "auto"                # or "bubblewrap", "landlock", "sandbox-exec"; "none": no code runs at all
# timeout = 120                   # seconds that one block of code may run
# idle = 3600                     # seconds after which variables are given up; files stay
# memory = 2048                   # MiB, all its processes together
# processes = 64                  # processes and threads
# disk = 1024                     # MiB in /mnt/data
# output = 200000                 # characters that one block of code may print

# Your own Python functions lie in the folder `functions` beside this file. They run only after you agree.
# [functions]
# timeout = 60                    # seconds that a call may take
# python = "~/venv/bin/python"     # a Python with the packages that they need
# env = { SHOP_KEY = "$SHOP_KEY" }  # what they get of your environment, besides HOME, PATH and the like

# MCP servers, whose tools assistants can call as functions, also only after you agree:
# [mcp.files]
# command = "npx"
# args = ["-y", "@modelcontextprotocol/server-filesystem", "."]
# env = { SOME_TOKEN = "$SOME_TOKEN" }     # `$` takes the value from your environment
# [mcp.team]
# url = "https://mcp.example.org/mcp"
# api_key_env = "TEAM_MCP_KEY"

# Keys of your own; F5 shows the names of the actions.
[keys]
# "app.quit" = "ctrl+q"
"""


def create_config(path: Path) -> bool:
    """Write a commented file if there is none yet. Returns whether it was written."""
    if path.exists():
        return False
    with locked(path):
        if path.exists():
            return False
        write_atomic(path, _TEMPLATE.encode())
    return True


def append_profile(path: Path, profile: Profile) -> None:
    """Add `profile` at the end of the file, which is otherwise left byte for byte as it is.

    Raises `SettingsError` if the name is taken or not allowed, if the file is not TOML as it stands, or if
    the disk refuses.
    """
    import tomli_w  # only needed here, and not for the first frame

    if not PROFILE_NAME.fullmatch(profile.name):
        raise SettingsError(f"{profile.name!r} is no name for a profile: use letters, digits, `-` and `_`.")
    with locked(path):
        before = path.read_bytes() if path.exists() else _TEMPLATE.encode()
        try:
            document = tomllib.loads(before.decode())
        except ValueError as error:
            raise SettingsError(f"{path} is not TOML, correct it first: {error}.") from error
        if profile.name in document.get("profiles", {}):
            raise SettingsError(f"{path} already has a profile named {profile.name!r}.")
        table = tomli_w.dumps({"profiles": {profile.name: _table(profile)}})
        after = before + (b"" if before.endswith(b"\n") else b"\n") + b"\n" + table.encode()
        try:
            tomllib.loads(after.decode())
        except ValueError as error:
            raise SettingsError(
                f"{path} has no place for another profile: write profiles as [profiles.NAME]. ({error})"
            ) from error
        write_atomic(path, after, backup=path.with_name(f"{path.stem}.previous{path.suffix}"))


def _table(profile: Profile) -> dict[str, Any]:
    table: dict[str, Any] = {"kind": profile.kind}
    for item in fields(Profile):
        value = getattr(profile, item.name)
        if item.name in {"name", "kind", "runs"} or item.default is MISSING or value == item.default:
            continue
        table[item.name] = list(value) if isinstance(value, tuple) else value
    return table
