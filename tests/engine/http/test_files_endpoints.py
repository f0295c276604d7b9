"""Files: their bytes, purposes, limits, expiry, and what happens where they are used when they go."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from openai import AsyncOpenAI

from assistants_tui.engine.app import EngineSettings
from support.engine import ManualClock, error_of, make, open_engine, upload

BOUNDARY = "limit-of-parts"


def blobs(settings: EngineSettings) -> list[Path]:
    return [path for path in (settings.data_dir / "files").rglob("*") if path.is_file()]


async def gone(paths: list[Path], clock: ManualClock) -> None:
    """Let time pass until the engine has tidied by itself."""
    async with asyncio.timeout(20):
        while any(path.exists() for path in paths):
            clock.advance(60)
            await asyncio.sleep(0)


async def test_bytes_and_object(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    data = bytes(range(256)) * 1000
    file = await upload(http, "speech.py", data)
    assert file == {
        "id": file["id"],
        "object": "file",
        "created_at": int(clock.now),
        "bytes": len(data),
        "filename": "speech.py",
        "purpose": "assistants",
        "status": "processed",
        "status_details": None,
        "expires_at": None,
    }
    assert (await http.get(f"/files/{file['id']}")).json() == file
    content = await http.get(f"/files/{file['id']}/content")
    assert content.content == data
    assert content.headers["content-length"] == str(len(data))
    assert content.headers["content-type"] == "application/octet-stream"


async def test_part_of_the_bytes(http: httpx2.AsyncClient) -> None:
    file = await upload(http, data=b"0123456789")
    part = await http.get(f"/files/{file['id']}/content", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")


async def test_empty_file(http: httpx2.AsyncClient) -> None:
    file = await upload(http, data=b"")
    assert file["bytes"] == 0
    assert (await http.get(f"/files/{file['id']}/content")).content == b""


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a/b\\c.txt",
        "日本語 €.txt",
        "x" * 300 + ".txt",
        "con.txt",
        "\u202etxt.exe",
    ],
)
async def test_names_are_kept_and_never_used(
    http: httpx2.AsyncClient, engine_settings: EngineSettings, name: str
) -> None:
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\nx\r\n'
        f"--{BOUNDARY}--\r\n"
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    file = (await http.post("/files", content=body.encode(), headers=headers)).json()
    assert file["filename"].endswith(name.rpartition("\\")[2])
    [path] = blobs(engine_settings)
    assert path.name.isalnum()
    disposition = (await http.get(f"/files/{file['id']}/content")).headers["content-disposition"]
    assert disposition.isascii()
    assert disposition.isprintable()


@pytest.mark.parametrize("purpose", ["fine-tune", "assistants", "batch", "user_data", "vision", "evals"])
async def test_purposes(http: httpx2.AsyncClient, purpose: str) -> None:
    file = await upload(http, purpose=purpose)
    other = await upload(http, purpose="vision" if purpose == "assistants" else "assistants")
    page = (await http.get("/files", params={"purpose": purpose})).json()
    assert [found["id"] for found in page["data"]] == [file["id"]]
    assert len((await http.get("/files")).json()["data"]) == 2
    assert (await http.get(f"/files/{other['id']}/content")).status_code == 200


@pytest.mark.parametrize("purpose", ["world_domination", "assistants_output", ""])
async def test_unknown_purpose(
    http: httpx2.AsyncClient, engine_settings: EngineSettings, purpose: str
) -> None:
    form = {"purpose": purpose}
    response = await http.post("/files", files={"file": ("x", b"x")}, data=form)
    message = (
        f"'{purpose}' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] "
        "- 'purpose'"
    )
    assert response.status_code == 400
    assert response.json() == {
        "error": {"message": message, "type": "invalid_request_error", "param": "purpose", "code": None},
        "detail": {"message": message, "code": None},
    }
    assert blobs(engine_settings) == []


async def test_forms_with_something_missing(
    http: httpx2.AsyncClient, engine_settings: EngineSettings
) -> None:
    file = {"file": ("x.txt", b"x")}
    for form, param in (
        ({"files": file}, "purpose"),
        ({"files": {"other": b"x"}, "data": {"purpose": "assistants"}}, "file"),
        ({"files": {"file": ("", b"x")}, "data": {"purpose": "assistants"}}, "file"),
        ({"files": file, "data": {"purpose": "assistants", "colour": "red"}}, "colour"),
    ):
        response = await http.post("/files", **form)
        assert (response.status_code, error_of(response)["param"]) == (400, param)
    assert blobs(engine_settings) == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        (f"multipart/form-data; boundary={BOUNDARY}", b"x"),
        (f"multipart/form-data; boundary={BOUNDARY}", b""),
        (
            f"multipart/form-data; boundary={BOUNDARY}",
            b'--limit-of-parts\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nhalf a fi',
        ),
        (f"multipart/form-data; boundary={BOUNDARY}", b"--limit-of-parts\r\n\r\nx\r\n--limit-of-parts--\r\n"),
        (
            f"multipart/form-data; boundary={BOUNDARY}",
            b'--limit-of-parts\r\nContent-Disposition: form-data; name="file"\r\n\r\n\r\n' * 40,
        ),
        (
            f"multipart/form-data; boundary={BOUNDARY}",
            b'--limit-of-parts\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n\xff\xfe\r\n'
            b"--limit-of-parts--\r\n",
        ),
        (
            f"multipart/form-data; boundary={BOUNDARY}",
            b'--limit-of-parts\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n'
            + b"x" * 70_000
            + b"\r\n--limit-of-parts--\r\n",
        ),
    ],
)
async def test_broken_forms(
    http: httpx2.AsyncClient, engine_settings: EngineSettings, content_type: str, body: bytes
) -> None:
    response = await http.post("/files", content=body, headers={"Content-Type": content_type})
    assert response.status_code == 400
    assert "multipart" in error_of(response)["message"]
    assert blobs(engine_settings) == []


def form_around(size: int, piece: bytes) -> AsyncIterator[bytes]:
    async def chunks() -> AsyncIterator[bytes]:
        yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'.encode()
        yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode()
        for _ in range(size // len(piece)):
            yield piece
        yield b"x" * (size % len(piece))
        yield f"\r\n--{BOUNDARY}--\r\n".encode()

    return chunks()


async def test_size_limit(engine_settings: EngineSettings) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    async with open_engine(replace(engine_settings, max_file_bytes=100_000)) as http:
        for size, status in ((100_000, 200), (100_001, 413)):
            response = await http.post("/files", content=form_around(size, b"y" * 7_000), headers=headers)
            assert response.status_code == status
    assert error_of(response)["param"] == "file"
    assert "100000 bytes" in error_of(response)["message"]
    assert len(blobs(engine_settings)) == 1


def test_default_limit_is_that_of_the_hosted_service(tmp_path: Path) -> None:
    settings = EngineSettings(tmp_path)
    assert (settings.max_file_bytes, settings.file_quota_bytes) == (512 * 2**20, 100 * 2**30)


async def test_large_file_is_not_held_in_memory(http: httpx2.AsyncClient) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    tracemalloc.start()
    response = await http.post("/files", content=form_around(64 * 2**20, b"z" * 2**18), headers=headers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert response.json()["bytes"] == 64 * 2**20
    assert peak < 8 * 2**20


async def test_quota(engine_settings: EngineSettings) -> None:
    async with open_engine(replace(engine_settings, file_quota_bytes=10)) as http:
        first = await upload(http, data=b"x" * 10)
        refused = await http.post("/files", files={"file": ("x", b"y")}, data={"purpose": "assistants"})
        assert refused.status_code == 400
        assert "11 bytes of files, but you may store 10" in error_of(refused)["message"]
        begin = {"filename": "x", "bytes": 1, "mime_type": "t", "purpose": "assistants"}
        assert (await http.post("/uploads", json=begin)).status_code == 400
        await http.delete(f"/files/{first['id']}")
        await upload(http, data=b"y")
    assert len(blobs(engine_settings)) == 1


@pytest.mark.parametrize(
    ("anchor", "seconds", "code"),
    [
        ("created_at", "3599", "integer_below_min_value"),
        ("created_at", "2592001", "integer_above_max_value"),
        ("created_at", "soon", "invalid_type"),
        ("last_active_at", "3600", "invalid_value"),
        ("created_at", None, "missing_required_parameter"),
    ],
)
async def test_bad_expiry(http: httpx2.AsyncClient, anchor: str, seconds: str | None, code: str) -> None:
    form = {"purpose": "assistants", "expires_after[anchor]": anchor}
    if seconds is not None:
        form["expires_after[seconds]"] = seconds
    response = await http.post("/files", files={"file": ("x", b"x")}, data=form)
    error = error_of(response)
    assert (response.status_code, error["code"]) == (400, code)
    assert error["param"].startswith("expires_after.")


@pytest.mark.parametrize("seconds", [3600, 2_592_000])
async def test_expired_file_is_gone_everywhere(
    http: httpx2.AsyncClient, engine_settings: EngineSettings, clock: ManualClock, seconds: int
) -> None:
    expiry = {"expires_after[anchor]": "created_at", "expires_after[seconds]": str(seconds)}
    file = await upload(http, "x.txt", b"x", **expiry)
    assert file["expires_at"] == int(clock.now) + seconds
    resources = {"code_interpreter": {"file_ids": [file["id"]]}}
    thread = await make(http, "/threads", tool_resources=resources)
    clock.advance(seconds - 1)
    assert (await http.get(f"/files/{file['id']}")).status_code == 200
    clock.now += 1  # the time has come, but the engine has not tidied yet
    assert (await http.get(f"/files/{file['id']}")).status_code == 404
    assert (await http.get(f"/files/{file['id']}/content")).status_code == 404
    assert (await http.get("/files")).json()["data"] == []
    await gone(blobs(engine_settings), clock)
    emptied = (await http.get(f"/threads/{thread['id']}")).json()["tool_resources"]
    assert emptied == {"code_interpreter": {"file_ids": []}}


async def test_batch_files_expire_by_themselves(http: httpx2.AsyncClient, clock: ManualClock) -> None:
    assert (await upload(http, purpose="batch"))["expires_at"] == int(clock.now) + 30 * 86_400


async def test_deleted_file_is_gone_everywhere(
    http: httpx2.AsyncClient, engine_settings: EngineSettings
) -> None:
    file, kept = await upload(http), await upload(http)
    resources = {"code_interpreter": {"file_ids": [file["id"], kept["id"]]}}
    store = await make(http, "/vector_stores", file_ids=[file["id"], kept["id"]])
    assistant = await make(http, "/assistants", model="m", tool_resources=resources)
    thread = await make(http, "/threads", tool_resources=resources)
    deleted = await http.delete(f"/files/{file['id']}")
    assert deleted.json() == {"id": file["id"], "object": "file", "deleted": True}
    for path in (f"/assistants/{assistant['id']}", f"/threads/{thread['id']}"):
        left = (await http.get(path)).json()["tool_resources"]
        assert left == {"code_interpreter": {"file_ids": [kept["id"]]}}
    page = (await http.get(f"/vector_stores/{store['id']}/files")).json()
    assert [found["id"] for found in page["data"]] == [kept["id"]]
    assert len(blobs(engine_settings)) == 1
    assert (await http.delete(f"/files/{file['id']}")).status_code == 404


async def test_downloads_may_be_closed_as_on_the_hosted_service(engine_settings: EngineSettings) -> None:
    async with open_engine(replace(engine_settings, allow_input_download=False)) as http:
        for purpose, status in (("assistants", 400), ("user_data", 400), ("vision", 200), ("batch", 200)):
            file = await upload(http, purpose=purpose)
            response = await http.get(f"/files/{file['id']}/content")
            assert response.status_code == status
            if status == 400:
                message = f"Not allowed to download files of purpose: {purpose}"
                assert error_of(response)["message"] == message


async def test_list_in_pages(http: httpx2.AsyncClient) -> None:
    made = [(await upload(http, f"{number}.txt"))["id"] for number in range(5)]
    sdk = AsyncOpenAI(api_key="any", base_url="http://localhost/v1", http_client=http)
    assert [file.id async for file in sdk.files.list(limit=2)] == made[::-1]
    assert [file.id async for file in sdk.files.list(limit=2, order="asc")] == made
    page = (await http.get("/files", params={"limit": "2"})).json()
    assert (page["first_id"], page["last_id"], page["has_more"]) == (made[4], made[3], True)
    earlier = (await http.get("/files", params={"limit": "1", "before": made[2]})).json()
    assert [file["id"] for file in earlier["data"]] == [made[3]]


async def test_sdk_reads_bytes(http: httpx2.AsyncClient) -> None:
    sdk = AsyncOpenAI(api_key="any", base_url="http://localhost/v1", http_client=http)
    file = await sdk.files.create(
        file=("plot.png", b"\x89PNG\r\n"),
        purpose="vision",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert (await sdk.files.content(file.id)).content == b"\x89PNG\r\n"
    assert (await sdk.files.wait_for_processing(file.id)).status == "processed"
    assert (await sdk.files.delete(file.id)).deleted


@pytest.mark.parametrize(
    "name", ["a\nb.txt", "a\x00b.txt", "\x1b[31ma.txt", "a\x7f.txt", "a\x9b.txt", "a\t.txt"]
)
async def test_names_have_no_control_characters(http: httpx2.AsyncClient, name: str) -> None:
    part = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\ndata\r\n'
    purpose = '--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answers = [
        await http.post("/files", content=f"{part}{purpose}--x--\r\n".encode(), headers=headers),
        await http.post(
            "/uploads", json={"filename": name, "bytes": 1, "mime_type": "t", "purpose": "assistants"}
        ),
        await http.post("/assistants", json={"model": "m", "name": name}),
        await http.post("/vector_stores", json={"name": name}),
    ]
    assert [answer.status_code for answer in answers] == [400] * 4
    for answer in answers[1:]:
        assert "a name has no control characters" in error_of(answer)["message"]
    assert (await http.get("/files")).json()["data"] == []


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("../../.ssh/keys", 'filename="keys"'),
        ("C:\\\\Windows\\\\a.txt", 'filename="a.txt"'),
        ("safe\u202etxt.exe", 'filename="safetxt.exe"'),
        ("..", 'filename="file"'),
        ("Übung 1.pdf", "filename*=utf-8''%C3%9Cbung%201.pdf"),
        ('a";b.txt', "filename*=utf-8''a%22%3Bb.txt"),
    ],
)
async def test_a_download_has_a_plain_name_and_is_shown_as_nothing_else(
    http: httpx2.AsyncClient, name: str, saved: str
) -> None:
    body = {"filename": name, "bytes": 1, "mime_type": "text/html", "purpose": "assistants"}
    upload = await make(http, "/uploads", **body)
    part = (await http.post(f"/uploads/{upload['id']}/parts", files={"data": b"x"})).json()
    file = (await make(http, f"/uploads/{upload['id']}/complete", part_ids=[part["id"]]))["file"]
    answer = await http.get(f"/files/{file['id']}/content")
    assert answer.headers["content-disposition"] == f"attachment; {saved}"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
