"""Servers that speak bare JSON-RPC and keep to the protocol as loosely as real ones."""

import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from assistants_tui.service.functions.mcp_servers import McpServers
from assistants_tui.service.functions.registry import CallFailedError, Catalogue, definition_text, difference
from assistants_tui.settings.approvals import Approvals
from assistants_tui.settings.mcp_server import McpServer
from support import mcp_raw_server
from support.mcp_raw_server import NAMES


class Raw:
    """The server `w`, connected."""

    def __init__(self, servers: McpServers, catalogue: Catalogue) -> None:
        self.servers = servers
        self.catalogue = catalogue

    async def call(self, x: str = "", tool: str = "w__do") -> str:
        return await self.servers.call(self.catalogue.functions[tool], {"x": x} if x else {})


@asynccontextmanager
async def raw(*habits: str, timeout: float = 30, folder: Path | None = None) -> AsyncIterator[Raw]:
    server = McpServer("w", sys.executable, (mcp_raw_server.__file__, *habits))
    servers = McpServers({"w": server}, timeout, folder)
    try:
        yield Raw(servers, await servers.catalogue())
    finally:
        await servers.close()


async def test_names_that_collide_or_are_too_long_are_told_apart() -> None:
    async with raw("names") as w:
        assert w.catalogue.problems == ()
        names = [*w.catalogue.functions]
        assert names[0] == "w__do"
        assert "w__New_Tool" in names, "a name that collides with none has no hash"
        assert len(names) == len(NAMES) + 1
        assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in names)
        answers = {name: (await w.call(tool=name)).partition(", ")[0] for name in names}
        assert [*answers.values()] == ["do", *NAMES]
    async with raw("names") as again:
        assert [*again.catalogue.functions] == names, "they are the same the next time"


async def test_one_server_can_have_the_beginning_of_anothers_names() -> None:
    program = (sys.executable, (mcp_raw_server.__file__,))
    servers = McpServers({"a": McpServer("a", *program), "a__b": McpServer("a__b", *program)}, 30)
    try:
        catalogue = await servers.catalogue()
        assert [*catalogue.functions] == ["a__do", "a__b__do"]
        function = await servers.find("a__b__do")
        assert function is not None
        assert function.place == "MCP server a__b"
        assert (await servers.call(function, {})).startswith("do, call 1 of")
    finally:
        await servers.close()


async def test_an_error_costs_neither_the_server_nor_what_it_holds() -> None:
    async with raw("noisy") as w:
        before = await w.call()
        for x, says in (("refuse", "city is required"), ("own code", "the disk of the server is full")):
            with pytest.raises(CallFailedError, match=f"The tool failed: .*{says}"):
                await w.call(x)
        assert await w.call() == before.replace("call 1", "call 4")


async def test_a_server_that_hangs_is_replaced() -> None:
    async with raw(timeout=1) as w:
        before = await w.call()
        with pytest.raises(CallFailedError, match=r"1 seconds. The server does not answer any more"):
            await w.call("hang")
        after = await w.call()
        assert "call 1" in after
        assert after != before


async def test_one_bad_tool_or_part_costs_only_itself() -> None:
    async with raw("bad") as w:
        assert [*w.catalogue.functions] == ["w__do"]
        first, second = w.catalogue.problems
        assert first == "MCP server w: its tool bad cannot be used: inputSchema: Field required."
        assert second.startswith("MCP server w: its tool (without a name) cannot be used: ")
        parts = (await w.call("odd part")).split("\n")
        assert parts[0].startswith("[A part of the result cannot be read: ")
        assert parts[1:] == ["the rest"]
        assert await w.call("half") == "a?b"
        assert await w.call("empty") == ""


async def test_images_and_resources_are_named_to_the_model_and_kept_for_the_user(tmp_path: Path) -> None:
    folder = tmp_path / "downloads"
    async with raw(folder=folder) as w:
        text = await w.call("image")
        again = await w.call("image")
    assert text.split("\n") == [
        "Here it is.",
        f"[image/png, 70 B, saved as {folder}/w.png]",
        "[resource: file:///a/notes.txt]",
        "Remember the milk.",
        f"[application/pdf, 3 B, saved as {folder}/x.pdf]",
        "[resource: more, https://example.org/more, text/html]",
    ]
    assert (folder / "w.png").read_bytes().startswith(b"\x89PNG")
    assert f"{folder}/w (2).png" in again
    assert sorted(path.name for path in folder.iterdir()) == ["w (2).png", "w.png", "x (2).pdf", "x.pdf"]


async def test_a_tool_that_changes_is_another_function_and_the_change_is_shown(tmp_path: Path) -> None:
    listed = tmp_path / "tools.json"
    tool = {"name": "do", "description": "Reads a file.", "inputSchema": {"type": "object"}}
    listed.write_text(json.dumps([tool]))
    approvals = Approvals(tmp_path / "approvals.toml")
    async with raw(f"tools={listed}") as w:
        before = await w.servers.find("w__do")
        assert before is not None
        approvals.decide("w__do", before.fingerprint, "always", definition_text(before))
        assert approvals.seen("w__do", before.fingerprint) is None
        listed.write_text(json.dumps([{**tool, "description": "Deletes a file."}]))
        after = await w.servers.find("w__do")
        assert after is not None
        assert approvals.decision("w__do", after.fingerprint) is None
        seen = approvals.seen("w__do", after.fingerprint)
        assert seen is not None
        assert difference(seen, after).split("\n") == [
            "This function has changed since you decided about it:",
            '-  "description": "Reads a file.",',
            '+  "description": "Deletes a file.",',
        ]
        # what is too long to be sent is part of it, too
        listed.write_text(json.dumps([{**tool, "description": "Reads a file." + " " * 1100 + "Or not."}]))
        longer = await w.servers.find("w__do")
        assert longer is not None
        assert longer.fingerprint != before.fingerprint


async def test_without_the_extra_it_is_said_how_to_add_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    servers = McpServers({"w": McpServer("w", sys.executable)}, 30)
    (problem,) = (await servers.catalogue()).problems
    assert "MCP servers need a package that is not installed: " in problem
    assert "mcp" in problem.rpartition(": ")[2]
    await servers.close()


async def test_too_many_tools_and_too_many_parts_are_left_out_and_told() -> None:
    async with raw("many") as w:
        assert len(w.catalogue.functions) == 1_000
        assert w.catalogue.problems == ("MCP server w: 200 of its tools cannot be used: it has too many",)
        text = await w.call("many", tool="w__do0")
    assert "part 999\n[200 more parts were left out]" in text and "part 1000" not in text
