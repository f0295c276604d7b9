"""Uploads the files of a message before it is posted."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from assistants_tui.service.conversation.outbox import Outgoing
from assistants_tui.service.files.attachments import Use, purpose

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend


async def upload_files(
    backend: "Backend", item: Outgoing, update: Callable[..., object]
) -> Mapping[int, str]:
    """Upload the files of an item that the server does not have from an earlier try.

    Returns the IDs of its files by their place in the draft. `update` sets fields of the item: `file_ids` and
    `uploading`. Raises `ServiceError`.
    """
    file_ids = dict(item.file_ids)
    for place, file in enumerate(item.draft.files):
        if place in file_ids or file.use is Use.TEXT:
            continue
        if file.file_id is not None:
            file_ids[place] = file.file_id
        else:
            assert file.path is not None and file.use is not None  # no other file has an ID
            update(uploading=(file.name, 0))
            progress = _progress(file.name, update)
            uploaded = await backend.files.upload(file.path, purpose=purpose(file.use), progress=progress)
            file_ids[place] = uploaded["id"]
        update(file_ids=dict(file_ids), uploading=None)
    return file_ids


def _progress(name: str, update: Callable[..., object]) -> Callable[[int, int | None], None]:
    """Shows how much of a file is through, in percent."""
    shown = 0

    def progress(done: int, total: int | None) -> None:
        nonlocal shown
        percent = min(100, 100 * done // total) if total else 0
        if percent != shown:
            shown = percent
            update(uploading=(name, percent))

    return progress
