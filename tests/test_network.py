"""Proxies and certificates of the environment: obeyed, but not on the way to this computer."""

import asyncio
import os
import re
import subprocess
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from assistants_tui import network
from assistants_tui.engine.models.base import ChatRequest, ModelError
from assistants_tui.engine.models.embedding_client import EmbeddingError, EndpointEmbedder
from assistants_tui.engine.models.endpoint import EndpointModel
from assistants_tui.service.client.profile_client import remote_client
from assistants_tui.service.client.profile_trial import try_profile
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.functions.mcp_servers import McpServers
from assistants_tui.settings.config import Profile
from assistants_tui.settings.mcp_server import McpServer
from support.app import use_model
from support.model_endpoint import ModelEndpoint, says
from support.terminal import COMMAND

SECRET = "hunter2"


@asynccontextmanager
async def proxy() -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that reaches nothing: its address, and the first lines of what it was asked."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode())
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 11\r\n\r\nunreachable")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://user:{SECRET}@127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


WRONG = [
    (
        "ALL_PROXY",
        f"socks://me:{SECRET}@127.0.0.1:7891/",
        "socks://***@127.0.0.1:7891/, which must begin with",
    ),
    (
        "https_proxy",
        f"http://me:{SECRET}@host:port",
        "http://***@host:port, which is no address of a proxy",
    ),
    ("HTTP_PROXY", f"me:p@{SECRET}@host:port", "***@host:port, which is no address of a proxy"),
    ("SSL_CERT_FILE", "/nowhere/cacert.pem", "/nowhere/cacert.pem, which is not there"),
    ("SSL_CERT_FILE", __file__, "test_network.py, which is no file of certificates"),
]


@pytest.mark.parametrize(("name", "value", "says"), WRONG)
async def test_a_variable_that_cannot_be_used_is_named_wherever_it_matters(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv(name, value)
    url = "https://models.invalid/v1"
    with pytest.raises(network.NetworkSettingsError) as first:
        network.http_client(url, timeout=httpx2.Timeout(1))
    with pytest.raises(ServiceError) as tried:  # what connecting in the app does
        await try_profile(Profile(name="x", kind="openai", base_url=url), None)
    model = EndpointModel(url)
    with pytest.raises(ModelError) as run:
        await model.models()
    await model.close()
    embedder = EndpointEmbedder(url, "m")
    with pytest.raises(EmbeddingError) as search:
        await embedder.embed(["text"])
    await embedder.close()
    for error in (first, tried, run, search):
        assert f"The environment variable {name} is " in str(error.value)
        assert says in str(error.value)
        assert SECRET not in str(error.value)


@pytest.mark.parametrize(("name", "value", "_says"), [WRONG[0], WRONG[1], WRONG[3]])
async def test_the_engine_and_a_model_on_this_computer_work_all_the_same(
    name: str, value: str, _says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ModelEndpoint(says("From the local model.")) as endpoint:
        use_model(endpoint.url)
        monkeypatch.setenv(name, value)
        code, out, err = await command("ask", "hi")
        assert (code, out) == (0, "From the local model.\n"), err


async def test_no_request_to_this_computer_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxy() as (address, asked), ModelEndpoint() as endpoint:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, address)
        port = httpx2.URL(endpoint.url).port
        for host in ("localhost", "127.0.0.1", "127.0.0.2"):
            model = EndpointModel(f"http://{host}:{port}/v1")
            if host != "127.0.0.2":  # not every system has it
                assert await model.models()
            await model.close()
            await try_profile(
                Profile(name="x", kind="embedded", model_url=f"http://localhost:{port}/v1"), None
            )
        assert asked == []


async def test_a_failure_behind_a_proxy_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxy() as (address, asked):
        monkeypatch.setenv("HTTP_PROXY", address)
        model = EndpointModel("http://models.invalid/v1")
        with pytest.raises(ModelError) as run:
            await model.models()
        await model.close()
        with pytest.raises(ServiceError) as tried:
            await try_profile(Profile(name="x", kind="openai", base_url="http://models.invalid/v1"), None)
        assert all(line.startswith("GET http://models.invalid/v1") for line in asked) and asked
        shown = re.sub(r"//.*@", "//***@", address)
        for error in (run, tried):
            assert f"The way there is the proxy of the environment variable HTTP_PROXY, {shown}." in str(
                error.value
            )
            assert SECRET not in str(error.value)
        monkeypatch.setenv("NO_PROXY", "models.invalid")
        assert network.way_to("http://models.invalid/v1") == ""


@asynccontextmanager
async def redirecting() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server whose every answer leads to another one: its address, and what that other one was sent."""
    heard: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    async def here(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if length := re.search(rb"(?i)content-length: (\d+)", head):
            await reader.readexactly(int(length[1]))
        port = other.sockets[0].getsockname()[1]
        answer = f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{port}/x\r\nContent-Length: 0\r\n"
        writer.write(f"{answer}Connection: close\r\n\r\n".encode())
        writer.close()

    other = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
    server = await asyncio.start_server(here, "127.0.0.1", 0)
    async with server, other:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard


async def test_no_conversation_is_redirected_to_another_server() -> None:
    async with redirecting() as (url, heard):
        model = EndpointModel(f"{url}/v1")
        with pytest.raises(ModelError) as run:
            request = ChatRequest(model="m", messages=({"role": "user", "content": SECRET},))
            _ = [delta async for delta in model.stream(request)]
        await model.close()
        embedder = EndpointEmbedder(f"{url}/v1", "m")
        with pytest.raises(EmbeddingError) as search:
            await embedder.embed([SECRET])
        await embedder.close()
        client = remote_client(Profile("p", "openai", base_url=f"{url}/v1"), None)
        with pytest.raises(ServiceError) as message:
            await client.post("/threads", {"messages": [{"role": "user", "content": SECRET}]})
        await client.close()
        server = McpServer(name="far", url=f"{url}/mcp")
        servers = McpServers({"far": server}, timeout=10)
        [problem] = (await servers.catalogue()).problems
        await servers.close()
        assert heard == []
        here = url.removeprefix("http://")
        assert problem.startswith("MCP server far: ")
        for words in (str(run.value), str(search.value), str(message.value)):
            assert f"{here} sends the request on to 127.0.0.1:" in words
            assert "Nothing was sent there. If it is the right one, enter it instead." in words


@pytest.mark.parametrize("header", ["Authorization", "api-key", "API-Key", "OpenAI-Organization"])
async def test_a_redirect_to_another_server_has_no_key(header: str) -> None:
    async with (
        redirecting() as (url, heard),
        network.http_client(url, timeout=httpx2.Timeout(10)) as http,
    ):
        answer = await http.get(f"{url}/v1/files", headers={header: SECRET})
        assert answer.json() == {}
    assert len(heard) == 1 and SECRET.encode() not in heard[0]


async def test_a_redirect_to_another_server_has_no_declared_header() -> None:
    async with redirecting() as (url, heard):
        model = EndpointModel(f"{url}/v1", api_key=SECRET, headers={"X-Gateway-Token": SECRET})
        assert await model.models() == []
        await model.close()
    [head] = heard
    assert SECRET.encode() not in head and b"x-gateway-token" not in head.lower()


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        ("https://a.example/v1", "https://a.example/elsewhere", True),
        ("http://a.example/v1", "https://a.example/v1", True),
        ("https://a.example/v1", "http://a.example/v1", False),
        ("https://a.example/v1", "https://b.example/v1", False),
        ("https://a.example/v1", "https://a.example.b.example/v1", False),
        ("https://a.example/v1", "https://a.example:8443/v1", False),
        ("http://a.example:8000/v1", "https://a.example/v1", False),
    ],
)
async def test_which_redirects_keep_the_key(start: str, end: str, kept: bool) -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return (
            httpx2.Response(200)
            if str(request.url) == end
            else httpx2.Response(307, headers={"location": end})
        )

    async with network.http_client(start, timeout=httpx2.Timeout(1)) as http:
        http._mounts = {}
        http._transport = httpx2.MockTransport(answer)
        await http.get(start, headers={"api-key": SECRET, "Authorization": SECRET})
    assert [name in seen[-1].headers for name in ("api-key", "authorization")] == [kept, kept]


async def test_all_wrong_variables_are_named_not_only_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks4://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/cacert.pem")
    with pytest.raises(network.NetworkSettingsError) as error:
        network.http_client("https://models.invalid/v1", timeout=httpx2.Timeout(1))
    assert "HTTP_PROXY" in str(error.value) and "SSL_CERT_FILE" in str(error.value)


async def test_doctor_shows_what_holds_and_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{SECRET}@proxy.invalid:3128")
    monkeypatch.setenv("NO_PROXY", "example.org,[::1]")
    assert [*network.problems()] == []
    monkeypatch.setenv("ALL_PROXY", f"socks://me:{SECRET}@127.0.0.1:7891")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nowhere"))
    code, out, err = await command("doctor")
    assert code == 1
    assert "  HTTPS_PROXY http://***@proxy.invalid:3128\n" in out
    assert "  NO_PROXY example.org,[::1]\n" in out
    assert "  ✗ The environment variable ALL_PROXY is socks://***@127.0.0.1:7891, which must" in out
    assert f"  ✗ The environment variable SSL_CERT_DIR is {tmp_path / 'nowhere'}, which is no folder." in out
    assert SECRET not in out + err


async def command(*arguments: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_of_each_coding_that_is_asked_for_the_beginning_can_be_read() -> None:
    """Errors are cut off, and some codings refuse that."""
    window = {"gzip": 31, "deflate": 15}
    async with network.http_client("http://localhost", timeout=httpx2.Timeout(1)) as client:
        for coding in client.headers["accept-encoding"].split(", "):
            pack = zlib.compressobj(wbits=window[coding])
            whole = pack.compress(os.urandom(10_000)) + pack.flush()
            beginning = httpx2.Response(400, headers={"content-encoding": coding}, content=whole[:5_000])
            assert 4_000 < len(beginning.content) < 10_000


async def test_an_address_that_is_none_is_named_without_its_password() -> None:
    url = "http://me:secret@ä..de/v1"
    with pytest.raises(
        network.NetworkSettingsError, match=r"http://\*\*\*@ä\.\.de/v1 is no address"
    ) as error:
        network.http_client(url, timeout=httpx2.Timeout(1))
    with pytest.raises(ServiceError) as tried:
        await try_profile(Profile(name="x", kind="openai", base_url=url), None)
    assert "secret" not in f"{error.value} {tried.value}"
