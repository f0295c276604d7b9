"""Workspaces of the service on the embedded engine."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from assistants_tui.service import message_text
from assistants_tui.service.client.backend import Backend
from assistants_tui.service.drafts import Draft
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.config import LOCAL, Config, Profile, RunSettings
from assistants_tui.settings.paths import Paths, user_paths
from assistants_tui.settings.state import AppState
from support import patience


def paths_below(folder: Path) -> Paths:
    """The user's paths, all below one folder."""
    own = user_paths()
    return replace(
        own,
        config_file=folder / "config" / "config.toml",
        data_dir=folder / "data",
        threads_file=folder / "data" / "threads.toml",
        state_file=folder / "state" / "state.toml",
        cache_dir=folder / "cache",
        downloads_dir=folder / "downloads",
    )


async def connected(paths: Paths, runs: RunSettings | None = None, model_url: str | None = None) -> Workspace:
    profile = replace(LOCAL, runs=runs or RunSettings(), model_url=model_url, default_model="served")
    return await _opened(profile, paths)


async def connected_to(url: str, paths: Paths) -> Workspace:
    """A workspace on a server of the protocol, such as the one of `served`."""
    return await _opened(Profile(name="shared", kind="openai", base_url=f"{url}/v1"), paths)


async def _opened(profile: Profile, paths: Paths) -> Workspace:
    opened = Workspace(profile, paths=paths, config=Config(), state=AppState())
    await opened.session.connect()
    assert opened.session.error is None
    return opened


async def backend(workspace: Workspace) -> Backend:
    return await workspace.session.backend()


def choose(workspace: Workspace, name: str) -> str:
    found = next(key for key, value in workspace.assistants.names.items() if value == name)
    workspace.assistants.choose(found)
    return found


async def settled(workspace: Workspace) -> None:
    """Let what the workspace does beside the conversation come to its end."""
    while workspace._tasks._tasks:
        await workspace._tasks.wait()


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that comes about by itself."""
    await patience.until("what is waited for has come about", condition, seconds=60)


async def turn(workspace: Workspace, text: str) -> None:
    workspace.messages.send(Draft(text))
    await workspace.conversations.shown.settled()
    await settled(workspace)


def texts(workspace: Workspace) -> list[str]:
    return [
        message_text.render_text(message).text
        for message in workspace.conversations.shown.messages.values()
        if message["role"] == "user"
    ]


def cannot_be_written(path: Path) -> Path:
    """Let every write of a file of the user be refused; returns what has to go for that to end."""
    link = path.with_name(f"{path.stem}.previous{path.suffix}")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(path.with_name("nowhere"))
    return link
