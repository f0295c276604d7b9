"""Bytes that a killed engine left behind."""

import os
from pathlib import Path

import pytest

from assistants_tui.engine.app import EngineSettings
from assistants_tui.engine.housekeeping import Housekeeping
from assistants_tui.engine.store.blobs import BlobStore
from assistants_tui.engine.store.database import Database
from support.engine import ManualClock, make, open_engine, upload
from support.patience import until

YOUNG = b"y" * 100_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(4_000_000_000.0)  # long after the files of this test are written


async def test_only_what_nothing_refers_to_is_removed(
    engine_settings: EngineSettings, clock: ManualClock
) -> None:
    root = engine_settings.data_dir / "files"
    async with open_engine(engine_settings) as http:
        await upload(http, data=b"kept")
        begun = await make(http, "/uploads", filename="x", bytes=9, mime_type="t", purpose="assistants")
        await http.post(f"/uploads/{begun['id']}/parts", files={"data": ("part", b"kept too")})
    blobs = BlobStore(root)
    finished = blobs.writer(9)
    await finished.write(b"lost")
    await finished.finish()
    # more bytes than a file object holds back
    killed, young = blobs.writer(len(YOUNG)), blobs.writer(len(YOUNG))
    await killed.write(b"k" * len(YOUNG))
    await young.write(YOUNG)
    for path in root.rglob("*"):
        if path.is_file() and path.read_bytes() == YOUNG:
            os.utime(path, (clock.now, clock.now))
    database = await Database.open(engine_settings.data_dir)
    await Housekeeping(database, blobs, clock).remove_orphans()
    await database.close()
    await killed.discard()
    await young.finish()
    assert contents(root) == {b"kept", b"kept too", YOUNG}


def contents(root: Path) -> set[bytes]:
    return {path.read_bytes() for path in root.rglob("*") if path.is_file()}


async def test_a_duty_that_fails_keeps_no_other_from_being_done(
    engine_settings: EngineSettings, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    root = engine_settings.data_dir / "files"
    unreadable = root / "00" / "loop"
    unreadable.parent.mkdir(parents=True)
    unreadable.symlink_to(unreadable)  # stat fails with ELOOP
    async with open_engine(engine_settings) as http:
        expiry = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
        await upload(http, data=b"short-lived", **expiry)
        assert b"short-lived" in contents(root)
        clock.advance(3600)
        await until("the file has gone", lambda: b"short-lived" not in contents(root))
    assert "tidying the store failed" in caplog.text
