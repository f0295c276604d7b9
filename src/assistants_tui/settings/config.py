"""config.toml: the user's own file, with the profiles (ways to a server) and how runs are made.

A mistake in it never keeps the program from starting: the part that is wrong gets its default, and a
`Problem` says what is wrong. The program creates the file once and later only ever appends a profile to it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

ProfileKind = Literal["embedded", "openai", "azure", "foundry"]

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
    default_model: str | None = None
    """The model offered first for new assistants; the embedded engine also uses it for unknown names."""
    # embedded
    model_url: str | None = None
    """An OpenAI-compatible chat completions endpoint; None: the built-in offline tutor."""
    model_api_key_env: str | None = None
    embedding_model: str | None = None
    """A model of the same endpoint that embeds text for file search; None: search by words only."""
    # openai
    base_url: str | None = None
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
    def key_variable(self) -> str | None:
        """The environment variable that holds this profile's key."""
        if self.kind == "embedded":
            return self.model_api_key_env
        if self.kind == "azure":
            return self.api_key_env or "AZURE_OPENAI_API_KEY"
        return self.api_key_env


LOCAL = Profile(name="local", kind="embedded")
"""The profile of somebody who has configured nothing: the embedded engine with its offline tutor."""


@dataclass(frozen=True)
class Config:
    """What config.toml says, with defaults for what it does not say."""

    profiles: Mapping[str, Profile] = field(default_factory=lambda: {LOCAL.name: LOCAL})
    """By name, in the order of the file; never empty."""
    default_profile: str = LOCAL.name
    """A name in `profiles`."""
    theme: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    """Key bindings that the user changed: action ID to keys, comma separated, as in Textual's keymap."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a settings file. `str` gives the sentence to show."""

    path: Path
    where: str
    """The key, such as `profiles.team.base_url`, or the line, such as `line 3, column 7`."""
    found: str
    """The value as it stands there; never shown for something that may be a key."""
    allowed: str

    def __str__(self) -> str:
        found = f" is {self.found}" if self.found else ""
        return f"{self.path}: {self.where}{found}; {self.allowed}"


@dataclass(frozen=True)
class LoadedConfig:
    config: Config
    problems: tuple[Problem, ...] = ()


def load_config(path: Path) -> LoadedConfig:
    """Read `path`. A missing file gives the defaults."""
    raise NotImplementedError
