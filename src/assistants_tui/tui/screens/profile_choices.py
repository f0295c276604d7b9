"""What can be connected, as the wizard offers it, and the fields that each needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from assistants_tui.service.client.local_model_servers import KNOWN_ENDPOINTS, FoundEndpoint
from assistants_tui.settings.config import ProfileKind


@dataclass(frozen=True, slots=True)
class ProfileField:
    """A line of the wizard's form. The field `key` holds the key itself, and is no setting."""

    label: str
    hint: str


FIELDS: Mapping[str, ProfileField] = {
    "name": ProfileField("Name", "What you call it: letters, digits, “-” and “_”"),
    "url": ProfileField("Address", "The part before /chat/completions, mostly ending with /v1"),
    "base_url": ProfileField("Address", "Of the Assistants API, mostly ending with /v1"),
    "azure_endpoint": ProfileField("Address", "https://NAME.openai.azure.com"),
    "project_endpoint": ProfileField("Address", "https://NAME.services.ai.azure.com/api/projects/PROJECT"),
    "api_version": ProfileField("API version", "The version to ask for"),
    "key": ProfileField("Key", "It goes into the key store of this system, never into a file"),
    "key_env": ProfileField("or variable", "Name of an environment variable that holds the key"),
    "api_key_env": ProfileField("or variable", "Name of an environment variable that holds the key"),
    "token_command": ProfileField("or command", "Prints an access token of Entra ID"),
    "default_model": ProfileField("Model", "The one to begin with; may be empty"),
    "embeddings": ProfileField("Embedding model", "With one, file search finds by meaning too"),
    "organization": ProfileField("Organization", "May be empty"),
    "project": ProfileField("Project", "May be empty"),
}
_ENDPOINT = ("url", "key", "key_env", "default_model", "embeddings")

ChoiceKind = ProfileKind | Literal["provider"]
"""A provider of models, or the kind of a profile; `embedded` is the offline tutor, which needs no form."""


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """One thing to connect to."""

    label: str
    about: str
    name: str
    """The name that is suggested for the profile or provider."""
    kind: ChoiceKind
    fields: Sequence[str]
    """Names in `FIELDS`, in the order of the form; the name comes before them."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """What stands in the fields at first."""
    models: Sequence[str] = ()
    """The models that were found there."""

    @property
    def address(self) -> str | None:
        """The field that says where the server is."""
        return next((name for name in self.fields if FIELDS[name].label == "Address"), None)


def choices(found: Sequence[FoundEndpoint] | None) -> list[ProfileChoice]:
    """What is offered. `found` are model servers of this computer, None while they are looked for."""
    here = {endpoint.url: endpoint for endpoint in found or ()}
    local = [
        ProfileChoice(
            known.name,
            _about(here.get(known.url), found is None, known.url),
            known.provider,
            "provider",
            _ENDPOINT,
            {"url": known.url},
            here[known.url].models if known.url in here else (),
        )
        for known in KNOWN_ENDPOINTS
    ]
    local.sort(key=lambda choice: choice.texts["url"] not in here)
    return [*local, *_OTHERS]


def _about(endpoint: FoundEndpoint | None, looking: bool, url: str) -> str:
    if endpoint is not None:
        count = len(endpoint.models)
        return f"running, {count} model{'' if count == 1 else 's'}"
    return "looking…" if looking else f"not found at {url.removeprefix('http://')}"


_OTHERS = (
    ProfileChoice(
        "OpenAI",
        "its models; your assistants stay here",
        "openai",
        "provider",
        _ENDPOINT,
        {"url": "https://api.openai.com/v1", "key_env": "OPENAI_API_KEY"},
    ),
    ProfileChoice(
        "Another model endpoint",
        "for OpenAI's chat completions",
        "models",
        "provider",
        _ENDPOINT,
    ),
    ProfileChoice(
        "Offline tutor",
        "answers by rules, without a network",
        "tutor",
        "embedded",
        (),
    ),
    ProfileChoice(
        "Assistants API server",
        "such as assistants-tui serve elsewhere",
        "server",
        "openai",
        ("base_url", "key", "api_key_env", "organization", "project", "default_model"),
    ),
    ProfileChoice(
        "Azure OpenAI",
        "its Assistants API, while it lasts",
        "azure",
        "azure",
        ("azure_endpoint", "api_version", "key", "api_key_env", "token_command", "default_model"),
        {"api_version": "2024-05-01-preview"},
    ),
    ProfileChoice(
        "Azure AI Foundry",
        "agents (classic), until 2027-03-31",
        "foundry",
        "foundry",
        ("project_endpoint", "api_version", "key", "api_key_env", "token_command", "default_model"),
        {
            "api_version": "v1",
            "token_command": "az account get-access-token --resource https://ai.azure.com "
            "--query accessToken --output tsv",
        },
    ),
)
