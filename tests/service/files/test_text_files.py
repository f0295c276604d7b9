"""Text files that the user names are written whole, for the user alone, and over nothing unasked."""

import stat
from pathlib import Path

import pytest

from assistants_tui.service.files.text_files import read_text, write_text


async def test_a_new_file_is_the_users_alone_and_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    path = await write_text(str(tmp_path / "new" / "a.toml"), "one\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with pytest.raises(FileExistsError):
        await write_text(str(path), "two\n")
    assert await read_text(str(path)) == "one\n"
    await write_text(str(path), "2\n", replace=True)
    assert await read_text(str(path)) == "2\n"
