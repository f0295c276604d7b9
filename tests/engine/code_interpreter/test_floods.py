"""Output that would freeze the engine or fill its memory: it is bounded before it is read."""

import asyncio
import resource
import sys

import pytest

from assistants_tui.engine.code_interpreter import kernel
from support.code_interpreter import Thread

FORGE = """
import json
from ipykernel.kernelapp import IPKernelApp
app = IPKernelApp.instance()
thread, session = app.iopub_thread, app.session
parent = json.dumps({"msg_id": app.kernel.get_parent()["header"]["msg_id"]}).encode()
def send_now(*frames, **options):
    app.iopub_socket.send_multipart(frames, **options)
def send(*frames, **options):
    thread.schedule(lambda: send_now(*frames, **options))
def forged(content, kind="display_data", about=parent, metadata=b"{}"):
    header = json.dumps({"msg_id": "forged", "msg_type": kind, "version": "5.3"}).encode()
    parts = [header, about, metadata, content]
    return b"<IDS|MSG>", session.sign(parts), *parts
def forge(*parts, **options):
    send(*forged(*parts, **options))
def forge_now(*parts):
    send_now(*forged(*parts))
"""
NOT_READ = "[Output of very many values was not read.]\n"


@pytest.mark.parametrize("piece", ["[],", "{},", "1,", '"",', '{"a":[]},'])
async def test_a_display_of_millions_of_values(thread: Thread, piece: str) -> None:
    content = f"b'{{\"data\":{{\"text/plain\":[' + b'{piece}' * 2_000_000 + b'0]}}}}'"
    execution = await thread.run(f"{FORGE}\nfor _ in range(3): forge({content})\nprint('printed')")
    assert execution.status == "ok"
    assert thread.logs.count(NOT_READ) == 3 and "printed\n" in thread.logs


@pytest.mark.parametrize("kind", ["stream", "error", "comm_open", "comm_msg", "status", "unknown"])
async def test_other_messages_of_millions_of_values(thread: Thread, kind: str) -> None:
    content = "b'{\"data\":[' + b'[],' * 1_000_000 + b'0]}'"
    execution = await thread.run(f"{FORGE}\nforge({content}, {kind!r})\nprint('printed')")
    assert execution.status == "ok" and "printed\n" in thread.logs


async def test_millions_of_values_about_a_message(thread: Thread) -> None:
    many = "b'{\"msg_id\":[' + b'[],' * 1_000_000 + b'0]}'"
    execution = await thread.run(
        f"{FORGE}\nforge(b'{{}}', about={many})\nforge(b'{{}}', metadata={many})\nprint('printed')"
    )
    assert (execution.status, thread.logs) == ("ok", "printed\n")


@pytest.mark.parametrize(
    "content",
    [
        "b'{\"data\":' + b'[' * 5_000_000",
        "b'{\"data\":' + b'9' * 5_000_000 + b'}'",
        "b'{\"data\":{\"image/png\":\"' + b'A' * 17_000_000 + b'\"}}'",
        "b'{\"text\":\"' + b'\\\\r' * 2_000_000 + b'\"}', 'stream'",
        "b'{\"ename\":\"' + b'\\\\u001b[' * 2_000_000 + b'\"}', 'error'",
        "b'{\"traceback\":[\"' + b'x' * 17_000_000 + b'\"]}', 'error'",
        "'{\"text\":\"x\"}'.encode('utf-16'), 'stream'",
    ],
    ids=["deep", "digits", "picture", "returns", "escapes", "traceback", "utf-16"],
)
async def test_large_messages_of_other_kinds(thread: Thread, content: str) -> None:
    execution = await thread.run(f"{FORGE}\nforge({content})\nprint('printed')")
    assert execution.status in {"ok", "error"}
    assert "printed\n" in thread.logs and len(thread.logs) < 20_000


async def test_a_message_of_very_many_frames(thread: Thread) -> None:
    """The kernel sends the same bytes again and again, which costs it nothing."""
    await thread.run("1")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    execution = await thread.run(
        f"{FORGE}\nsend(*[bytes(8 << 20)] * 60, copy=False)\nimport time; time.sleep(30)"
    )
    assert execution.status == "killed" and "it produced too much output" in thread.logs
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown // (1024 if sys.platform == "darwin" else 1) < 200 * 1024
    assert (await thread.run("1")).status == "ok"


async def test_a_frame_that_is_too_large(thread: Thread) -> None:
    execution = await thread.run(f"{FORGE}\nsend(bytes(64 << 20))\nimport time; time.sleep(30)")
    assert execution.status == "killed" and "it produced too much output" in thread.logs


async def test_charts_that_bring_their_data(thread: Thread) -> None:
    """What is not shown stays in the kernel, so that the rest of the message is read."""
    code = """
values = list(range(200_000))
display({"application/vnd.plotly.v1+json": values, "text/html": "<p>", "text/plain": "Figure()"}, raw=True)
"""
    assert (await thread.run(code)).status == "ok"
    assert thread.logs == "Figure()\n"


async def test_others_have_their_turn_between_messages(thread: Thread) -> None:
    """A flood of small messages holds the event loop for one of them at a time."""
    turns, over = 0, asyncio.Event()

    async def count() -> None:
        nonlocal turns
        while not over.is_set():
            turns += 1
            await asyncio.sleep(0)

    await thread.run("1")
    counting = asyncio.create_task(count())
    flood = "thread.schedule(lambda: [forge_now(b'{}', 'comm_msg') for _ in range(800)])"
    execution = await thread.run(f"{FORGE}\n{flood}\nprint('printed')")
    over.set()
    await counting
    assert (execution.status, thread.logs) == ("ok", "printed\n") and turns > 800


async def test_short_messages_count_for_more_than_their_bytes(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "_RECEIVED_IN_ALL", 800 * 1024)
    flood = "thread.schedule(lambda: [forge_now(b'{}', 'comm_msg') for _ in range(800)])"
    execution = await thread.run(f"{FORGE}\n{flood}\nimport time; time.sleep(30)")
    assert execution.status == "killed" and "it produced too much output" in thread.logs
