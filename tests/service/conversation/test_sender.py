"""Messages on their way to a server that refuses, loses and holds requests: none is lost, none is doubled."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistants_tui.service.client.backend import Backend, open_backend
from assistants_tui.service.conversation import sender as sender_module
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.drafts import Draft
from assistants_tui.settings.config import Profile, RunSettings
from assistants_tui.settings.paths import user_paths
from support.odd_server import listed, message
from support.patience import until

Fate = Literal["done", "refused", "lost before", "lost after", "late", "held", "held late"]
"""What becomes of a request: answered; refused; its connection ends before or after it is carried out, or
before the test lets it be carried out (`late`); or it waits until the test lets it go on, unless the client
goes away, and then it is dropped or late."""
Step = Literal["send", "retry", "take back", "stop", "let go", "arrive", "look"]

FATES = st.lists(
    st.sampled_from(
        ["done", "done", "done", "refused", "lost before", "lost after", "late", "held", "held late"]
    ),
    max_size=12,
)
STEPS = st.lists(
    st.sampled_from(["send", "send", "retry", "take back", "stop", "let go", "arrive", "look"]),
    min_size=1,
    max_size=10,
)


@dataclass
class Server:
    """Speaks HTTP on a real socket, has one thread, and completes each run at once."""

    fates: list[Fate]
    keeps_metadata: bool = True
    """Some servers drop what a message has beyond its text."""
    late: list[tuple[str, Any]] = field(default_factory=list)
    """Requests that are still to be carried out."""
    messages: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    held: int = 0
    """Requests that wait."""
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    readable: asyncio.Event = field(default_factory=asyncio.Event)
    """Reading waits for it."""
    connections: int = 0
    clock: int = 0

    @property
    def texts(self) -> list[str]:
        return [one["content"][0]["text"]["value"] for one in self.messages]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                lengths = [line[15:] for line in head.split("\r\n") if line.startswith("content-length")]
                body = json.loads(await reader.readexactly(int(*lengths or "0")) or b"{}")
                method, target, _ = head.split(" ", 2)
                answer = await self.answer(method, target.split("?")[0].removeprefix("/v1"), body, reader)
                if answer is None:
                    break
                data = json.dumps(answer[1]).encode()
                writer.write(
                    b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                    % (answer[0], len(data))
                )
                writer.write(data)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()
            self.connections -= 1

    async def answer(
        self, method: str, path: str, body: Any, reader: asyncio.StreamReader
    ) -> tuple[int, dict[str, Any]] | None:
        """Status and body; None: the connection ends without an answer."""
        if method != "post":
            await self.readable.wait()
            return self.read(method, path)
        fate = self.fates.pop(0) if self.fates else "done"
        if fate in {"held", "held late"} and not await self.hold(reader):
            if fate == "held late":
                self.late.append((path, body))
            return None
        if fate == "late":
            self.late.append((path, body))
        if fate in {"lost before", "late"}:
            return None
        if fate == "refused":
            return 400, {"error": {"message": "No.", "type": "invalid_request_error"}}
        done = self.carry_out(path, body)
        return None if fate == "lost after" else (200, done)

    async def hold(self, reader: asyncio.StreamReader) -> bool:
        """Wait until the test lets the request go on. False if the client has gone before."""
        gone, released = asyncio.create_task(reader.read(1)), asyncio.create_task(self.go_on.wait())
        self.held += 1
        await asyncio.wait({gone, released}, return_when=asyncio.FIRST_COMPLETED)
        self.held -= 1
        stays = not gone.done()
        for task in (gone, released):
            task.cancel()
        await asyncio.gather(gone, released, return_exceptions=True)
        return stays

    def arrive(self) -> None:
        """Carry out what is late."""
        while self.late:
            self.carry_out(*self.late.pop(0))

    def carry_out(self, path: str, body: Any) -> dict[str, Any]:
        self.clock += 1
        if path.endswith("/messages"):
            stored = message(body["content"], number=self.clock)
            if self.keeps_metadata:
                stored["metadata"] = body.get("metadata") or {}
            self.messages.append(stored)
            return self.messages[-1]
        if path.endswith("/runs"):
            created = 1_700_000_000 + self.clock
            run = {"id": f"run_{self.clock}", "thread_id": "thread_1", "status": "completed"}
            self.runs.append({**run, "created_at": created, "assistant_id": "asst_1", "tools": []})
            return self.runs[-1]
        return {"id": "thread_1", "object": "thread", "created_at": 1, "metadata": {}}

    def read(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        name = path.rsplit("/", 1)[-1]
        if method == "delete":
            self.messages = [one for one in self.messages if one["id"] != name]
            return 200, {"id": name, "deleted": True}
        if name == "messages":
            return 200, listed(*reversed(self.messages))
        if name == "runs":
            return 200, listed(*reversed(self.runs))
        if name == "steps":
            return 200, listed()
        return 200, next(run for run in self.runs if run["id"] == name)


@asynccontextmanager
async def talking(
    fates: list[Fate], *, keeps_metadata: bool = True
) -> AsyncIterator[tuple[Server, Conversation]]:
    """A conversation with such a server."""
    server = Server(fates, keeps_metadata)
    server.readable.set()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    runs = RunSettings(stream=False, poll_initial_delay=0.0, poll_interval=0.001)
    backend = await open_backend(Profile("random", "openai", base_url=url, runs=runs), paths=user_paths())

    async def opened() -> Backend:
        return backend

    conversation = Conversation(opened)
    try:
        yield server, conversation
    finally:
        server.go_on.set()
        server.readable.set()
        await conversation.close()
        await backend.close()
        listening.close()
        await until("no connection is left", lambda: not server.connections, pause=0)


async def settle(server: Server, conversation: Conversation) -> None:
    """Wait until all is sent or failed, or a request is held."""
    await until("nothing is on its way", lambda: not conversation.busy or server.held, pause=0.001)


@settings(max_examples=25, deadline=None)
@given(fates=FATES, steps=STEPS, keeps_metadata=st.booleans())
def test_each_text_is_at_the_server_or_with_the_user_whatever_happens(
    fates: list[Fate], steps: list[Step], keeps_metadata: bool
) -> None:
    if not keeps_metadata:  # what such a server stores late cannot be told from another message
        early: dict[Fate, Fate] = {"late": "lost before", "held late": "held"}
        fates = [early.get(fate, fate) for fate in fates]
    asyncio.run(send_through(fates, steps, keeps_metadata=keeps_metadata))


async def send_through(fates: list[Fate], steps: list[Step], *, keeps_metadata: bool) -> None:
    written: list[str] = []
    back: list[str] = []
    doubted: set[str] = set()  # the user was told that the server may have it
    async with talking(fates, keeps_metadata=keeps_metadata) as (server, conversation):
        sender = conversation.sender
        for step in [*steps, "let go", "arrive", "look", "close"]:
            match step:
                case "send":
                    written.append(f"text {len(written)}")
                    sender.send(Draft(written[-1]), "asst_1")
                case "retry":
                    for item in conversation.outbox:
                        sender.retry(item.id)
                case "take back":
                    for item in conversation.outbox:
                        if (draft := sender.take_back(item.id)) is not None:
                            back.append(draft.text)
                            break
                case "stop":
                    await conversation.cancel()
                case "let go":
                    server.go_on.set()
                    await until("no request is held", lambda: not server.held, pause=0)
                    server.go_on.clear()
                case "arrive":
                    server.arrive()
                case "look":
                    conversation.look_again()
                case "close":
                    await conversation.close()
                    doubted |= {item.text for item in conversation.outbox if item.sending}
            if step != "close":
                await settle(server, conversation)
            failed = [item for item in conversation.outbox if item.error is not None]
            doubted |= {item.text for item in failed if item.error and not item.error.no_effect}
        back += [draft.text for draft in sender.outbox.unsent]
        for text in written:
            places = server.texts.count(text) + back.count(text)
            assert server.texts.count(text) <= 1, "doubled"
            assert back.count(text) <= 1, "given back twice"
            assert places == 1 or (places == 2 and text in doubted), (text, places)


@pytest.mark.parametrize("keeps_metadata", [True, False])
async def test_a_text_that_is_written_anew_after_others_is_another_message(keeps_metadata: bool) -> None:
    """Though the answer to the first of them was lost, and the same text is then looked for."""
    async with talking(["done", "lost after"], keeps_metadata=keeps_metadata) as (server, conversation):
        sender = conversation.sender
        for text in ("yes", "And now?", "yes"):
            sender.send(Draft(text), "asst_1")
            await conversation.settled()
            for item in conversation.outbox:
                sender.take_back(item.id)
        assert server.texts == ["yes", "And now?", "yes"]
        assert len(server.runs) == 2


@pytest.mark.parametrize("keeps_metadata", [True, False])
async def test_a_text_that_is_taken_back_and_sent_again_is_there_once(keeps_metadata: bool) -> None:
    async with talking(["done", "lost after"], keeps_metadata=keeps_metadata) as (server, conversation):
        server.readable.clear()  # so it is not known yet that it has arrived
        conversation.sender.send(Draft("yes"), "asst_1")
        await until("it has failed", lambda: [one.state for one in conversation.outbox] == ["failed"])
        (item,) = conversation.outbox
        assert conversation.sender.take_back(item.id) == Draft("yes")
        server.readable.set()
        conversation.sender.send(Draft("yes"), "asst_1")
        await conversation.settled()
        assert server.texts == ["yes"]
        assert len(server.runs) == 1


async def look(conversation: Conversation) -> None:
    """Read what is new in the thread."""
    conversation.look_again()
    await conversation.settled()


async def test_of_two_equal_texts_in_doubt_the_older_is_taken_back_and_sent_again() -> None:
    """The server has the newer one, from before a message in between."""
    async with talking(["done", "lost before", "lost after"]) as (server, conversation):
        sender = conversation.sender
        for text in ("yes", "yes", "And now?"):
            sender.send(Draft(text), "asst_1")
            await conversation.settled()
        older, newer = conversation.outbox
        assert sender.take_back(older.id) == Draft("yes")
        sender.send(Draft("yes"), "asst_1")
        await conversation.settled()
        sender.retry(newer.id)
        await conversation.settled()
        assert server.texts == ["yes", "And now?", "yes"]
        assert not conversation.outbox


@pytest.mark.parametrize("then", ["look", "send"])
async def test_a_message_that_the_server_stores_after_it_was_sent_again_is_there_once(then: str) -> None:
    async with talking(["done", "late"]) as (server, conversation):
        conversation.sender.send(Draft("one"), "asst_1")
        await conversation.settled()
        (item,) = conversation.outbox
        conversation.sender.retry(item.id)
        await conversation.settled()
        server.arrive()
        assert server.texts == ["one", "one"]
        if then == "look":
            await look(conversation)
        else:
            conversation.sender.send(Draft("two"), "asst_1")
            await conversation.settled()
        assert server.texts == ["one", "two"][: 1 if then == "look" else 2]
        assert list(conversation.messages) == [one["id"] for one in server.messages]


@pytest.mark.parametrize("then", ["look", "send", "retry", "write anew"])
async def test_a_message_that_the_server_stores_after_it_was_stopped(then: str) -> None:
    """It is not there, as the user was told; but where it is sent again it is there once."""
    async with talking(["done", "held late"]) as (server, conversation):
        sender = conversation.sender
        sender.send(Draft("one"), "asst_1")
        await settle(server, conversation)
        stopped = await conversation.cancel()
        assert stopped is not None
        server.arrive()
        match then:
            case "look":
                await look(conversation)
            case "send":
                sender.send(Draft("two"), "asst_1")
            case "retry":
                sender.retry(stopped)
            case "write anew":
                assert sender.take_back(stopped) == Draft("one")
                sender.send(Draft("one"), "asst_1")
        await conversation.settled()
        assert server.texts == {"look": [], "send": ["two"]}.get(then, ["one"])
        assert len(server.runs) == (then != "look")


async def test_a_stop_does_not_delete_what_another_program_has_said_in_the_same_words() -> None:
    async with talking(["done", "done", "done", "held"]) as (server, conversation):
        sender = conversation.sender
        sender.send(Draft("one"), "asst_1")
        await conversation.settled()
        sender.send(Draft("yes"), "asst_1")
        await settle(server, conversation)
        server.carry_out("/threads/thread_1/messages", {"content": "yes"})
        assert await conversation.cancel() is not None
        assert server.texts == ["one", "yes"]
        assert [item.draft for item in conversation.outbox] == [Draft("yes")]


async def test_a_message_that_turns_out_to_be_in_the_thread_waits_for_its_run_alone() -> None:
    async with talking(["done", "lost after"]) as (server, conversation):
        conversation.sender.send(Draft("one"), "asst_1")
        await conversation.settled()
        (item,) = conversation.outbox
        assert item.posted and item.error is not None
        conversation.sender.retry(item.id)
        await conversation.settled()
        assert (server.texts, len(server.runs), conversation.outbox) == (["one"], 1, ())


async def test_a_stop_while_reading_takes_long_is_answered_at_once_and_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender_module, "_DOUBT_SECONDS", 0.05)
    async with talking(["done", "done", "held"]) as (server, conversation):
        conversation.sender.send(Draft("one"), "asst_1")
        await settle(server, conversation)
        server.readable.clear()
        stopping = asyncio.create_task(conversation.cancel())
        await until("the error is told", lambda: conversation.error is not None)
        assert conversation.error is not None
        assert "does not say whether it is answered" in str(conversation.error)
        assert not conversation.outbox
        server.readable.set()
        assert await stopping is None
        assert conversation.error.code == "unanswered"
        assert server.texts == ["one"]
