"""An engine behind a real loopback socket, in the test's own process or in one of its own."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from support.patience import until


@asynccontextmanager
async def served(app: ASGIApp, http: type[asyncio.Protocol] | None = None) -> AsyncIterator[str]:
    """The address of the app while it is served, such as `http://127.0.0.1:40001`.

    `http`: how connections are held, if not in uvicorn's way.
    """
    # asyncio sends small pieces at once only on sockets that say they are TCP.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=http or "auto", lifespan="on", log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until("it is served", lambda: server.started or serving.done(), pause=0.005)
        if not server.started:
            serving.result()
            raise RuntimeError("the server ended before it had started")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()
