"""Names of files by their IDs."""

import asyncio
from pathlib import Path

from assistants_tui.service.changes import Changed
from assistants_tui.service.workspace import Workspace
from support.workspaces import backend


async def test_file_names_are_asked_for_once_and_deleted_files_keep_their_ids(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("text")
    server = await backend(workspace)
    file = await server.files.upload(tmp_path / "a.txt")
    told: list[Changed] = []
    known = asyncio.Event()

    def changed(what: Changed) -> None:
        told.append(what)
        known.set()

    workspace.feed.subscribe(changed)
    assert workspace.file_names.name(file["id"]) == file["id"]
    await known.wait()
    assert workspace.file_names.name(file["id"]) == "a.txt"
    assert told == [Changed.FILES]
    assert await workspace.file_names.names([file["id"], "file-gone"]) == {file["id"]: "a.txt"}
