"""Every callback of the SDK's streaming handler is called by some run of the engine."""

import asyncio
from typing import Any

import pytest
from openai import APIError, AsyncAssistantEventHandler

from support.engines import ServedEngine
from support.model_endpoint import Reply, calls, chunk, says

PLOT = (
    "from IPython.display import Image, display\\n"
    "display(Image(data=bytes.fromhex('89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082'), format='png'))"
)
CALLBACKS = {name for name in vars(AsyncAssistantEventHandler) if name.startswith("on_")}


class Recording(AsyncAssistantEventHandler):
    """Remembers which callbacks were called, and what the last was given."""

    def __init__(self) -> None:
        super().__init__()
        self.called: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("on_"):
            return super().__getattribute__(name)

        async def record(*given: object) -> None:
            self.called.add(name)

        return record


async def test_every_callback(served_engine: ServedEngine) -> None:
    runs = served_engine.sdk.beta.threads.runs
    handler, failing = Recording(), Recording()
    assistant = await served_engine.assistant(tools=[{"type": "code_interpreter"}])
    served_engine.replies(
        calls(("code_interpreter", f'{{"code": "{PLOT}"}}'), piece=80), says("Here", " it is.")
    )
    thread = await served_engine.thread("Plot it")
    async with runs.stream(thread_id=thread, assistant_id=assistant, event_handler=handler) as stream:
        await stream.until_done()

    # An event of the kind `error` is an exception for the reader: here its run is deleted.
    served_engine.replies(Reply([chunk({"content": "Well"}), asyncio.Event()]))
    thread = await served_engine.thread("Hello?")
    async with runs.stream(thread_id=thread, assistant_id=assistant, event_handler=failing) as stream:
        with pytest.raises(APIError, match="The run was deleted"):
            async for event in stream:
                if event.event == "thread.message.delta":
                    await served_engine.http.delete(f"/threads/{thread}")

    assert failing.called - handler.called == {"on_exception"}
    # The one that is left is for time-outs of the client's own.
    assert CALLBACKS - handler.called - failing.called == {"on_timeout"}
