"""What a running engine is told from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistants_tui.engine.code_interpreter.execution import Limits, WithoutSandbox
from assistants_tui.engine.models.provider import ModelProvider
from assistants_tui.engine.store.clock import Clock, SystemClock
from assistants_tui.protocol import limits


@dataclass(frozen=True)
class EngineSettings:
    """Where the engine keeps its data, what it answers with, and whom it lets in."""

    data_dir: Path
    database_url: str | None = field(default=None, repr=False)
    """An SQLAlchemy URL of an asynchronous driver; without it an SQLite file in `data_dir`."""
    providers: Sequence[ModelProvider] = ()
    """Where the models are, each under another name. None: the offline tutor answers."""
    default_model: str | None = None
    """Answers for the name `default` and for names that no provider knows. None: see `ModelRouter`."""
    api_keys: Mapping[str, str] | Path | None = field(default=None, repr=False)
    """API keys and the owner of each, or a file of them (see `api.auth`). None: everyone is one owner."""
    any_user: bool = False
    """Whether, without keys, programs of other users of this computer may use the engine. A server can tell
    them by the `peer` in the state of a request's scope (see `api.access`)."""
    host_names: tuple[str, ...] = ()
    """Names in small letters by which an engine without keys may be called beside its address and
    `localhost`, such as that of a reverse proxy."""
    web_origins: tuple[str, ...] = ()
    """Web pages that may use the engine from a browser, by their origin, such as `https://example.org`."""
    allow_input_download: bool = True
    """Whether users may download their own uploads of purpose `assistants` and `user_data`."""
    starter_assistants: bool = False
    """Whether a new store begins with the assistants of `seed`."""
    max_file_bytes: int = limits.MAX_FILE_BYTES
    file_quota_bytes: int = 100 * 1024**3
    """What the files of one owner may take together."""
    attach_requests_per_minute: int | None = 300
    """How many requests may attach files to one vector store, as in the guide of file search. None: any."""
    sandbox: str = "auto"
    """How code is confined: `auto`, the name of a sandbox, or `none` for no code at all."""
    without_sandbox: WithoutSandbox = "refuse"
    """What becomes of code where that sandbox cannot be had."""
    code_limits: Limits = field(default_factory=Limits)
    module_advice: Mapping[str, str] = field(default_factory=dict)
    """What code is told that misses one of these modules, as a sentence: how the module gets here."""
    clock: Clock = field(default_factory=SystemClock, repr=False)
