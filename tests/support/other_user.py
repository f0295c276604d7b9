"""Programs of another user of this computer. Only root can start them."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a program as another user")


@contextmanager
def program(uid: int, work: Callable[[], bytes]) -> Iterator[bytes]:
    """Run `work` in a process of that user, and hold the process, with what it opened, until the block ends.

    Gives what `work` returns.
    """
    answer, answered = os.pipe()
    held, release = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(release)
            if uid != os.geteuid():
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            os.write(answered, work())
            os.close(answered)
            os.read(held, 1)
        finally:
            os._exit(0)
    os.close(answered)
    os.close(held)
    try:
        with os.fdopen(answer, "rb") as pipe:
            yield pipe.read()
    finally:
        os.close(release)
        os.waitpid(child, 0)


def ask(
    family: socket.AddressFamily,
    address: str | tuple[str | None, int | None],
    request: bytes,
    *,
    wait: bool = True,
) -> bytes:
    """Send a request and return what comes until the server closes; without `wait` close at once."""
    with socket.socket(family) as client:
        client.settimeout(60)
        try:
            client.connect(address)
            client.sendall(request)
            if not wait:
                return b"sent"
            return b"".join(iter(lambda: client.recv(65536), b""))
        except OSError as error:
            return type(error).__name__.encode()
