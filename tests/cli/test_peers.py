"""Whose the other end of a connection is: real sockets, and a real other user where that can be had."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from assistants_tui.cli import peers
from assistants_tui.cli.peers import Endpoint, is_of_own_processes, is_own
from support.other_user import NOBODY, needs_root, program

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="a way of Linux")


def is_listed(client: Endpoint, server: Endpoint) -> bool:
    """As where the system does not answer questions about single sockets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peers, "asked_by_its_ends", lambda client, server: None)
        return is_own(client, server)


def is_known_by_its_ends(client: Endpoint, server: Endpoint) -> bool:
    """As where nothing else can be read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peers, "listed", lambda client, server: None)
        return is_own(client, server)


LOOKUPS = pytest.mark.parametrize(
    "lookup",
    [
        is_own,
        is_of_own_processes,
        pytest.param(is_listed, marks=on_linux),
        pytest.param(is_known_by_its_ends, marks=on_linux),
    ],
)
Lookup = Callable[[Endpoint, Endpoint], bool]


@contextmanager
def listening(host: str, family: socket.AddressFamily, *, both: bool = False) -> Iterator[socket.socket]:
    with socket.socket(family) as listener:
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both)
        try:
            listener.bind((host, 0))
        except OSError:
            pytest.skip(f"this computer has no address {host}")
        listener.listen()
        yield listener


def ends(connection: socket.socket) -> tuple[Endpoint, Endpoint]:
    client, server = connection.getpeername(), connection.getsockname()
    return (client[0], client[1]), (server[0], server[1])


@LOOKUPS
@pytest.mark.parametrize(
    ("host", "family", "both", "client", "to"),
    [
        ("127.0.0.1", socket.AF_INET, False, socket.AF_INET, "127.0.0.1"),
        ("127.0.0.1", socket.AF_INET, False, socket.AF_INET6, "::ffff:127.0.0.1"),
        ("::1", socket.AF_INET6, False, socket.AF_INET6, "::1"),
        ("::", socket.AF_INET6, True, socket.AF_INET, "127.0.0.1"),
    ],
    ids=["IPv4", "IPv4 in IPv6", "IPv6", "both"],
)
def test_own_programs_are_known(
    lookup: Lookup,
    host: str,
    family: socket.AddressFamily,
    both: bool,
    client: socket.AddressFamily,
    to: str,
) -> None:
    with listening(host, family, both=both) as listener, socket.socket(client) as caller:
        caller.connect((to, listener.getsockname()[1]))
        accepted, _ = listener.accept()
        with accepted:
            assert lookup(*ends(accepted))
            caller.shutdown(socket.SHUT_WR)  # it may still read the answer
            assert lookup(*ends(accepted))
            caller.close()
            assert not lookup(*ends(accepted))


@needs_root
@LOOKUPS
@pytest.mark.parametrize("uid", [NOBODY, os.geteuid()])
def test_another_user_is_not_taken_for_this_one(lookup: Lookup, uid: int) -> None:
    with listening("127.0.0.1", socket.AF_INET) as listener:
        caller = socket.socket()

        def connect() -> bytes:
            nonlocal caller
            caller.close()
            caller = socket.socket()
            caller.connect(listener.getsockname())
            return b"connected"

        with program(uid, connect) as said:
            assert said == b"connected"
            accepted, _ = listener.accept()
            with accepted:
                assert lookup(*ends(accepted)) is (uid == os.geteuid())
        caller.close()
