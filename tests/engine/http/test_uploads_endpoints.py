"""Uploads in parts: joined in the order asked for, checked, and over when their hour is."""

import asyncio
import hashlib
import os
from pathlib import Path

import httpx2
import pytest
from openai import AsyncOpenAI

from assistants_tui.engine.app import EngineSettings
from assistants_tui.protocol.objects import Json
from support.engine import ManualClock, error_of, make


def blobs(settings: EngineSettings) -> list[Path]:
    return [path for path in (settings.data_dir / "files").rglob("*") if path.is_file()]


async def begin(http: httpx2.AsyncClient, size: int = 6, **changes: object) -> Json:
    body = {"filename": "a.txt", "bytes": size, "mime_type": "text/plain", "purpose": "assistants"}
    return await make(http, "/uploads", **(body | changes))


async def add(http: httpx2.AsyncClient, upload: Json, data: bytes) -> httpx2.Response:
    return await http.post(f"/uploads/{upload['id']}/parts", files={"data": ("part", data)})


async def complete(http: httpx2.AsyncClient, upload: Json, parts: list[str], **more: str) -> httpx2.Response:
    return await http.post(f"/uploads/{upload['id']}/complete", json={"part_ids": parts} | more)


async def test_parts_in_any_order(
    http: httpx2.AsyncClient, engine_settings: EngineSettings, clock: ManualClock
) -> None:
    upload = await begin(http, expires_after={"anchor": "created_at", "seconds": 7200})
    assert upload == {
        "id": upload["id"],
        "object": "upload",
        "created_at": int(clock.now),
        "expires_at": int(clock.now) + 3600,
        "bytes": 6,
        "filename": "a.txt",
        "purpose": "assistants",
        "status": "pending",
        "file": None,
    }
    second, first = await asyncio.gather(add(http, upload, b"def"), add(http, upload, b"abc"))
    part = second.json()
    assert (part["object"], part["upload_id"]) == ("upload.part", upload["id"])
    md5 = hashlib.md5(b"abcdef", usedforsecurity=False).hexdigest()
    done = await complete(http, upload, [first.json()["id"], part["id"]], md5=md5)
    file = done.json()["file"]
    assert done.json() == upload | {"status": "completed", "file": file}
    assert (file["bytes"], file["expires_at"]) == (6, int(clock.now) + 7200)
    assert (await http.get(f"/files/{file['id']}/content")).content == b"abcdef"
    assert len(blobs(engine_settings)) == 1


async def test_sdk_helper(http: httpx2.AsyncClient) -> None:
    sdk = AsyncOpenAI(api_key="any", base_url="http://localhost/v1", http_client=http)
    data = bytes(range(256)) * 40
    upload = await sdk.uploads.upload_file_chunked(
        file=data, filename="x.bin", bytes=len(data), mime_type="t", purpose="user_data", part_size=1000
    )
    assert upload.file is not None
    assert (await sdk.files.content(upload.file.id)).content == data


async def test_what_does_not_fit_together(http: httpx2.AsyncClient, engine_settings: EngineSettings) -> None:
    upload = await begin(http)
    part = (await add(http, upload, b"abcde")).json()["id"]
    for parts, words in (
        ([part], "5 bytes together, but the upload was announced with 6"),
        ([part, part], "named twice"),
        ([part, "part_x"], "No such part in this upload: part_x"),
        ([], "empty array"),
    ):
        refused = await complete(http, upload, parts)
        assert (refused.status_code, error_of(refused)["param"]) == (400, "part_ids")
        assert words in error_of(refused)["message"]
    too_much = await add(http, upload, b"fg")
    assert "7 bytes together" in error_of(too_much)["message"]
    last = (await add(http, upload, b"f")).json()["id"]
    damaged = await complete(http, upload, [part, last], md5="0" * 32)
    assert error_of(damaged)["param"] == "md5"
    assert len(blobs(engine_settings)) == 2
    good = hashlib.md5(b"abcdef", usedforsecurity=False).hexdigest().upper()
    assert (await complete(http, upload, [part, last], md5=good)).status_code == 200


async def test_nothing_after_the_end(http: httpx2.AsyncClient, engine_settings: EngineSettings) -> None:
    upload = await begin(http, size=1)
    part = (await add(http, upload, b"a")).json()["id"]
    await complete(http, upload, [part])
    cancelled = await begin(http, size=1)
    await add(http, cancelled, b"a")
    answer = await http.post(f"/uploads/{cancelled['id']}/cancel")
    assert answer.json() == cancelled | {"status": "cancelled"}
    for ended, status in ((upload, "completed"), (cancelled, "cancelled")):
        answers = [
            await add(http, ended, b"b"),
            await complete(http, ended, [part]),
            await http.post(f"/uploads/{ended['id']}/cancel"),
        ]
        assert {answer.status_code for answer in answers} == {400}
        assert {f"is {status}" in error_of(answer)["message"] for answer in answers} == {True}
    assert len(blobs(engine_settings)) == 1


async def test_only_one_completion_wins(http: httpx2.AsyncClient, engine_settings: EngineSettings) -> None:
    upload = await begin(http, size=1)
    part = (await add(http, upload, b"a")).json()["id"]
    answers = await asyncio.gather(*(complete(http, upload, [part]) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    assert len((await http.get("/files")).json()["data"]) == 1
    assert len(blobs(engine_settings)) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
async def test_an_upload_that_ends_while_its_parts_are_joined(
    http: httpx2.AsyncClient, engine_settings: EngineSettings
) -> None:
    upload = await begin(http, size=2)
    first = (await add(http, upload, b"a")).json()["id"]
    [path] = blobs(engine_settings)
    second = (await add(http, upload, b"b")).json()["id"]
    path.unlink()
    os.mkfifo(path)  # whoever reads the first part waits until it is written here
    completing = asyncio.create_task(complete(http, upload, [first, second]))
    with await asyncio.to_thread(path.open, "wb") as pipe:
        await http.post(f"/uploads/{upload['id']}/cancel")
        pipe.write(b"a")
    refused = await completing
    assert refused.status_code == 400
    assert error_of(refused)["message"].endswith("is cancelled; only a pending one can be changed.")
    assert blobs(engine_settings) == []


async def test_expired_upload(
    http: httpx2.AsyncClient, engine_settings: EngineSettings, clock: ManualClock
) -> None:
    upload = await begin(http)
    await add(http, upload, b"abc")
    clock.now += 3599
    assert (await add(http, upload, b"d")).status_code == 200
    clock.now += 1
    refused = await add(http, upload, b"e")
    assert "is expired" in error_of(refused)["message"]
    async with asyncio.timeout(20):
        while blobs(engine_settings):
            clock.advance(60)
            await asyncio.sleep(0)


async def test_part_limit(http: httpx2.AsyncClient, engine_settings: EngineSettings) -> None:
    upload = await begin(http, size=200 * 2**20)
    assert (await add(http, upload, b"x" * 64 * 2**20)).status_code == 200
    refused = await add(http, upload, b"x" * (64 * 2**20 + 1))
    assert (refused.status_code, error_of(refused)["param"]) == (413, "data")
    assert len(blobs(engine_settings)) == 1


@pytest.mark.parametrize("purpose", ["world_domination"])
async def test_purpose(http: httpx2.AsyncClient, purpose: str) -> None:
    body = {"filename": "a", "bytes": 1, "mime_type": "t", "purpose": purpose}
    assert error_of(await http.post("/uploads", json=body))["param"] == "purpose"
