"""state.toml: how the program was left, small enough to be read before the first frame.

What grows has files of its own: see `drafts` and `prompts`. Losing state.toml loses no work.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assistants_tui.settings import drafts, prompts
from assistants_tui.settings.files import locked, write_atomic
from assistants_tui.settings.toml_text import parse_toml


@dataclass(frozen=True)
class ProfileState:
    """What was open last in one profile."""

    last_thread: str | None = None
    last_assistant: str | None = None
    tokens_used: int = 0
    """Tokens used so far, counted against `runs.token_balance`."""
    first_message: str | None = None
    """The message at the top of the view, where the last thread was not read at its end."""


@dataclass(frozen=True)
class AppState:
    """How the user left the program."""

    last_profile: str | None = None
    theme: str | None = None
    pane_sizes: Mapping[str, int] = field(default_factory=dict)
    """Columns or rows of each pane that the user resized, by pane ID."""
    hidden_panes: frozenset[str] = frozenset()
    focus: str | None = None
    """ID of the widget that had the keys."""
    recent_commands: tuple[str, ...] = ()
    """IDs of the commands that were chosen by name, the newest first."""
    profiles: Mapping[str, ProfileState] = field(default_factory=dict)

    def profile(self, name: str) -> ProfileState:
        return self.profiles.get(name, ProfileState())

    def with_profile(self, name: str, state: ProfileState) -> "AppState":
        return replace(self, profiles={**self.profiles, name: state})


_RECENT = 8
"""Commands that are remembered."""


def used_last(command: str, before: Sequence[str]) -> tuple[str, ...]:
    """The commands used last, once `command` was used too: the newest first, and each once."""
    return (command, *(one for one in before if one != command))[:_RECENT]


def load_state(path: Path) -> AppState:
    """Read `path`. What is missing or damaged gets its default; nothing raises."""
    return _state(_read(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(path.read_bytes().decode())
    except (OSError, ValueError):
        return {}


def _state(table: Mapping[str, Any]) -> AppState:
    profiles = {
        name: ProfileState(
            last_thread=_text(entry.get("last_thread")),
            last_assistant=_text(entry.get("last_assistant")),
            tokens_used=_count(entry.get("tokens_used")) or 0,
            first_message=_text(entry.get("first_message")),
        )
        for name, entry in _dict(table.get("profiles")).items()
        if isinstance(entry, dict)
    }
    sizes = {name: size for name, value in _dict(table.get("pane_sizes")).items() if (size := _count(value))}
    return AppState(
        last_profile=_text(table.get("last_profile")),
        theme=_text(table.get("theme")),
        pane_sizes=sizes,
        hidden_panes=frozenset(_texts(table.get("hidden_panes"))),
        focus=_text(table.get("focus")),
        recent_commands=tuple(_texts(table.get("recent_commands")))[:_RECENT],
        profiles=profiles,
    )


def update_state(path: Path, change: Callable[[AppState], AppState]) -> AppState:
    """Apply `change` to what the file holds now, write it, and return it.

    Reading again first keeps what another window has written. Blocks on the disk: in an event loop, run it in
    a thread. Raises `SettingsError` if the file cannot be written.
    """
    import tomli_w  # only needed here, and not for the first frame

    with locked(path):
        table = _read(path)
        old = _state(table)
        new = change(old)
        if new != old or not path.exists():
            write_atomic(path, tomli_w.dumps(_merged(_table(new), _earlier(table))).encode())
    return new


def take_over(path: Path) -> None:
    """Move what earlier versions kept in state.toml to the files where it is now; once, and nothing is lost.

    Blocks on the disk. Raises `SettingsError` if it cannot be written: then it stays, for the next try.
    """
    if not _earlier(_read(path)):
        return
    import tomli_w

    with locked(path):
        table = _read(path)
        _move(table, path)
        write_atomic(path, tomli_w.dumps(_table(_state(table))).encode())


def _earlier(table: Mapping[str, Any]) -> dict[str, Any]:
    """What earlier versions kept in this file and is kept elsewhere now."""
    drafts_of = {
        name: {"drafts": _dict(entry)["drafts"]}
        for name, entry in _dict(table.get("profiles")).items()
        if "drafts" in _dict(entry)
    }
    prompts_here = {"prompts": table["prompts"]} if "prompts" in table else {}
    return {**prompts_here, **({"profiles": drafts_of} if drafts_of else {})}


def _merged(table: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Both tables, and those in them."""
    both = {
        name: _merged(table[name], more[name])
        for name in table.keys() & more.keys()
        if isinstance(table[name], dict) and isinstance(more[name], dict)
    }
    return {**more, **table, **both}


def _move(table: Mapping[str, Any], path: Path) -> None:
    """Bring prompts and drafts of this file to where they are now. A draft that is there already is newer."""
    if sent := _texts(table.get("prompts")):
        prompts.add_prompts(path.with_name(prompts.NAME), *sent)
    folder = path.with_name(drafts.NAME)
    for profile, entry in _dict(table.get("profiles")).items():
        for thread_id, value in _dict(_dict(entry).get("drafts")).items():
            if drafts.load_draft(folder, profile, thread_id).empty:
                drafts.save_draft(folder, profile, thread_id, drafts.parsed_draft(value))


def _table(state: AppState) -> dict[str, Any]:
    table: dict[str, Any] = {
        "last_profile": state.last_profile,
        "theme": state.theme,
        "hidden_panes": sorted(state.hidden_panes),
        "focus": state.focus,
        "recent_commands": list(state.recent_commands),
        "pane_sizes": dict(state.pane_sizes),
        "profiles": {
            name: _without_none(
                {
                    "last_thread": profile.last_thread,
                    "last_assistant": profile.last_assistant,
                    "tokens_used": profile.tokens_used,
                    "first_message": profile.first_message,
                }
            )
            for name, profile in state.profiles.items()
        },
    }
    return _without_none(table)


def _without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
