"""The commented config.toml that is written at first, made from the table of settings."""

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assistants_tui.settings.config import LOCAL, PROFILE_KINDS, SECTIONS, Profile, ProfileKind
from assistants_tui.settings.files import locked, write_atomic
from assistants_tui.settings.mcp_server import McpServer
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.setting_fields import Declaration, declared, for_kind
from assistants_tui.settings.toml_text import line_of
from assistants_tui.settings.value_types import Choice

_HEAD = """\
# Settings of assistants-tui. It reads them when it starts and after you have edited them in the app.
# F5 in the app shows and changes them; whatever else you write here stays as it is.
"""
_PROFILES: Mapping[ProfileKind, tuple[str, str]] = {
    "embedded": (LOCAL.name, "This one runs the server inside the program."),
    "openai": ("team", "A server that speaks the Assistants API, such as `assistants-tui serve` elsewhere:"),
    "azure": ("azure", "Azure OpenAI, while its Assistants API lasts:"),
    "foundry": ("foundry", "Azure AI Foundry agents (classic), while they last:"),
}
"""For each kind of profile the name of an example and what it is."""
_WIDTH, _COLUMN = 110, 34
"""Of the file, and of its comments behind settings."""


def create_config(path: Path) -> bool:
    """Write a commented file if there is none yet. Returns whether it was written."""
    if path.exists():
        return False
    with locked(path):
        if path.exists():
            return False
        write_atomic(path, template().encode())
    return True


def template() -> str:
    """The file of somebody who has configured nothing, with all that can be said in comments."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for section in SECTIONS:
        about = _comment(section.about)
        if section.settings is Profile:
            yield about.rstrip("\n")
            for kind in PROFILE_KINDS:
                name, what = _PROFILES[kind]
                first = "" if kind == "embedded" else "# "
                lines = f'{first}[profiles.{name}]\n{first}kind = "{kind}"\n'
                yield _comment(what) + lines + _offered(for_kind(Profile, kind), but="kind")
        elif section.settings is McpServer:
            examples = {"files": "program", "team": "address"}
            tables = [
                f"# [mcp.{name}]\n{_offered(for_kind(McpServer, kind))}" for name, kind in examples.items()
            ]
            yield about + "".join(tables)
        elif section.settings is ProviderSettings:
            yield f"{about}# [{section.name}.ollama]\n{_offered(declared(ProviderSettings))}"
        elif section.many:
            yield f'{about}# [{section.name}."gpt-4o"]\n{_offered(declared(section.settings))}'
        else:
            own = f"# A profile may have its own: [profiles.{LOCAL.name}.{section.name}]\n"
            head = f"[{section.name}]\n" if section.name else ""
            yield about + own * section.in_profiles + head + _offered(declared(section.settings))
    yield '# Keys of your own; F5 shows the names of the actions.\n[keys]\n# "app.quit" = "ctrl+q"\n'


def _offered(settings: Mapping[str, Declaration], *, but: str = "") -> str:
    return "".join(_offer(setting) for name, setting in settings.items() if name != but)


def _offer(setting: Declaration) -> str:
    """A setting in a comment, with its default or an example, and behind it what it means."""
    value: Any = setting.example if setting.default in (None, ()) else setting.default
    if value is None:
        value = "…"
    line = f"# {line_of(setting.name, value)}".ljust(_COLUMN - 2)
    room = _WIDTH - _COLUMN - 2
    words = setting.help_with_unit
    if isinstance(setting.type, Choice):
        words = f"{words} {setting.type.allowed.capitalize()}."
    if len(line) > _COLUMN - 2:  # no room behind it
        return _comment(words, indent="  ") + f"{line}\n"
    first, *rest = textwrap.wrap(words, room)
    return "".join([f"{line}  # {first}\n", *(f"#{' ' * (_COLUMN - 1)}# {text}\n" for text in rest)])


def _comment(text: str, indent: str = "") -> str:
    return "".join(f"# {indent}{line}\n" for line in textwrap.wrap(text, _WIDTH - 2 - len(indent)))
