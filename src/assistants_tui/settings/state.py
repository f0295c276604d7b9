"""state.toml: what the program remembers between starts. Losing it loses no work."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from assistants_tui.settings.files import locked, write_atomic

MAX_PROMPTS = 200
MAX_PROMPT_CHARS = 20_000
"""Longer prompts are not remembered: they are pasted documents rather than something to send again."""
MAX_DRAFTS = 50
"""Per profile; the oldest are forgotten first."""
MAX_DRAFT_CHARS = 1_000_000
"""A draft may be several messages that did not go out, each of up to 256,000 characters; the rest is cut."""


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file that goes with a draft: one on this machine, or one that the server has already."""

    name: str
    path: str | None = None
    file_id: str | None = None
    use: str | None = None
    """What the user wants to be done with it."""
    pasted: bool = False
    """The program wrote it to keep a long text that was pasted."""


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """What was written and not sent."""

    text: str = ""
    files: tuple[DraftFile, ...] = ()


@dataclass(frozen=True)
class ProfileState:
    """What was open last in one profile."""

    last_thread: str | None = None
    last_assistant: str | None = None
    tokens_used: int = 0
    """Tokens used so far, counted against `runs.token_balance`."""
    first_message: str | None = None
    """The message at the top of the view, where the last thread was not read at its end."""
    drafts: Mapping[str, KeptDraft] = field(default_factory=dict)
    """What was written and not sent, by thread ID; "" stands for the thread to come."""

    def with_draft(self, thread_id: str | None, draft: KeptDraft) -> "ProfileState":
        """Remember what is written in a thread, up to `MAX_DRAFT_CHARS`; an empty draft is forgotten."""
        key = thread_id or ""
        drafts = {other: kept for other, kept in self.drafts.items() if other != key}
        if draft.text.strip() or draft.files:
            drafts[key] = replace(draft, text=draft.text[:MAX_DRAFT_CHARS])
        return replace(self, drafts=dict([*drafts.items()][-MAX_DRAFTS:]))


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
    profiles: Mapping[str, ProfileState] = field(default_factory=dict)
    prompts: tuple[str, ...] = ()
    """What was sent, oldest first; at most `MAX_PROMPTS`."""

    def profile(self, name: str) -> ProfileState:
        return self.profiles.get(name, ProfileState())

    def with_profile(self, name: str, state: ProfileState) -> "AppState":
        return replace(self, profiles={**self.profiles, name: state})

    def with_prompt(self, prompt: str) -> "AppState":
        """Remember a prompt as the newest; the same text before it is forgotten."""
        if not prompt.strip() or len(prompt) > MAX_PROMPT_CHARS:
            return self
        others = tuple(other for other in self.prompts if other != prompt)
        return replace(self, prompts=(*others, prompt)[-MAX_PROMPTS:])


def load_state(path: Path) -> AppState:
    """Read `path`. What is missing or damaged gets its default; nothing raises."""
    try:
        table = tomllib.loads(path.read_bytes().decode())
    except (OSError, ValueError):
        return AppState()
    profiles = {
        name: ProfileState(
            last_thread=_text(entry.get("last_thread")),
            last_assistant=_text(entry.get("last_assistant")),
            tokens_used=_count(entry.get("tokens_used")) or 0,
            first_message=_text(entry.get("first_message")),
            drafts={
                thread: draft
                for thread, value in _dict(entry.get("drafts")).items()
                if (draft := _draft(value)) is not None
            },
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
        profiles=profiles,
        prompts=tuple(_texts(table.get("prompts")))[-MAX_PROMPTS:],
    )


def update_state(path: Path, change: Callable[[AppState], AppState]) -> AppState:
    """Apply `change` to what the file holds now, write it, and return it.

    Reading again first keeps what another window has written. Blocks on the disk: in an event loop, run it in
    a thread. Raises `SettingsError` if the file cannot be written.
    """
    import tomli_w  # only needed here, and not for the first frame

    with locked(path):
        old = load_state(path)
        new = change(old)
        if new != old or not path.exists():
            write_atomic(path, tomli_w.dumps(_table(new)).encode())
    return new


def _table(state: AppState) -> dict[str, Any]:
    table: dict[str, Any] = {
        "last_profile": state.last_profile,
        "theme": state.theme,
        "hidden_panes": sorted(state.hidden_panes),
        "focus": state.focus,
        "prompts": list(state.prompts),
        "pane_sizes": dict(state.pane_sizes),
        "profiles": {
            name: _without_none(
                {
                    "last_thread": profile.last_thread,
                    "last_assistant": profile.last_assistant,
                    "tokens_used": profile.tokens_used,
                    "first_message": profile.first_message,
                    "drafts": {key: _draft_value(draft) for key, draft in profile.drafts.items()} or None,
                }
            )
            for name, profile in state.profiles.items()
        },
    }
    return _without_none(table)


def _draft(value: object) -> KeptDraft | None:
    """A draft as the file has it: a text, or a table where files belong to it."""
    table = {"text": value} if isinstance(value, str) else _dict(value)
    files = table.get("files")
    found = [file for entry in (files if isinstance(files, list) else ()) if (file := _draft_file(entry))]
    draft = KeptDraft(_text(table.get("text")) or "", tuple(found))
    return draft if draft != KeptDraft() else None


def _draft_file(value: object) -> DraftFile | None:
    table = _dict(value)
    name, path, file_id = (_text(table.get(key)) for key in ("name", "path", "file_id"))
    if name is None or (path is None and file_id is None):
        return None
    return DraftFile(name, path, file_id, _text(table.get("use")), table.get("pasted") is True)


def _draft_value(draft: KeptDraft) -> str | dict[str, Any]:
    if not draft.files:
        return draft.text
    return {"text": draft.text, "files": [_without_none(asdict(file)) for file in draft.files]}


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
