"""`serve` as a process: what it asks of the system, and how it ends."""

import asyncio
from pathlib import Path

import httpx2
import psutil
from openai import AsyncOpenAI

from assistants_tui.engine.app import EngineSettings
from support.code_interpreter import NO_SANDBOX_HERE
from support.engine import open_engine
from support.engines import BETA
from support.model_endpoint import ModelEndpoint, Reply, chunk
from support.serve_command import FEW_FILES, serve_command


async def test_many_streams_may_be_open(tmp_path: Path) -> None:
    async with serve_command(tmp_path) as server, httpx2.AsyncClient(base_url=server.url) as http:
        assert (await http.get("/v1/models")).status_code == 200
        soft, hard = psutil.Process(server.pid).rlimit(psutil.RLIMIT_NOFILE)
        assert hard <= FEW_FILES or soft > FEW_FILES


async def test_web_pages_get_in_where_the_administrator_says_so(tmp_path: Path) -> None:
    page, other = "https://pages.example", "https://other.example"
    async with (
        serve_command(tmp_path, "--allow-origin", page) as server,
        httpx2.AsyncClient(base_url=f"{server.url}/v1", headers=BETA) as http,
    ):
        for origin, status, told in ((page, 200, page), (other, 403, None)):
            answer = await http.get("/threads", headers={"Origin": origin})
            assert answer.status_code == status
            assert answer.headers.get("access-control-allow-origin") == told


async def test_names_that_the_administrator_allows_are_answered_to(tmp_path: Path) -> None:
    """As a reverse proxy hands them on."""
    async with (
        serve_command(tmp_path, "--allow-host", "Proxy.example", "--any-user") as server,
        httpx2.AsyncClient(base_url=f"{server.url}/v1", headers=BETA) as http,
    ):
        for host, status in (("proxy.example", 200), ("other.example", 403)):
            assert (await http.get("/threads", headers={"Host": host})).status_code == status


async def test_interrupting_ends_open_streams_and_keeps_what_they_had(tmp_path: Path) -> None:
    async with ModelEndpoint(Reply([chunk({"content": "Once upon a time"}), asyncio.Event()])) as endpoint:
        async with (
            serve_command(tmp_path, "--model-url", endpoint.url) as server,
            httpx2.AsyncClient(base_url=f"{server.url}/v1", headers=BETA, timeout=60) as http,
        ):
            teller = {"model": "served", "instructions": "Tell a story."}
            assistant = (await http.post("/assistants", json=teller)).json()["id"]
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


async def test_code_without_a_sandbox_needs_a_word_of_the_administrator(tmp_path: Path) -> None:
    async with serve_command(tmp_path, "--sandbox", NO_SANDBOX_HERE) as served:
        assert "this computer has no usable sandbox" in await served.complaint()
        assert "Code is refused. --run-code-unsandboxed runs it" in await served.complaint()
    async with serve_command(
        tmp_path, "--sandbox", NO_SANDBOX_HERE, "--run-code-unsandboxed", "--code-output", "1000"
    ) as served:
        assert "NOT SANDBOXED" in await served.complaint()
        async with AsyncOpenAI(api_key="test", base_url=f"{served.url}/v1") as client:
            assistant = await client.beta.assistants.create(
                model="offline-tutor", tools=[{"type": "code_interpreter"}]
            )
            run = await client.beta.threads.create_and_run_poll(
                assistant_id=assistant.id,
                thread={"messages": [{"role": "user", "content": "2 + 3"}]},
                poll_interval_ms=50,
            )
            steps = await client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id, order="asc")
        assert run.status == "completed"
        assert steps.data[0].metadata is not None
        assert steps.data[0].metadata["sandbox"] == "unconfined"
