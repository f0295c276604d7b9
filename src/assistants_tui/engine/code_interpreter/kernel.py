"""A Jupyter kernel in the sandbox: connected to once, asked to run code, interrupted, ended.

The protocol is the one of https://jupyter-client.readthedocs.io/en/stable/messaging.html over Unix sockets.
Code in the kernel owns the other end, so that every message is taken for what anybody may have written.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistants_tui.protocol.bounded_json import TooManyValuesError, has_more_values, parse

from .execution import MIB, Limits
from .launchers import Launcher, LauncherError, SandboxPaths
from .outputs import LOST, NOT_READ, SHOWN
from .process import ProcessEndedError, SandboxProcess, describe_exit
from .zmtp import Connection, ConnectionLostError, TooLargeError

if TYPE_CHECKING:
    from jupyter_client.session import Session


@dataclass(frozen=True, slots=True)
class Message:
    """What a kernel says about the code that it runs. `large`: reading it takes longer than the loop may."""

    kind: str
    content: Mapping[str, Any]
    large: bool = False


OnMessage = Callable[[Message], Awaitable[None]]

_START_SECONDS = 60.0
_SHELL, _IOPUB, _STDIN, _CONTROL, _HEARTBEAT = 1, 2, 3, 4, 5  # "ports" are endings of socket names
_LARGE = 256 * 1024  # a message of more bytes is decoded off the event loop
_MOST_VALUES = 20_000  # of what one message says; what is shown is one text or one picture
_MOST_VALUES_ABOUT = 200  # of each part that says what a message is about
_DELIMITER = b"<IDS|MSG>"  # between what routes a message and the message
_POLL_SECONDS = 0.1
_END_SECONDS = 1.0  # from the end of a process's connections to the news of its own
_LOST_SECONDS = 2.0  # of silence after a reply: the kernel has dropped its last messages
_RECEIVED_IN_ALL = 64 * MIB  # bytes of messages about one call
_COST = 1024  # bytes that a message counts for beside its own: also the shortest one has to be read

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
    allowance: int
    replied: bool = False
    idle: bool = False

    @property
    def over(self) -> bool:
        return self.replied and self.idle


class Kernel:
    """Started by `start` only."""

    def __init__(self, process: SandboxProcess, session: Session, connections: dict[int, Connection]) -> None:
        self.process = process
        self.ended: str | None = None
        self._session = session
        self._connections = connections
        self._receiving: dict[int, asyncio.Task[list[bytes]]] = {}
        self._running = False
        self._finished = asyncio.Event()

    @classmethod
    async def start(cls, launcher: Launcher, paths: SandboxPaths, limits: Limits) -> Kernel:
        """Start a kernel and wait until it answers. Raises KernelError."""
        from jupyter_client.session import Session

        key, token = secrets.token_hex(16), secrets.token_hex(16)
        await asyncio.to_thread(_write_connection_file, launcher, paths, key)
        order = {
            "task": "kernel",
            "token": token,
            "connection_file": f"{launcher.run_inside(paths)}/kernel.json",
            # one more, so that the note about dropped text is written in one paths, outside
            "output_chars": limits.output_chars + 1,
            "media_types": SHOWN,
            "picture_bytes": _as_base64(limits.image_bytes),
            "all_pictures_bytes": _as_base64(limits.all_images_bytes),
        }
        try:
            process = await SandboxProcess.start(launcher, paths, limits, order)
        except (OSError, LauncherError) as error:
            raise KernelError(f"The code interpreter could not be started: {error}") from error
        session = Session(key=key.encode(), signature_scheme="hmac-sha256")
        kernel = cls(process, session, {})
        try:
            async with asyncio.timeout(_START_SECONDS):
                await process.wait_for(token)
                await kernel._connect(paths, limits)
        except (ProcessEndedError, ConnectionLostError, TooLargeError, TimeoutError) as error:
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

    async def _connect(self, paths: SandboxPaths, limits: Limits) -> None:
        """Connect once, before foreign code could put other sockets in the place of the kernel's."""
        most_bytes = _as_base64(limits.image_bytes) + MIB
        for number in (_SHELL, _IOPUB, _CONTROL):
            self._connections[number] = await Connection.open(
                f"{paths.run}/s-{number}",
                "SUB" if number == _IOPUB else "DEALER",
                identity=b"" if number == _IOPUB else self._session.bsession,
                most_bytes=most_bytes,
            )
        for number in (_SHELL, _CONTROL):
            await self._send(number, "kernel_info_request", {})
            await self._connections[number].receive()
        # a subscription takes effect some time after connecting: ask again until something is published
        while not await self._messages(_POLL_SECONDS, _IOPUB):
            await self._send(_SHELL, "kernel_info_request", {})
            await self._connections[_SHELL].receive()

    async def execute(self, code: str, on_message: OnMessage) -> None:
        """Run code, handing on each message about it until the kernel is idle again.

        Raises KernelError when the kernel is gone before that.
        """
        silence = 0.0
        self._running = True
        self._finished.clear()
        try:
            call = _Call(
                await self._send(_SHELL, "execute_request", {"code": code, **_REQUEST}),
                on_message,
                _RECEIVED_IN_ALL,
            )
            while not call.over:
                ready = await self._messages(_POLL_SECONDS, _IOPUB, _SHELL)
                silence = 0.0 if ready else silence + _POLL_SECONDS
                for number, frames in ready:
                    await self._read(number, frames, call)
                if not ready and not self.alive:
                    raise KernelError(self.exit_reason)
                if call.replied and silence >= _LOST_SECONDS:
                    await on_message(Message(LOST, {}))
                    return
        except ConnectionLostError as error:
            with contextlib.suppress(TimeoutError):  # if the process has ended, that is the reason
                async with asyncio.timeout(_END_SECONDS):
                    await self.process.wait()
            if self.alive:
                self.kill("The code was stopped: the interpreter no longer accepts commands.")
            raise KernelError(self.exit_reason) from error
        except TooLargeError as error:
            self.kill("The code was stopped: it produced too much output.")
            raise KernelError(self.exit_reason) from error
        finally:
            self._running = False
            self._finished.set()

    async def _messages(self, seconds: float, *numbers: int) -> list[tuple[int, list[bytes]]]:
        """The messages that have come, one of each connection; none after so many seconds.

        A connection that was lost says nothing any more. Raises TooLargeError.
        """
        for number in numbers:
            if number not in self._receiving:
                self._receiving[number] = asyncio.create_task(self._connections[number].receive())
        numbers = tuple(number for number in numbers if not _is_lost(self._receiving[number]))
        if not numbers:
            await asyncio.sleep(seconds)
            return []
        waiting = [self._receiving[number] for number in numbers]
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        came = [
            number for number in numbers if (task := self._receiving[number]).done() and not _is_lost(task)
        ]
        return [(number, self._receiving.pop(number).result()) for number in came]

    async def _read(self, number: int, frames: list[bytes], call: _Call) -> None:
        size = sum(map(len, frames))
        call.allowance -= size + _COST
        if call.allowance < 0:
            raise TooLargeError("too many messages about one call")
        large = size > _LARGE
        message = await asyncio.to_thread(self._decode, frames) if large else self._decode(frames)
        if message is None or message["parent_header"].get("msg_id") != call.request:
            return
        kind, content = message["header"].get("msg_type"), message["content"]
        if number == _SHELL:
            call.replied = call.replied or kind == "execute_reply"
        elif content is None:
            await call.on_message(Message(NOT_READ, {}))
        elif kind == "status":
            call.idle = call.idle or content.get("execution_state") == "idle"
        elif isinstance(kind, str):
            await call.on_message(Message(kind, content, large))

    async def interrupt(self, sentence: str, grace: float) -> None:
        """Raise KeyboardInterrupt in running code; kill the kernel if it goes on for `grace` seconds."""
        if not self._running or not self.alive:
            return
        try:
            await self._send(_CONTROL, "interrupt_request", {})
            async with asyncio.timeout(grace):
                await self._finished.wait()
        except (TimeoutError, ConnectionLostError):
            self.kill(sentence)

    def kill(self, sentence: str) -> None:
        """End the kernel at once. The first sentence given is the one that counts."""
        if self.ended is None:
            self.ended = sentence
        self.process.kill()

    async def close(self) -> None:
        """End the kernel and wait until its processes and connections are gone."""
        self.kill("The code interpreter was closed.")
        for connection in self._connections.values():
            connection.close()
        if self._receiving:
            await asyncio.wait(self._receiving.values())
            for task in self._receiving.values():
                task.exception()  # looked at, so that nobody reports it
        await self.process.wait()

    @property
    def exit_reason(self) -> str | None:
        """Why it is gone, as a sentence; None as long as it is alive."""
        if self.ended is None and self.process.exit_code is not None:
            return f"The Python process ended unexpectedly ({describe_exit(self.process.exit_code)})."
        return self.ended

    async def _send(self, number: int, kind: str, content: dict[str, Any]) -> str:
        message = self._session.msg(kind, content)
        await self._connections[number].send(self._session.serialize(message))
        identifier: str = message["header"]["msg_id"]
        return identifier

    def _decode(self, frames: list[bytes]) -> dict[str, Any] | None:
        """A message, or None for anything that is not one. `content` is None if it has too many values."""
        try:
            parts = frames[frames.index(_DELIMITER) + 1 :]
            if any(has_more_values(part, _MOST_VALUES_ABOUT) for part in parts[:4]):
                return None
            message: dict[str, Any] = self._session.deserialize(parts, content=False)
            message["content"] = parse(parts[4], _MOST_VALUES)
        except TooManyValuesError:
            message["content"] = None
        except Exception:  # noqa: BLE001 - frames that anybody may have made fail in any way
            return None
        if not isinstance(message["content"], dict | None):
            return None
        shape = (message.get("parent_header"), message.get("header"))
        return message if all(isinstance(part, dict) for part in shape) else None


def _as_base64(size: int) -> int:
    """The bytes that a picture of so many takes in a message, quotation marks included."""
    return (size + 2) // 3 * 4 + 2


def _is_lost(task: asyncio.Task[list[bytes]]) -> bool:
    return task.done() and isinstance(task.exception(), ConnectionLostError)


def _write_connection_file(launcher: Launcher, paths: SandboxPaths, key: str) -> None:
    connection = {
        "transport": "ipc",
        "ip": f"{launcher.run_inside(paths)}/s",
        "shell_port": _SHELL,
        "iopub_port": _IOPUB,
        "stdin_port": _STDIN,
        "control_port": _CONTROL,
        "hb_port": _HEARTBEAT,
        "key": key,
        "signature_scheme": "hmac-sha256",
        "kernel_name": "python3",
    }
    path = paths.run / "kernel.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(connection), encoding="utf-8")
