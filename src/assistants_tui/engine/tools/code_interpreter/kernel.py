"""A Jupyter kernel in the sandbox: connected to once, asked to run code, interrupted, ended.

The protocol is the one of https://jupyter-client.readthedocs.io/en/stable/messaging.html over Unix sockets.
Code in the kernel owns the other end, so that every message is taken for what anybody may have written.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .interface import MIB, Limits
from .launchers import Launcher, LauncherError, Place
from .process import ProcessEndedError, SandboxProcess, describe_exit

if TYPE_CHECKING:
    import zmq.asyncio
    from jupyter_client.session import Session

OnMessage = Callable[[str, Mapping[str, Any]], Awaitable[None]]

_START_SECONDS = 60.0
_SHELL, _IOPUB, _STDIN, _CONTROL, _HEARTBEAT = 1, 2, 3, 4, 5  # "ports" are endings of socket names
_RECEIVED_AHEAD = 8  # messages in memory that nobody has looked at yet
_LARGE = 256 * 1024  # a message of more bytes is decoded off the event loop
_POLL_SECONDS = 0.1
_LOST_SECONDS = 2.0  # of silence after a reply: the kernel has dropped its last messages
_RECEIVED_IN_ALL = 64 * MIB  # bytes of messages about one call

_REQUEST = {
    "silent": False,
    "store_history": True,
    "user_expressions": {},
    "allow_stdin": False,
    "stop_on_error": True,
}


class KernelError(Exception):
    """The kernel could not be started, or is gone; the text is a sentence for the user."""


@dataclass
class _Call:
    """What has come of one request so far."""

    request: str
    on_message: OnMessage
    allowance: int = _RECEIVED_IN_ALL
    replied: bool = False
    idle: bool = False

    @property
    def over(self) -> bool:
        return self.replied and self.idle


class Kernel:
    """Started by `start` only."""

    def __init__(
        self, process: SandboxProcess, session: Session, sockets: Mapping[int, zmq.asyncio.Socket]
    ) -> None:
        self.process = process
        self.ended: str | None = None
        self._session = session
        self._sockets = sockets
        self._running = False
        self._finished = asyncio.Event()

    @classmethod
    async def start(
        cls, launcher: Launcher, place: Place, limits: Limits, context: zmq.asyncio.Context
    ) -> Kernel:
        """Start a kernel and wait until it answers. Raises KernelError."""
        from jupyter_client.session import Session

        key, token = secrets.token_hex(16), secrets.token_hex(16)
        await asyncio.to_thread(_write_connection_file, launcher, place, key)
        order = {
            "task": "kernel",
            "token": token,
            "connection_file": f"{launcher.run_inside(place)}/kernel.json",
            # one more, so that the note about dropped text is written in one place, outside
            "output_chars": limits.output_chars + 1,
        }
        try:
            process = await SandboxProcess.start(launcher, place, limits, order)
        except (OSError, LauncherError) as error:
            raise KernelError(f"The code interpreter could not be started: {error}") from error
        session = Session(key=key.encode(), signature_scheme="hmac-sha256")
        sockets = {number: _socket(context, number, session, limits) for number in (_SHELL, _IOPUB, _CONTROL)}
        kernel = cls(process, session, sockets)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await process.wait_for(token)
                for number, socket in sockets.items():
                    socket.connect(f"ipc://{place.run}/s-{number}")
                await kernel._greet()
        except (ProcessEndedError, TimeoutError) as error:
            await kernel.close()
            text = str(error) or f"no answer within {_START_SECONDS:.0f} seconds. {process.written[-1000:]}"
            raise KernelError(f"The code interpreter could not be started: {text}") from error
        except BaseException:
            await kernel.close()
            raise
        return kernel

    @property
    def alive(self) -> bool:
        return self.ended is None and self.process.exit_code is None

    async def _greet(self) -> None:
        """Make sure that all sockets are connected, before foreign code could put others in their place."""
        for number in (_SHELL, _CONTROL):
            await self._send(number, "kernel_info_request", {})
            await self._sockets[number].recv_multipart()
        # a subscription takes effect some time after connecting: ask again until something is published
        while not await self._sockets[_IOPUB].poll(100):
            await self._send(_SHELL, "kernel_info_request", {})
            await self._sockets[_SHELL].recv_multipart()

    async def execute(self, code: str, on_message: OnMessage) -> None:
        """Run code, handing on each message about it until the kernel is idle again.

        Raises KernelError when the kernel is gone before that.
        """
        import zmq
        import zmq.asyncio

        poller = zmq.asyncio.Poller()
        for number in (_IOPUB, _SHELL):
            poller.register(self._sockets[number], zmq.POLLIN)
        silence = 0.0
        self._running = True
        self._finished.clear()
        try:
            call = _Call(await self._send(_SHELL, "execute_request", {"code": code, **_REQUEST}), on_message)
            while not call.over:
                ready = await poller.poll(_POLL_SECONDS * 1000)
                silence = 0.0 if ready else silence + _POLL_SECONDS
                for socket, _ in ready:
                    await self._receive(socket, call)
                if not ready and not self.alive:
                    raise KernelError(self.obituary)
                if call.replied and silence >= _LOST_SECONDS:
                    await on_message("lost", {})
                    return
        except zmq.Again as error:
            self.kill("The code was stopped: the interpreter no longer accepts commands.")
            raise KernelError(self.obituary) from error
        finally:
            self._running = False
            self._finished.set()

    async def _receive(self, socket: zmq.asyncio.Socket, call: _Call) -> None:
        frames = await socket.recv_multipart()
        size = sum(map(len, frames))
        call.allowance -= size
        if call.allowance < 0:
            self.kill("The code was stopped: it produced too much output.")
            raise KernelError(self.obituary)
        message = await self._decode(frames, size)
        if message is None or message["parent_header"].get("msg_id") != call.request:
            return
        kind, content = message["header"].get("msg_type"), message["content"]
        if socket is self._sockets[_SHELL]:
            call.replied = call.replied or kind == "execute_reply"
        elif kind == "status":
            call.idle = call.idle or content.get("execution_state") == "idle"
        elif isinstance(kind, str):
            await call.on_message(kind, content)

    async def interrupt(self, sentence: str, grace: float) -> None:
        """Raise KeyboardInterrupt in running code; kill the kernel if it goes on for `grace` seconds."""
        import zmq

        if not self._running or not self.alive:
            return
        try:
            await self._send(_CONTROL, "interrupt_request", {})
            async with asyncio.timeout(grace):
                await self._finished.wait()
        except (TimeoutError, zmq.Again):
            self.kill(sentence)

    def kill(self, sentence: str) -> None:
        """End the kernel at once. The first sentence given is the one that counts."""
        if self.ended is None:
            self.ended = sentence
        self.process.kill()

    async def close(self) -> None:
        """End the kernel and wait until its processes and connections are gone."""
        self.kill("The code interpreter was closed.")
        for socket in self._sockets.values():
            socket.close(linger=0)
        await self.process.wait()

    @property
    def obituary(self) -> str | None:
        """Why it is gone, as a sentence; None as long as it is alive."""
        if self.ended is None and self.process.exit_code is not None:
            return f"The Python process ended unexpectedly ({describe_exit(self.process.exit_code)})."
        return self.ended

    async def _send(self, number: int, kind: str, content: dict[str, Any]) -> str:
        message = self._session.msg(kind, content)
        await self._sockets[number].send_multipart(self._session.serialize(message))
        identifier: str = message["header"]["msg_id"]
        return identifier

    async def _decode(self, frames: list[bytes], size: int) -> dict[str, Any] | None:
        """A message, or None for anything that is not one."""
        if size > _LARGE:
            return await asyncio.to_thread(self._decode_now, frames)
        return self._decode_now(frames)

    def _decode_now(self, frames: list[bytes]) -> dict[str, Any] | None:
        try:
            _, parts = self._session.feed_identities(frames)
            message: dict[str, Any] = self._session.deserialize(parts)
        except Exception:  # noqa: BLE001 - frames that anybody may have made fail in any way
            return None
        shape = (message.get("parent_header"), message.get("header"), message.get("content"))
        return message if all(isinstance(part, dict) for part in shape) else None


def _write_connection_file(launcher: Launcher, place: Place, key: str) -> None:
    connection = {
        "transport": "ipc",
        "ip": f"{launcher.run_inside(place)}/s",
        "shell_port": _SHELL,
        "iopub_port": _IOPUB,
        "stdin_port": _STDIN,
        "control_port": _CONTROL,
        "hb_port": _HEARTBEAT,
        "key": key,
        "signature_scheme": "hmac-sha256",
        "kernel_name": "python3",
    }
    path = place.run / "kernel.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(connection), encoding="utf-8")


def _socket(
    context: zmq.asyncio.Context, number: int, session: Session, limits: Limits
) -> zmq.asyncio.Socket:
    import zmq

    socket = context.socket(zmq.SUB if number == _IOPUB else zmq.DEALER)
    if number == _IOPUB:
        socket.setsockopt(zmq.SUBSCRIBE, b"")
    else:
        socket.setsockopt(zmq.IDENTITY, session.bsession)
    # Not again for 24 days: code can replace a socket's file by a link to another program's socket, and a
    # client that reconnects would talk to that one. (With -1, for never, libzmq 4.3 ends this whole process
    # when a connection breaks while a message is read: "Assertion failed: !_more (src/fq.cpp:80)".)
    socket.setsockopt(zmq.RECONNECT_IVL, 2**31 - 1)
    socket.setsockopt(zmq.SNDTIMEO, 2000)  # sending waits without end when the other side has gone
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVHWM, _RECEIVED_AHEAD)
    socket.setsockopt(zmq.MAXMSGSIZE, limits.image_bytes * 4 // 3 + MIB)  # pictures travel as base64
    return socket
