"""Files from a hostile server land safely; files that cannot be sent are refused with a reason."""

import asyncio
import os
import re
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from assistants_tui.protocol import limits
from assistants_tui.service.client.backend import Backend, open_backend
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import Profile
from assistants_tui.settings.paths import Paths

CONTENT = "/v1/files/file-1/content"


@pytest.fixture
async def backend(profile: Profile, paths: Paths) -> AsyncIterator[Backend]:
    backend = await open_backend(profile, paths=paths)
    yield backend
    await backend.close()


def body(data: bytes, wires: Any) -> Any:
    return wires.answer(data, media_type="application/octet-stream")


@pytest.mark.parametrize(
    ("name", "lands_as"),
    [
        ("plot.png", "plot.png"),
        ("../../etc/passwd", "passwd"),
        ("/abs/olute.txt", "olute.txt"),
        ("..\\..\\up.txt", "up.txt"),
        ("..", "file-1"),
        ("", "file-1"),
        (None, "file-1"),
        (".bashrc", "bashrc"),
        ("a\nb\x1b[31m\u202e.txt", "a b[31m.txt"),
        ("CON.txt", "_CON.txt"),
        ('a<b>:"c|?*.csv', "a_b___c___.csv"),
        ("x" * 300 + ".tar.gz", "x" * 193 + ".tar.gz"),
    ],
)
async def test_a_download_stays_in_its_folder_under_a_safe_name(
    backend: Backend, server: Any, wires: Any, tmp_path: Path, name: str | None, lands_as: str
) -> None:
    server.on("GET", "/v1/files/file-1", wires.answer({"id": "file-1", "filename": name}))
    server.on("GET", CONTENT, body(b"\x00bytes", wires))
    folder = tmp_path / "made" / "for it"
    path = await backend.files.download("file-1", folder)
    assert path == folder / lands_as
    assert path.read_bytes() == b"\x00bytes"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in folder.iterdir()] == [lands_as]


async def test_nothing_is_overwritten_not_even_by_two_downloads_at_once(
    backend: Backend, server: Any, wires: Any, tmp_path: Path
) -> None:
    server.on("GET", CONTENT, body(b"new", wires))
    (tmp_path / "a.csv").write_text("mine")
    (tmp_path / "a (2).csv").symlink_to(tmp_path / "nowhere")
    paths = await asyncio.gather(
        *(backend.files.download("file-1", tmp_path, name="a.csv") for _ in range(4))
    )
    assert sorted(path.name for path in paths) == [f"a ({number}).csv" for number in (3, 4, 5, 6)]
    assert (tmp_path / "a.csv").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    assert all(path.read_bytes() == b"new" for path in paths)
    assert not [*tmp_path.glob("*.part*")]


@pytest.mark.parametrize("how", ["breaks", "cancelled"])
async def test_an_unfinished_download_leaves_nothing(
    backend: Backend, server: Any, wires: Any, tmp_path: Path, how: str
) -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 1000\r\n\r\n" + b"x" * 500
        )
        await writer.drain()
        if how == "breaks":
            writer.close()
        else:
            await asyncio.Event().wait()

    server.on("GET", CONTENT, half)
    half_way = asyncio.Event()
    seen: list[tuple[int, int | None]] = []

    def progress(done: int, total: int | None) -> None:
        seen.append((done, total))
        if done:
            half_way.set()

    task = asyncio.create_task(backend.files.download("file-1", tmp_path, name="a.png", progress=progress))
    if how == "cancelled":
        await half_way.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        with pytest.raises(ServiceError) as caught:
            await task
        assert caught.value.kind == "connection"
    assert [*tmp_path.iterdir()] == []
    assert seen[0] == (0, 1000)


async def test_a_refused_download_leaves_nothing(
    backend: Backend, server: Any, wires: Any, tmp_path: Path
) -> None:
    words = "Not allowed to download files of purpose: assistants"
    server.on("GET", CONTENT, wires.answer({"error": {"message": words}}, status=400))
    with pytest.raises(ServiceError, match="Not allowed to download"):
        await backend.files.download("file-1", tmp_path, name="a.png")
    assert [*tmp_path.iterdir()] == []


async def test_a_folder_that_cannot_be_written_is_named(
    backend: Backend, server: Any, wires: Any, tmp_path: Path
) -> None:
    server.on("GET", CONTENT, body(b"x", wires))
    (tmp_path / "in the way").write_text("")
    with pytest.raises(ServiceError, match="in the way") as caught:
        await backend.files.download("file-1", tmp_path / "in the way", name="a.png")
    assert caught.value.kind == "settings"


async def test_a_file_is_sent_with_its_name_and_purpose(
    backend: Backend, server: Any, wires: Any, tmp_path: Path
) -> None:
    server.on("POST", "/v1/files", wires.answer({"id": "file-1"}))
    source = tmp_path / 'ü"x.csv'
    source.write_bytes(b"a,b\r\n1,2\r\n")
    await backend.files.upload(source, purpose="vision")
    (request,) = server.requests
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="purpose"\r\n\r\nvision\r\n' in request.body
    assert 'filename="ü%22x.csv"'.encode() in request.body
    assert b"\r\n\r\na,b\r\n1,2\r\n\r\n" in request.body


OFFICE = "application/vnd.openxmlformats-officedocument"
TYPES = f"""
c text/x-c                cs text/x-csharp           cpp text/x-c++
doc application/msword    docx {OFFICE}.wordprocessingml.document
html text/html            java text/x-java           json application/json
md text/markdown          pdf application/pdf        php text/x-php
pptx {OFFICE}.presentationml.presentation            py text/x-python
rb text/x-ruby            tex text/x-tex             txt text/plain
css text/css              js text/javascript         sh application/x-sh
ts application/typescript csv application/csv        JPEG image/jpeg
jpg image/jpeg            gif image/gif              png image/png
tar application/x-tar     xlsx {OFFICE}.spreadsheetml.sheet
xml application/xml       zip application/zip        unheard-of application/octet-stream
""".split()
"""Extensions and types in the guides' tables of supported files, and one that is not in them."""


async def test_a_file_is_sent_with_the_type_of_its_extension(
    backend: Backend, server: Any, wires: Any, tmp_path: Path
) -> None:
    wanted = dict(zip(TYPES[::2], TYPES[1::2], strict=True))
    server.on("POST", "/v1/files", *[wires.answer({"id": "file-1"})] * len(wanted))
    for extension in wanted:
        source = tmp_path / f"file.{extension}"
        source.write_bytes(b"x")
        await backend.files.upload(source)
    sent = [re.findall(rb"filename=.*?\r\nContent-Type: (.*?)\r\n", one.body) for one in server.requests]
    assert sent == [[media_type.encode()] for media_type in wanted.values()]


async def test_an_upload_whose_answer_is_lost_is_not_sent_again(
    backend: Backend, server: Any, wires: Any, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("x")
    server.on("POST", "/v1/files", wires.cut)
    with pytest.raises(ServiceError):
        await backend.files.upload(tmp_path / "a.txt")
    assert len(server.requests) == 1


async def test_an_upload_that_is_turned_away_is_sent_again_from_the_start(
    backend: Backend, server: Any, wires: Any, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_bytes(b"\x01" * 200_000)
    busy = wires.answer({"error": {"message": "busy"}}, status=429, retry_after_ms="1")
    server.on("POST", "/v1/files", busy, wires.answer({"id": "file-1"}))
    await backend.files.upload(tmp_path / "a.txt")
    assert [request.body.count(b"\x01") for request in server.requests] == [200_000, 200_000]


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "huge", "device"])
async def test_what_cannot_be_sent_is_refused_with_a_reason(
    backend: Backend, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / kind
    words = {
        "missing": "cannot be read",
        "folder": "cannot be read",
        "empty": "is empty",
        "huge": "is larger than",
        "device": "is no file",
    }[kind]
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "huge":
        monkeypatch.setattr(limits, "MAX_FILE_BYTES", 1024**2)
        with path.open("wb") as file:
            file.truncate(1024**2 + 1)
    elif kind == "device":
        path = Path(os.devnull)
    with pytest.raises(ServiceError, match=words) as caught:
        await backend.files.upload(path)
    assert caught.value.no_effect
    assert str(path) in caught.value.what
    assert server.requests == []


async def test_the_home_directory_is_understood(
    backend: Backend, server: Any, wires: Any, empty_machine: Path
) -> None:
    server.on("POST", "/v1/files", wires.answer({"id": "file-1"}))
    (empty_machine / "a.txt").write_text("x")
    assert (await backend.files.upload("~/a.txt"))["id"] == "file-1"
