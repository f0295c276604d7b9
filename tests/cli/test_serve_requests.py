"""Requests to `serve` byte for byte, as no library sends them."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from assistants_tui.cli import build_parser
from support.serve_command import ServeCommand, serve_command


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServeCommand]:
    page = ("--allow-origin", "http://localhost:3000")
    async with serve_command(tmp_path_factory.mktemp("data"), *page) as running:
        yield running


async def sent(server: ServeCommand, request: bytes) -> bytes:
    """All that the server answers until it closes the connection."""
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(request)
        async with asyncio.timeout(60):
            return await reader.read()
    finally:
        writer.close()


def request(
    *headers: str, host: str | None = "localhost", method: str = "POST", version: str = "1.1"
) -> bytes:
    """A request without a body, after which the connection ends unless `headers` say otherwise."""
    lines = [f"{method} /v1/threads HTTP/{version}", "OpenAI-Beta: assistants=v2", *headers]
    if not any(header.startswith("Connection:") for header in headers):
        lines.append("Connection: close")
    if host is not None:
        lines.insert(1, f"Host: {host}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


HIDDEN = request("Content-Length: 0", method="DELETE")
TWO_LENGTHS = {
    "length first": ("Content-Length: 6", "Transfer-Encoding: chunked"),
    "length last": ("Transfer-Encoding: chunked", "Content-Length: 6"),
    "other letters": ("transfer-ENCODING: Chunked", "content-LENGTH: 0"),
    "two codings": ("Transfer-Encoding: gzip, chunked", "Content-Length: 6"),
    "unknown coding": ("Transfer-Encoding: xchunked",),
    "coding twice": ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    "two numbers": ("Content-Length: 0", "Content-Length: 6"),
    "a list": ("Content-Length: 0, 6",),
    "a sign": ("Content-Length: +6",),
    "an underscore": ("Content-Length: 0_6",),
    "a space before the colon": ("Content-Length : 6",),
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("headers", TWO_LENGTHS.values(), ids=TWO_LENGTHS)
async def test_no_second_request_hides_in_a_body(server: ServeCommand, headers: tuple[str, ...]) -> None:
    answer = await sent(server, request(*headers, "Connection: keep-alive") + b"0\r\n\r\n" + HIDDEN)
    assert [status // 100 for status in statuses(answer)] in ([4], [5]), answer


@pytest.mark.asyncio(loop_scope="module")
async def test_an_old_request_has_no_chunks(server: ServeCommand) -> None:
    answer = await sent(
        server, request("Transfer-Encoding: chunked", version="1.0") + b"2\r\n{}\r\n0\r\n\r\n"
    )
    assert statuses(answer) == [400], answer


@pytest.mark.asyncio(loop_scope="module")
async def test_a_body_with_one_length_is_read(server: ServeCommand) -> None:
    for headers, body in (
        (("Content-Length: 2",), b"{}"),
        (("Transfer-Encoding: chunked",), b"2\r\n{}\r\n0\r\n\r\n"),
    ):
        answer = await sent(server, request("Content-Type: application/json", *headers) + body)
        assert statuses(answer) == [200], answer
        assert b"x-content-type-options: nosniff\r\n" in answer.lower()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("localhost", (), 200),
        ("127.0.0.1:8123", (), 200),
        (None, (), 400),
        ("", (), 403),
        ("intranet", (), 403),
        ("pages.example", (), 403),
        ("localhost", ("Origin: http://localhost:3000",), 200),
        ("localhost", ("Origin: http://localhost:3001",), 403),
        ("localhost", ("Origin: null",), 403),
        ("localhost", ("Host: localhost",), 400),
    ],
)
async def test_who_is_called_and_who_calls(
    server: ServeCommand, host: str | None, headers: tuple[str, ...], status: int
) -> None:
    answer = await sent(server, request("Content-Length: 0", *headers, host=host))
    assert statuses(answer) == [status], answer


@pytest.mark.asyncio(loop_scope="module")
async def test_old_clients_name_a_host_too(server: ServeCommand) -> None:
    assert statuses(await sent(server, request("Content-Length: 0", version="1.0"))) == [200]
    assert statuses(await sent(server, request("Content-Length: 0", version="1.0", host=None))) == [403]


@pytest.mark.parametrize(
    "origin", ["*", "null", "https://*.example", "http://localhost:3000/", "localhost:3000"]
)
def test_a_page_is_allowed_by_its_whole_name(origin: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["serve", "--allow-origin", origin])
    assert "it must be a scheme and a host, such as https://example.org" in capsys.readouterr().err
    allowed = build_parser().parse_args(["serve", "--allow-origin", "HTTPS://Pages.Example:8443"])
    assert allowed.allow_origin == ["https://pages.example:8443"]
