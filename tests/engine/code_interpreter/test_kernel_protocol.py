"""Code that turns on the kernel's own connections, or has none of it left."""

import socket
from pathlib import Path

import pytest

from support.code_interpreter import OpenInterpreter, Thread

LURE = """
import os, socket, time
from ipykernel.kernelapp import IPKernelApp
base = IPKernelApp.instance().ip
for number in (1, 2, 4):
    os.unlink(f"{base}-{number}")
    os.symlink(TRAP, f"{base}-{number}")
for number in range(3, 256):
    try:
        connection = socket.socket(fileno=os.dup(number))
        listens = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if connection.getsockname().startswith(base) and not listens:
            connection.shutdown(socket.SHUT_RDWR)
    except (OSError, AttributeError):
        pass
time.sleep(60)
"""


async def test_the_host_is_not_lured_to_another_socket(
    open_interpreter: OpenInterpreter, tmp_path_factory: pytest.TempPathFactory
) -> None:
    thread = Thread(await open_interpreter("bubblewrap", seconds=1, grace_seconds=1))
    trap = Path("/tmp", tmp_path_factory.mktemp("trap").name + ".socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(trap))
        server.listen()
        try:
            execution = await thread.run(f"TRAP = {str(trap)!r}\n{LURE}")
            assert execution.status == "timeout", execution
            server.setblocking(False)
            with pytest.raises(BlockingIOError):
                server.accept()
        finally:
            trap.unlink()
    assert (await thread.run("print('again')")).status == "ok"


STRANGE = """
import json
from ipykernel.kernelapp import IPKernelApp
app = IPKernelApp.instance()
thread, session = app.iopub_thread, app.session
parent = {"msg_id": app.kernel.get_parent()["header"]["msg_id"]}
def send(*frames):
    thread.schedule(lambda: app.iopub_socket.send_multipart(frames))
def forge(kind, content, about=parent):
    header = {"msg_id": "forged", "msg_type": kind, "version": "5.3"}
    parts = [json.dumps(part).encode() for part in (header, about, {}, content)]
    send(b"<IDS|MSG>", session.sign(parts), *parts)
for frames in ([b""], [b"x"] * 9, [b"<IDS|MSG>"], [b"<IDS|MSG>", b"bad", b"{}", b"{}", b"{}"],
               [b"\\xff" * 1000], [b"<IDS|MSG>", b"", b"[" * 100_000, b"1", b"null", b"[]"]):
    send(*frames)
for content in (None, [], "text", 1, {}, {"text": 7}, {"text": None}, {"data": "text"}, {"traceback": 5},
                {"data": {"image/png": "not base64"}}, {"data": {"image/png": 7, "text/plain": ["x"]}},
                {"execution_state": ["idle"]}):
    for kind in ("stream", "display_data", "error", "status", "nothing", 7, None):
        forge(kind, content)
for strange in (None, 1, "text", [1]):
    forge("stream", {"text": "x"}, about=strange)
forge("display_data", {"data": {"image/png": "bm90IGEgcG5n", "text/plain": "not a picture"}})
forge("stream", {"text": "forged"})
print("printed")
"""


@pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])
async def test_strange_messages_are_passed_over(open_interpreter: OpenInterpreter, sandbox: str) -> None:
    thread = Thread(await open_interpreter(sandbox))
    execution = await thread.run(STRANGE)
    assert execution.status == "error"  # one of the forged messages said so
    assert "forged" in thread.logs
    assert "not a picture" in thread.logs
    assert "printed\n" in thread.logs
    assert thread.images == []
    assert (await thread.run("1")).status == "ok"


@pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])
async def test_input_is_refused(open_interpreter: OpenInterpreter, sandbox: str) -> None:
    thread = Thread(await open_interpreter(sandbox))
    execution = await thread.run("input('name? ')")
    assert execution.status == "error"
    assert "does not support input" in thread.logs
