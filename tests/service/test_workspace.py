"""A workspace is closed as a whole, whatever its parts do."""

import asyncio

import pytest

from assistants_tui.settings.paths import Paths
from support.workspaces import connected


async def test_who_gives_up_closing_leaves_nothing_half_closed(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await connected(paths)
    impatient = asyncio.create_task(opened.close())
    await asyncio.sleep(0)
    impatient.cancel()
    monkeypatch.setattr(opened.file_names, "close", failing)  # a part that breaks costs no other its end
    with pytest.raises(OSError, match="disk"):
        await opened.close()
    assert impatient.cancelled()
    assert not opened._connection.is_open


async def failing() -> None:
    raise OSError("the disk is gone")
