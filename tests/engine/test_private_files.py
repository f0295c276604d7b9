"""What an engine writes is its user's alone, whatever the umask lets others do."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.engine import make, settled, upload
from support.engines import engine, names


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("no_umask")
async def test_nobody_else_can_read_anything(tmp_path: Path) -> None:
    async with engine(tmp_path / "made" / "too" / "data", tutor=True) as served:
        file = await upload(served.http)
        store = await make(served.http, "/vector_stores", file_ids=[file["id"]])
        await settled(served.http, f"/vector_stores/{store['id']}/files/{file['id']}")
        await make(served.http, f"/vector_stores/{store['id']}/search", query="rent")
        resources = {"code_interpreter": {"file_ids": [file["id"]]}}
        tools = [{"type": "code_interpreter"}]
        assistant = await served.assistant(model="tutor", tools=tools, tool_resources=resources)
        events = await served.run(await served.thread("Solve 3x + 11 = 14."), assistant)
        assert names(events)[-2] == "run.completed"
        open_to_others = [
            f"{path.relative_to(tmp_path)} {stat.filemode(path.stat().st_mode)}"
            for path in tmp_path.rglob("*")
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        ]
        written = {path.name for path in tmp_path.rglob("*")}
    assert open_to_others == []
    assert {"meta.json", "copied.json"} <= written  # of the word index, and of the session
