"""The sockets on which `serve` waits for connections: a port, or a file that is its owner's alone."""

import errno
import fcntl
import ipaddress
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BACKLOG = 128
_OF_THE_HOST = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_PATIENCE = 5.0  # seconds that another program may take to make its socket in the same folder


class ListenError(Exception):
    """There is no such socket to be had. `str` says why and what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address and a port, as `resolve` found them for a host."""

    family: socket.AddressFamily
    socket_address: tuple[Any, ...]

    @property
    def is_loopback(self) -> bool:
        """Whether only this computer can reach it."""
        return ipaddress.ip_address(self.socket_address[0]).is_loopback

    def __str__(self) -> str:
        host, port = self.socket_address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def resolve(host: str, port: int) -> Address:
    """The address to listen on for a host, however it is written. Raises `ListenError`."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:  # UnicodeError for what cannot be a name
        reason = error.strerror if isinstance(error, OSError) else "no name of a host"
        raise ListenError(f"cannot find the host {host!r} ({reason}). Choose another with --host.") from None
    return Address(family, address)


def listen_on(address: Address) -> socket.socket:
    """A port. Raises `ListenError`."""
    try:
        listener = socket.socket(address.family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address.socket_address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        advice = "host with --host" if error.errno in _OF_THE_HOST else "port with --port"
        raise ListenError(
            f"cannot listen on {address} ({error.strerror}). Choose another {advice}."
        ) from None
    return listener


class SocketFile:
    """A Unix socket with mode 0600."""

    def __init__(self, path: Path) -> None:
        """Make it. What a server has left there that runs no more is replaced. Raises `ListenError`."""
        self.path = path.absolute()
        try:
            with _alone_in(self.path.parent):
                _make_room(self.path)
                self.listener = _bound(self.path)
                self._made = self._identity()
        except OSError as error:
            raise ListenError(
                f"cannot make the socket {self.path} ({error.strerror or error}). "
                "Choose another place with --socket."
            ) from None

    def remove(self) -> None:
        """Take the file away, unless it is another one by now."""
        try:
            if self._identity() == self._made:
                self.path.unlink()
        except OSError:
            pass  # it is gone, or its folder is not ours any more

    def _identity(self) -> tuple[int, int, int]:
        found = self.path.lstat()
        return found.st_dev, found.st_ino, found.st_mtime_ns  # numbers of files are used again


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Let one program at a time look at what is there and replace it."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        mode = os.fstat(opened).st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise ListenError(
                f"every user can replace files in {folder}, also a socket. "
                "Choose a folder of your own with --socket."
            )
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise ListenError(f"another program keeps the folder {folder} locked.") from None
                time.sleep(0.02)
        yield
    finally:
        os.close(opened)


def _make_room(path: Path) -> None:
    """Remove a socket that nobody listens on. Raises `ListenError` for anything else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"{path} is there already, and is no socket. Choose another name with --socket.")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError:
            pass  # it does not let us in: somebody has it
    raise ListenError(f"a server runs at {path} already. Stop it, or choose another name with --socket.")


def _bound(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)  # so that nobody else can connect at any moment
    try:
        listener.bind(str(path))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener
