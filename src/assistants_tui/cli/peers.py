"""Whether this user's own programs are at the other end of a connection within this computer.

Linux tells the owner of a socket when it is asked by its two ends (sock_diag(7)); where that is not to be
had, it lists all sockets of the network namespace. Other systems let a user see the sockets of their own
processes, which takes longer and tells as much.
"""

import asyncio
import os
import socket
import struct
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

Endpoint = tuple[str, int]
"""Address and port of one end of a connection."""

_TABLES = {4: Path("/proc/net/tcp"), 6: Path("/proc/net/tcp6")}
# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, _NETLINK_HEAD = 4, 20, 1, 16
_UID_AT = _NETLINK_HEAD + 4 + 48 + 12  # behind state and timers, the two ends, expiry and queues
_ALL_STATES = _NO_COOKIE = 0xFFFFFFFF
_READS = 3  # of the tables: they change while they are read, and then a line may be left out


class Peer:
    """The other end of a connection. It is looked up once, when it first asks for something."""

    def __init__(self, client: Endpoint, server: Endpoint) -> None:
        self._ends = client, server
        self._lookup: asyncio.Task[bool] | None = None

    async def is_own(self) -> bool:
        """Whether it is a program of the user who runs this one."""
        if self._lookup is None:
            self._lookup = asyncio.create_task(asyncio.to_thread(is_own, *self._ends))
        return await asyncio.shield(self._lookup)


def is_own(client: Endpoint, server: Endpoint) -> bool:
    """Whether the socket `client` that is connected to `server` belongs to this user.

    False also where nobody holds it open any more. May take some milliseconds, most where the system is not
    Linux.
    """
    if not _TABLES[4].exists():
        return is_of_own_processes(client, server)
    found = asked_by_its_ends(client, server) or listed(client, server)
    if found is None:
        return False
    uid, inode = found
    return inode != 0 and uid == os.geteuid()  # without an inode nobody holds it, and the user is always 0


def asked_by_its_ends(client: Endpoint, server: Endpoint) -> tuple[int, int] | None:
    """User and inode of a socket; None if the system knows no such socket, or does not say. Linux alone."""
    (local, port), (remote, other_port) = _address(client), _address(server)
    family = socket.AF_INET if local.version == 4 else socket.AF_INET6
    request = struct.pack("=BBBxI", family, socket.IPPROTO_TCP, 0, _ALL_STATES)
    request += struct.pack("!HH16s16s", port, other_port, local.packed, remote.packed)
    request += struct.pack("=III", 0, _NO_COOKIE, _NO_COOKIE)
    head = struct.pack("=IHHII", _NETLINK_HEAD + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as asked:
            asked.settimeout(1)
            asked.send(head + request)
            answer = asked.recv(4096)
    except OSError:
        return None
    if len(answer) < _UID_AT + 8 or struct.unpack_from("=H", answer, 4)[0] != _SOCK_DIAG_BY_FAMILY:
        return None  # an error
    uid, inode = struct.unpack_from("=II", answer, _UID_AT)
    return uid, inode


def listed(client: Endpoint, server: Endpoint) -> tuple[int, int] | None:
    """The same from the list of all sockets."""
    ends = _address(client), _address(server)
    for _ in range(_READS):
        for version, path in _TABLES.items():
            if (line := _line(path, *(_written(end, version) for end in ends))) is not None:
                # st, tx_queue:rx_queue, tr:tm->when, retrnsmt, uid, timeout, inode
                return int(line[4]), int(line[6])
    return None


def is_of_own_processes(client: Endpoint, server: Endpoint) -> bool:
    """The same where the system has no table of all sockets."""
    import psutil

    me, ends = os.geteuid(), (_address(client), _address(server))
    for process in psutil.process_iter():
        try:
            if process.uids().effective != me:
                continue
            for found in process.net_connections("tcp"):
                if found.raddr and (_address(found.laddr), _address(found.raddr)) == ends:
                    return True
        except psutil.Error:
            continue  # it has ended, or is not ours to look at
    return False


def _address(end: Endpoint) -> tuple[IPv4Address | IPv6Address, int]:
    """An end, the same for an IPv4 address that is written as one of IPv6."""
    address = ip_address(end[0].partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address, end[1]


def _written(end: tuple[IPv4Address | IPv6Address, int], version: int) -> str:
    """An end as the table of that version has it; empty for one that cannot be in it."""
    address, port = end
    if address.version == 4 and version == 6:
        address = IPv6Address(f"::ffff:{address}")
    if address.version != version:
        return ""
    packed = address.packed
    numbers = (int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4))
    return "".join(f"{number:08X}" for number in numbers) + f":{port:04X}"


def _line(path: Path, local: str, remote: str) -> list[bytes] | None:
    """What the table has behind the two ends of a connection; None if it does not have it."""
    if not local or not remote:
        return None
    try:
        table = path.read_bytes()
    except OSError:
        return None
    ends = f" {local} {remote} ".encode()
    start = table.find(ends)
    return None if start < 0 else table[start + len(ends) :].split(b"\n", 1)[0].split()
