"""The table of settings: what config.toml may say, each with its type, bounds, default and meaning.

A setting is declared here and nowhere else; see `setting_fields` for what follows from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from assistants_tui.settings.mcp_server import McpServer
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.setting_fields import declare, for_kind
from assistants_tui.settings.value_types import (
    Choice,
    Environment,
    Flag,
    Number,
    Text,
    Url,
    Variable,
    Words,
)

ProfileKind = Literal["embedded", "openai", "azure", "foundry"]
PROFILE_KINDS: Final[tuple[ProfileKind, ...]] = get_args(ProfileKind)
Notify = Literal["bell", "osc9", "osc777", "off"]
"""How the terminal is told that a run has ended where nobody looks: by its bell, or by a desktop notification
with the escape sequence of iTerm2 (9) or of rxvt (777)."""
WithoutSandbox = Literal["refuse", "ask", "run"]
"""What becomes of code where no sandbox holds: it is refused, the user is asked about each block of it, or it
runs all the same."""
SANDBOXES = ("auto", "bubblewrap", "landlock", "sandbox-exec", "none")

PROFILE_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
SERVER_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}"
"""It becomes the beginning of function names, which have 64 characters."""


@dataclass(frozen=True)
class RunSettings:
    """`[runs]`: how runs are started and watched."""

    stream: bool = field(
        default=True,
        metadata=declare(Flag(), "Show answers while they are written; false: poll the run instead."),
    )
    poll_initial_delay: float = field(
        default=0.5,
        metadata=declare(Number(0, 60, "seconds"), "The wait before a run is polled for the first time."),
    )
    poll_interval: float = field(
        default=1.0,
        metadata=declare(Number(0.05, 60, "seconds"), "The wait between two polls of a run."),
    )
    timeout: float = field(
        default=600.0,
        metadata=declare(Number(1, 86_400, "seconds"), "The time after which a run is cancelled."),
    )
    max_response_chars: int = field(
        default=-1,
        metadata=declare(
            Number(1, whole=True, unlimited=-1),
            "Longer answers are cut and the run cancelled; -1: never.",
        ),
    )
    assistant_fetch_count: int = field(
        default=100,
        metadata=declare(Number(1, 100_000, whole=True), "The most assistants that are listed."),
    )
    min_tokens_per_request: int = field(
        default=0,
        metadata=declare(Number(0, whole=True), "No run starts while the token balance is lower."),
    )
    token_balance: int | None = field(
        default=None,
        metadata=declare(
            Number(0, whole=True), "A budget of tokens; each run takes what it uses from it.", example=100_000
        ),
    )
    tool_choice: str | None = field(
        default=None,
        metadata=declare(
            Text(
                "code_interpreter, file_search, a function's name, required, none or auto",
                "[A-Za-z0-9_-]{1,64}",
            ),
            "A tool that every run must use.",
            example="file_search",
        ),
    )


@dataclass(frozen=True)
class Profile:
    """`[profiles.NAME]`: a way to a server of the Assistants API. Which settings count depends on `kind`."""

    name: str
    kind: ProfileKind = field(
        metadata=declare(Choice(PROFILE_KINDS), "What the profile leads to.", required=True)
    )
    runs: RunSettings = field(default_factory=RunSettings)
    """The settings of `[runs]`, with those that `[profiles.NAME.runs]` replaces."""
    model_url: str | None = field(
        default=None,
        metadata=declare(
            Url(),
            "An endpoint of chat completions; without it and [models.NAME] the offline tutor answers.",
            example="http://localhost:11434/v1",
            flag="--model-url",
            metavar="URL",
            kinds=("embedded",),
        ),
    )
    model_api_key_env: str | None = field(
        default=None,
        metadata=declare(
            Variable(),
            "The environment variable with the endpoint's key; OPENAI_API_KEY is for api.openai.com alone.",
            example="MODEL_KEY",
            flag="--model-key-env",
            metavar="NAME",
            kinds=("embedded",),
        ),
    )
    base_url: str | None = field(
        default=None,
        metadata=declare(
            Url(or_socket=True),
            "The server's address, or unix:///PATH for the socket of `serve --socket PATH`.",
            example="https://assistants.example.org/v1",
            kinds=("openai",),
            required=True,
        ),
    )
    azure_endpoint: str | None = field(
        default=None,
        metadata=declare(
            Url(),
            "The Azure OpenAI resource; without it the environment variable AZURE_OPENAI_ENDPOINT.",
            example="https://NAME.openai.azure.com",
            kinds=("azure",),
        ),
    )
    project_endpoint: str | None = field(
        default=None,
        metadata=declare(
            Url(),
            "The project in Azure AI Foundry.",
            example="https://NAME.services.ai.azure.com/api/projects/PROJECT",
            kinds=("foundry",),
            required=True,
        ),
    )
    api_version: str | None = field(
        default=None,
        metadata=declare(
            Text(),
            "The version of the API; without it the variable OPENAI_API_VERSION, or v1 (foundry).",
            kinds=("azure", "foundry"),
        ),
    )
    api_key_env: str | None = field(
        default=None,
        metadata=declare(
            Variable(),
            "The environment variable with the server's key; the key itself never stands in the file.",
            example="TEAM_KEY",
            kinds=("openai", "azure", "foundry"),
        ),
    )
    token_command: tuple[str, ...] = field(
        default=(),
        metadata=declare(
            Words(program=True),
            "Prints an access token of Entra ID; azure: for https://cognitiveservices.azure.com.",
            example=[
                *("az", "account", "get-access-token", "--resource", "https://ai.azure.com"),
                *("--query", "accessToken", "--output", "tsv"),
            ],
            kinds=("azure", "foundry"),
        ),
    )
    organization: str | None = field(
        default=None,
        metadata=declare(Text(), "The organization's ID that is sent with every request.", kinds=("openai",)),
    )
    project: str | None = field(
        default=None,
        metadata=declare(Text(), "The project's ID that is sent with every request.", kinds=("openai",)),
    )
    default_model: str | None = field(
        default=None,
        metadata=declare(
            Text(),
            "The model that new assistants are offered first, and that stands in for unknown names.",
            example="llama3.2",
            flag="--model",
            metavar="MODEL",
        ),
    )
    embedding_model: str | None = field(
        default=None,
        metadata=declare(
            Text(),
            "The model of that endpoint with which file search finds by meaning; else one of [models.NAME].",
            example="nomic-embed-text",
            flag="--embedding-model",
            metavar="MODEL",
            kinds=("embedded",),
        ),
    )
    allow_plain_http: bool = field(
        default=False,
        metadata=declare(
            Flag(), "Whether a key may go to another computer without encryption.", flag="--allow-plain-http"
        ),
    )

    @property
    def table(self) -> str:
        """Its table in config.toml."""
        return f"profiles.{self.name}"

    @property
    def stored_name(self) -> str:
        """The name of its key in the key store."""
        return self.name

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


KIND_FIELDS: Final[Mapping[ProfileKind, tuple[str, ...]]] = {
    kind: tuple(name for name in for_kind(Profile, kind) if name != "kind") for kind in PROFILE_KINDS
}
"""What a profile of each kind may say, in the order of the table."""

LOCAL: Final = Profile(name="local", kind="embedded")
"""The profile of somebody who has configured nothing: the embedded engine with its offline tutor."""


@dataclass(frozen=True)
class CodeSettings:
    """`[code]`: how code of assistants is confined, and what the code of one thread may use."""

    sandbox: str = field(
        default="auto",
        metadata=declare(
            Choice(SANDBOXES),
            "What keeps code from the rest of the computer; none: code is refused.",
            flag="--sandbox",
        ),
    )
    timeout: float = field(
        default=120.0,
        metadata=declare(
            Number(1, 3600, "seconds"), "How long one block of code may run.", flag="--code-timeout"
        ),
    )
    idle: float = field(
        default=3600.0,
        metadata=declare(
            Number(10, 86_400, "seconds"),
            "The idle time after which variables are given up (files stay).",
        ),
    )
    memory: int = field(
        default=2048,
        metadata=declare(
            Number(256, 1_048_576, "MiB", whole=True),  # pandas starts with the least
            "The memory of all processes of one thread's code together.",
            flag="--code-memory",
        ),
    )
    processes: int = field(
        default=64,
        metadata=declare(
            Number(16, 4096, whole=True),
            "How many processes and threads the code of one thread may have.",
            flag="--code-processes",
        ),
    )
    disk: int = field(
        default=1024,
        metadata=declare(
            Number(1, 1_048_576, "MiB", whole=True),
            "The room for the files of one thread's code in /mnt/data.",
            flag="--code-disk",
        ),
    )
    output: int = field(
        default=200_000,
        metadata=declare(
            Number(1000, 10_000_000, "characters", whole=True),
            "How much text one block of code may print.",
            flag="--code-output",
        ),
    )


@dataclass(frozen=True)
class FunctionSettings:
    """`[functions]`: how the user's Python functions are run."""

    timeout: float = field(
        default=60.0,
        metadata=declare(
            Number(1, 3600, "seconds"), "The time after which a call is stopped, also one of an MCP server."
        ),
    )
    python: str | None = field(
        default=None,
        metadata=declare(
            Text("the path of a Python interpreter"),
            "The Python that runs them, where they need packages of their own.",
            example="~/venv/bin/python",
        ),
    )
    env: Mapping[str, str] = field(
        default_factory=dict,
        repr=False,
        metadata=declare(
            Environment(),
            "What they get besides HOME, PATH and the like; $ takes a value from your environment.",
            example={"SHOP_KEY": "$SHOP_KEY"},
        ),
    )


@dataclass(frozen=True)
class Price:
    """`[prices."MODEL"]`: what a million tokens of a model cost, in whatever currency the user thinks in."""

    input: float = field(
        metadata=declare(Number(0), "The price of a million tokens of input.", example=2.5, required=True)
    )
    output: float = field(
        metadata=declare(Number(0), "The price of a million tokens of output.", example=10, required=True)
    )


@dataclass(frozen=True)
class Config:
    """What config.toml says, with defaults for what it does not say."""

    profiles: Mapping[str, Profile] = field(default_factory=lambda: {LOCAL.name: LOCAL})
    """By name, in the order of the file; never empty."""
    models: Mapping[str, ProviderSettings] = field(default_factory=dict)
    """Providers of models by name, in the order of the file."""
    default_profile: str = field(
        default=LOCAL.name,
        metadata=declare(
            Text("the name of a profile"), "The profile of the first start; later starts open the last one."
        ),
    )
    theme: str | None = field(
        default=None,
        metadata=declare(
            Text("the name of a theme"),
            "The colours at the first start; afterwards those that were chosen last.",
            example="Nord",
        ),
    )
    notify: Notify = field(
        default="bell",
        metadata=declare(
            Choice(get_args(Notify)), "How the terminal is told that a run has ended where you do not look."
        ),
    )
    hooks: Path | None = field(
        default=None,
        metadata=declare(
            Text('the path of a Python file, such as "hooks.py"', r".*\.py"),
            "A Python file, relative to this one, whose functions are told what happens to runs.",
            example="hooks.py",
        ),
    )
    keys: Mapping[str, str] = field(default_factory=dict)
    """Key bindings that the user changed: action ID to keys, comma separated, as in Textual's keymap."""
    functions: FunctionSettings = field(default_factory=FunctionSettings)
    mcp: Mapping[str, McpServer] = field(default_factory=dict)
    """MCP servers by name; their tools can be called as functions."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """What models cost, by name."""
    code: CodeSettings = field(default_factory=CodeSettings)


@dataclass(frozen=True, slots=True)
class Section:
    """A table of config.toml whose settings a dataclass declares."""

    name: str
    """Empty for the top of the file."""
    settings: type
    about: str
    many: str = ""
    """What a table of many is called by, as NAME in `[mcp.NAME]`; empty where there is one table."""
    in_profiles: bool = False
    """Whether a profile may have its own, as in `[profiles.NAME.runs]`."""


SECTIONS: Final = (
    Section("", Config, ""),
    Section("profiles", Profile, "A profile is a way to a server of the Assistants API.", "NAME"),
    Section(
        "models",
        ProviderSettings,
        "A provider of models. Profiles of kind embedded have the models of all, as NAME/MODEL.",
        "NAME",
    ),
    Section("runs", RunSettings, "How runs are made.", in_profiles=True),
    Section("code", CodeSettings, "The code that the embedded engine runs for assistants."),
    Section(
        "functions",
        FunctionSettings,
        "Your Python functions in the folder `functions` beside this file. They run only after you agree.",
    ),
    Section("mcp", McpServer, "MCP servers, whose tools assistants can call after you agree.", "NAME"),
    Section("prices", Price, "What models cost, for the sums that the inspector shows.", '"MODEL"'),
)
"""All tables but `[keys]`, whose settings are the actions of the app."""
