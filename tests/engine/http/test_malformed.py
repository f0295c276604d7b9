"""Requests that are no requests: forms in pieces, heads without end. No fault of ours comes of it."""

import asyncio
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistants_tui.engine.app import EngineSettings, create_app
from support.engines import BETA
from support.hostile import names, texts
from support.served import served

PIECES = st.one_of(
    st.sampled_from(
        [
            b"--x\r\n",
            b"--x--\r\n",
            b"--x--",
            b"--y\r\n",
            b"\r\n",
            b"\r\n\r\n",
            b"\n\n",
            b'Content-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n',
            b'Content-Disposition: form-data; name="file"\r\n\r\n',
            b'Content-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n',
            b'Content-Disposition: form-data; filename="a"\r\n\r\n',
            b"Content-Disposition: form-data; name=\xff\r\n\r\n",
            b"Content-Disposition: attachment\r\n\r\n",
            b"Content-Type: multipart/mixed; boundary=x\r\n",
            b"Content-Transfer-Encoding: base64\r\n",
            b"data",
            b"A" * 70_000,
            b"h: " + b"v" * 20_000 + b"\r\n",
        ]
    ),
    st.binary(max_size=20),
    names.map(
        lambda name: f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode(
            "utf-8", "replace"
        )
    ),
    texts.map(lambda text: text.encode("utf-8", "replace")),
)
TYPES = [
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    'multipart/form-data; boundary="x',
    f"multipart/form-data; boundary={'b' * 5000}",
    "application/json",
    "\x01",
]


@pytest.mark.asyncio(loop_scope="module")
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(PIECES, max_size=8),
    st.sampled_from(TYPES),
    st.sampled_from(["/files", "/uploads/upload_x/parts"]),
)
async def test_no_form_is_too_strange(
    shared: httpx2.AsyncClient, pieces: list[bytes], content_type: str, path: str
) -> None:
    response = await shared.post(path, content=b"".join(pieces), headers={"content-type": content_type})
    assert response.status_code < 500, response.text
    if response.status_code == 200:
        assert (await shared.delete(f"/files/{response.json()['id']}")).status_code == 200
    else:
        assert response.json()["error"]["message"]


BAD_HEADS = [
    b"\x00\x01\x02\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /v1/threads HTTP/9.9\r\nhost: localhost\r\n\r\n",
    b"GET /v1/threads HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 200_000 + b"\r\n\r\n",
    b"GET /v1/threads HTTP/1.1\r\n" + b"x: a\r\n" * 20_000 + b"\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"POST /v1/threads HTTP/1.1\r\nhost: localhost\r\ncontent-length: -5\r\n\r\n",
    b"POST /v1/threads HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
    b"POST /v1/threads HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/threads HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nabc",
    b"GET /v1/threads HTTP/1.1\r\nhost: localhost\r\n folded: x\r\n\r\n",
    b"GET http://evil.example/v1/threads HTTP/1.1\r\nhost: evil.example\r\n\r\n",
    b"GET /v1/%00%ff%2e%2e/files HTTP/1.1\r\nhost: localhost\r\n\r\n",
]


async def test_no_head_is_too_strange(tmp_path: Path) -> None:
    async with served(create_app(EngineSettings(tmp_path))) as url:
        address = httpx2.URL(url)

        async def say(head: bytes) -> bytes:
            reader, writer = await asyncio.open_connection(address.host, address.port)
            try:
                writer.write(head)
                writer.write_eof()
                async with asyncio.timeout(20):
                    return await reader.read()
            except ConnectionError:  # the server had enough before all was sent
                return b""
            finally:
                writer.close()

        for answer in await asyncio.gather(*map(say, BAD_HEADS)):
            assert not answer or answer.startswith(b"HTTP/1.1 4"), answer[:200]
        async with httpx2.AsyncClient(base_url=f"{url}/v1", headers=BETA) as http:
            assert (await http.get("/threads")).json()["data"] == []
