"""Tools of MCP servers as functions: real servers of the official package, as programs and over HTTP."""

import asyncio
import sys
from pathlib import Path

import pytest
import uvicorn
from mcp.server import MCPServer
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from assistants_tui.service.functions.mcp_servers import McpServers
from assistants_tui.service.functions.registry import CallFailedError, Functions
from assistants_tui.settings.mcp_server import McpServer
from support.patience import until

SERVER = '''
import os, sys
from mcp.server import MCPServer

print("a line that is no message", file=sys.stderr)
server = MCPServer("tides")

@server.tool()
def tide(port: str) -> str:
    """The height of the tide at a port."""
    if port == "Atlantis":
        raise ValueError("it sank")
    if port == "Styx":
        os._exit(1)
    return f"{port}: 0.4 m, asked by {os.environ.get('USER_NAME', 'nobody')}"

@server.tool()
async def forever() -> str:
    import anyio
    await anyio.sleep(600)

server.run()
'''


@pytest.fixture
def program(tmp_path: Path) -> McpServer:
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    return McpServer("sea", sys.executable, (str(script),), {"USER_NAME": "$NAME_OF_USER"})


async def test_tools_of_a_program_are_listed_and_called(
    program: McpServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NAME_OF_USER", "Aino")
    servers = McpServers({"sea": program}, timeout=60)
    functions = Functions([servers])
    try:
        catalogue = await functions.catalogue()
        assert catalogue.problems == ()
        assert [*catalogue.functions] == ["sea__tide", "sea__forever"]
        tide = catalogue.functions["sea__tide"]
        assert tide.definition["description"] == "The height of the tide at a port."
        assert tide.definition["parameters"]["required"] == ["port"]
        assert tide.place == "MCP server sea"

        answer = await functions.call("sea__tide", tide.fingerprint, {"port": "Oulu"})
        assert answer == "Oulu: 0.4 m, asked by Aino"
        with pytest.raises(CallFailedError, match="answered with an error: Error executing tool tide"):
            await functions.call("sea__tide", tide.fingerprint, {"port": "Atlantis"})
        with pytest.raises(CallFailedError, match="The server failed"):
            await functions.call("sea__tide", tide.fingerprint, {"port": "Styx"})
        answer = await functions.call("sea__tide", tide.fingerprint, {"port": "Vaasa"})
        assert answer.startswith("Vaasa"), "a server that died is started again"
    finally:
        await servers.close()
    assert capfd.readouterr() == ("", "")


async def test_a_call_that_takes_too_long_is_given_up(
    program: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAME_OF_USER", "Aino")
    servers = McpServers({"sea": program}, timeout=0.3)
    try:
        function = await servers.find("sea__forever")
        assert function is not None
        with pytest.raises(CallFailedError, match="took longer than"):
            await servers.call(function, {})
    finally:
        await servers.close()


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        (McpServer("a", "no-such-program-anywhere"), "no-such-program-anywhere"),
        (McpServer("a", sys.executable, ("-c", "import sys; sys.exit('no licence')")), "It said: no licence"),
        (McpServer("a", "x", env={"A": "$NOT_SET_ANYWHERE"}), "variable NOT_SET_ANYWHERE is not set"),
        (McpServer("a", url="http://127.0.0.1:9/mcp", api_key_env="NO_KEY"), "variable NO_KEY"),
        (McpServer("a", url="https://x.invalid", api_key_env="OPENAI_API_KEY"), "for api.openai.com alone"),
        (McpServer("a", url="http://x.invalid", api_key_env="TEAM_KEY"), "No key is sent to x.invalid over"),
    ],
    ids=["missing", "ends", "environment", "key", "key of OpenAI", "key in the clear"],
)
async def test_a_server_that_cannot_be_reached_is_a_problem_and_no_more(
    server: McpServer, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("TEAM_KEY", "sk-canary")
    servers = McpServers({"a": server}, timeout=30)
    try:
        catalogue = await servers.catalogue()
        assert catalogue.functions == {}
        assert sentence in catalogue.problems[0]
        assert await servers.find("other__tool") is None
        with pytest.raises(CallFailedError):
            await servers.find("a__tool")
    finally:
        await servers.close()


async def test_a_server_at_an_address_gets_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", "sk-team")
    keys: list[str | None] = []

    class Watch(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
            keys.append(request.headers.get("authorization"))
            return await call_next(request)

    tools = MCPServer("team")

    @tools.tool(description="Doubles a number.")
    def double(number: int) -> int:
        return 2 * number

    app = tools.streamable_http_app(json_response=True)
    assert isinstance(app, Starlette)
    app.user_middleware.append(Middleware(Watch))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="on"))
    running = asyncio.create_task(server.serve())
    await until("the server has started", lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    settings = McpServer("team", url=f"http://127.0.0.1:{port}/mcp", api_key_env="TEAM_KEY")
    servers = McpServers({"team": settings}, timeout=60)
    try:
        function = await servers.find("team__double")
        assert function is not None
        assert await servers.call(function, {"number": 21}) == "42"
        assert {*keys} == {"Bearer sk-team"}
    finally:
        await servers.close()
        server.should_exit = True
        await running
