"""`serve` as a process: what it asks of the system, and how it ends."""

import asyncio
from pathlib import Path

import httpx2
import psutil

from assistants_tui.engine.app import EngineSettings
from support.engine import open_engine
from support.engines import BETA
from support.model_endpoint import ModelEndpoint, Reply, chunk
from support.serve_command import FEW_FILES, serve_command


async def test_many_streams_may_be_open(tmp_path: Path) -> None:
    async with serve_command(tmp_path) as server, httpx2.AsyncClient(base_url=server.url) as http:
        assert (await http.get("/v1/models")).status_code == 200
        soft, hard = psutil.Process(server.pid).rlimit(psutil.RLIMIT_NOFILE)
        assert hard <= FEW_FILES or soft > FEW_FILES


async def test_interrupting_ends_open_streams_and_keeps_what_they_had(tmp_path: Path) -> None:
    async with ModelEndpoint(Reply([chunk({"content": "Once upon a time"}), asyncio.Event()])) as endpoint:
        async with (
            serve_command(tmp_path, "--model-url", endpoint.url) as server,
            httpx2.AsyncClient(base_url=f"{server.url}/v1", headers=BETA, timeout=60) as http,
        ):
            assistant = (await http.post("/assistants", json={"model": "served"})).json()["id"]
            thread = (await http.post("/threads")).json()["id"]
            path = f"/threads/{thread}/runs"
            body = {"assistant_id": assistant, "stream": True}
            async with http.stream("POST", path, json=body) as response:
                lines = response.aiter_lines()
                async for line in lines:
                    if line == "event: thread.message.delta":
                        break
                ending = asyncio.create_task(server.interrupt())
                rest = [line async for line in lines]
            code, errors = await ending
        assert code == 130 and errors == ""
        assert rest[-3:] == ["event: done", "data: [DONE]", ""]
        assert "event: thread.run.failed" in rest
    async with open_engine(EngineSettings(tmp_path)) as http:
        [run] = (await http.get(path)).json()["data"]
        assert run["status"] == "failed" and "closed" in run["last_error"]["message"]
        [message] = (await http.get(f"/threads/{thread}/messages")).json()["data"]
        assert message["content"][0]["text"]["value"] == "Once upon a time"
