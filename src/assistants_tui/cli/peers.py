"""Whether this user's own programs are at the other end of a connection within this computer.

Linux lists the sockets of the network namespace with their owners. Other systems let a user see the sockets
of their own processes, which takes longer and tells as much.
"""

import asyncio
import os
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

Endpoint = tuple[str, int]
"""Address and port of one end of a connection."""

_TABLES = {4: Path("/proc/net/tcp"), 6: Path("/proc/net/tcp6")}
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

    False also where nobody holds it open any more. Takes a millisecond for a thousand sockets on Linux, more
    on other systems.
    """
    if not _TABLES[4].exists():
        return is_of_own_processes(client, server)
    ends = _address(client), _address(server)
    for _ in range(_READS):
        for version, path in _TABLES.items():
            if (line := _line(path, *(_written(end, version) for end in ends))) is not None:
                # st, tx_queue:rx_queue, tr:tm->when, retrnsmt, uid, timeout, inode
                uid, inode = int(line[4]), int(line[6])
                return inode != 0 and uid == os.geteuid()  # without an inode it has no owner any more
    return False


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
