"""Connections to `serve`: uvicorn's, with a limit to how long a client may take to say what it wants.

uvicorn waits for ever for a client that connects and sends nothing, or its request byte by byte; enough of
them use up the sockets that the system allows ("slow loris"). It waits as long for one that reads nothing of
its answer, which is held in memory meanwhile. Bodies have their own limit (see `engine.api.body_stream`),
answers last as long as their runs.
"""

import asyncio
import socket
import struct

from uvicorn.protocols.http.h11_impl import H11Protocol

from assistants_tui.cli.peers import Peer

HEAD_SECONDS = 20.0
"""From the connection, or the first byte of a further request, to the end of the request's head."""

STALLED_SECONDS = 60.0
"""How long a client may read nothing while there is more for it than the buffers of its connection take."""

_READ = 16 * 1024
"""Bytes that are taken from a connection before others have their turn.

asyncio takes 256 KiB. As chunks of one byte each (RFC 9112, 7.1) these are 40,000, which take half a second.
"""


class TimedConnection(H11Protocol):
    """HTTP/1.1 with deadlines for sending the head of each request, and for reading more of the answer.

    Past them the connection is closed.
    The scope's state has the other end of a TCP connection as `peer`.
    """

    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        transport.max_size = _READ  # type: ignore[attr-defined]  # as asyncio's own have it
        if self.client is not None and self.server is not None and self.server[1] is not None:
            self.app_state = {**self.app_state, "peer": Peer(self.client, (self.server[0], self.server[1]))}
        self._deadline = self.loop.call_later(HEAD_SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALLED_SECONDS, self._reset)

    def resume_writing(self) -> None:
        self._forget_stall()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        self._forget_stall()
        super().connection_lost(exc)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _reset(self) -> None:
        """End the connection without waiting for what is in its buffers to be read, the system's included."""
        if (connected := self.transport.get_extra_info("socket")) is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _forget_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
