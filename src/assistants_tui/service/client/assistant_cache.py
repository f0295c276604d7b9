"""The assistants that a profile had last time, so that the list is there before the server answers."""

import json
from pathlib import Path

from assistants_tui.protocol.objects import Assistant
from assistants_tui.service.required_fields import MalformedError, checked
from assistants_tui.settings.config import Profile
from assistants_tui.settings.files import SettingsError, locked, write_atomic
from assistants_tui.settings.paths import Paths


def cached_assistants(paths: Paths, profile: Profile) -> list[Assistant]:
    """What `remember_assistants` kept for this profile; empty if it meant another server then."""
    try:
        stored = json.loads(_file(paths, profile).read_bytes())
    except (OSError, ValueError):
        return []
    if not isinstance(stored, dict) or stored.get("server") != _server(profile):
        return []
    assistants = stored.get("assistants")
    if not isinstance(assistants, list):
        return []
    try:
        return [checked(Assistant, assistant) for assistant in assistants]
    except MalformedError:  # of another version
        return []


def remember_assistants(paths: Paths, profile: Profile, assistants: list[Assistant]) -> None:
    """Keep the list. A disk that refuses is no error: the list is only missed at the next start."""
    file = _file(paths, profile)
    data = json.dumps({"server": _server(profile), "assistants": assistants}).encode()
    try:
        with locked(file):
            if not file.exists() or file.read_bytes() != data:
                write_atomic(file, data)
    except (SettingsError, OSError):
        return


def _file(paths: Paths, profile: Profile) -> Path:
    return paths.cache_dir / "assistants" / f"{profile.name}.json"


def _server(profile: Profile) -> str:
    return " ".join(
        part or "-"
        for part in (profile.kind, profile.base_url, profile.azure_endpoint, profile.project_endpoint)
    )
