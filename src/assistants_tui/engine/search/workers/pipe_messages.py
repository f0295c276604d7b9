"""Messages on a pipe: a length of four bytes, then that many bytes of JSON."""

import asyncio
import json
import os
import struct
import sys
from typing import Any, BinaryIO

Message = dict[str, Any]

_HEAD = struct.Struct(">I")
MAX_BYTES = 64 << 20
"""The largest message: what sends more is out of order."""


def encode(message: Message) -> bytes:
    data = json.dumps(message, separators=(",", ":")).encode("ascii")
    return _HEAD.pack(len(data)) + data


def own_standard_output() -> BinaryIO:
    """A worker's pipe to the engine, out of reach of libraries that print."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def read(pipe: BinaryIO) -> Message | None:
    """The next message in a worker; None when the engine has closed the pipe."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    message: Message = json.loads(pipe.read(_HEAD.unpack(head)[0]))
    return message


def write(pipe: BinaryIO, message: Message) -> None:
    pipe.write(encode(message))
    pipe.flush()


async def receive(stream: asyncio.StreamReader) -> Message | None:
    """The next message in the engine; None when the worker is gone, or sends something else."""
    try:
        (size,) = _HEAD.unpack(await stream.readexactly(_HEAD.size))
        if size > MAX_BYTES:
            return None
        message = json.loads(await stream.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        return None
    return message if isinstance(message, dict) else None
