"""The settings of a provider of models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from assistants_tui.settings.setting_fields import declare
from assistants_tui.settings.value_types import (
    Choice,
    Flag,
    Headers,
    JsonTable,
    Number,
    Text,
    Url,
    Variable,
    Words,
)

ProviderKind = Literal["chat", "responses"]
"""What a provider of models speaks: chat completions, or the Responses API."""


@dataclass(frozen=True)
class ProviderSettings:
    """`[models.NAME]`: a provider of models. Those of all providers serve every embedded profile."""

    name: str
    """Comes before the names of its models, as in `ollama/llama3.2`."""
    url: str = field(
        metadata=declare(
            Url(),
            "The address of an OpenAI-compatible endpoint, mostly ending with /v1.",
            example="http://localhost:11434/v1",
            required=True,
        )
    )
    kind: ProviderKind = field(
        default="chat",
        metadata=declare(
            Choice(get_args(ProviderKind)),
            "What it speaks: chat completions; the Responses API cannot be used yet.",
        ),
    )
    key_env: str | None = field(
        default=None,
        metadata=declare(
            Variable(),
            "The environment variable with its key; OPENAI_API_KEY is for api.openai.com alone.",
            example="MODEL_KEY",
        ),
    )
    default_model: str | None = field(
        default=None,
        metadata=declare(
            Text(),
            "Its model for names that it does not know; without it the first one that it lists.",
            example="llama3.2",
        ),
    )
    context: int | None = field(
        default=None,
        metadata=declare(
            Number(256, 100_000_000, "tokens", whole=True),
            "What its models can read, where the server does not say it.",
            example=32_768,
        ),
    )
    headers: Mapping[str, str] = field(
        default_factory=dict,
        repr=False,
        metadata=declare(
            Headers(),
            "Headers of every request; $ takes a value from your environment.",
            example={"HTTP-Referer": "https://example.org"},
        ),
    )
    body: Mapping[str, Any] = field(
        default_factory=dict,
        metadata=declare(
            JsonTable(("model", "messages", "stream", "tools")),
            "Further fields of every chat request.",
            example={"top_k": 40},
        ),
    )
    allow: tuple[str, ...] = field(
        default=(),
        metadata=declare(
            Words(), "The only models that may be used; without it all.", example=["llama3.2", "qwen3"]
        ),
    )
    embeddings: str | None = field(
        default=None,
        metadata=declare(
            Text(),
            "Its model with which file search finds by meaning, too.",
            example="nomic-embed-text",
        ),
    )
    embeddings_url: str | None = field(
        default=None,
        metadata=declare(
            Url(),
            "The address for embeddings where it is another one; the key goes there only at the same host.",
            example="http://localhost:8081/v1",
        ),
    )
    allow_plain_http: bool = field(
        default=False,
        metadata=declare(Flag(), "Whether its key may go to another computer without encryption."),
    )

    @property
    def table(self) -> str:
        """Its table in config.toml."""
        return f"models.{self.name}"

    @property
    def stored_name(self) -> str:
        """The name of its key in the key store; no profile can have it."""
        return self.table

    @property
    def key_setting(self) -> str:
        """The setting that names the environment variable with the key."""
        return "key_env"

    @property
    def key_variable(self) -> str | None:
        """The environment variable that holds the key."""
        return self.key_env

    @property
    def address(self) -> str:
        """The URL that gets the key."""
        return self.url
