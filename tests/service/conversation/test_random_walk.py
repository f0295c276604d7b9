"""Random walks through what a user can do in a conversation, on the real engine and a broken network."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.engine.models.provider import ModelProvider
from assistants_tui.service import message_text
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.paths import Paths
from support.model_endpoint import ModelEndpoint, says
from support.proxy import Asked, Fault, Proxy, proxy
from support.served import served
from support.workspaces import backend, connected_to, paths_below

Step = Literal[
    "send", "wait", "stop", "take back", "edit", "branch", "again", "delete", "cut", "lose", "other"
]
STEPS: tuple[Step, ...] = (
    *("send", "send", "wait", "stop", "take back", "edit", "branch"),
    *("again", "delete", "cut", "lose", "other"),
)


@dataclass
class Walk:
    """One user with two windows."""

    window: Workspace
    other: Workspace
    proxy: Proxy
    sent: dict[str, Conversation] = field(default_factory=dict)
    """Texts that were sent, and where to."""
    gone: set[str] = field(default_factory=set)
    """Texts that the user has taken back or deleted."""
    written: int = 0

    @property
    def shown(self) -> Conversation:
        return self.window.conversations.shown

    def text(self) -> str:
        self.written += 1
        return f"Word number {self.written}."

    async def settle(self) -> None:
        async with asyncio.timeout(60):
            await self.shown.settled()

    async def take(self, step: Step) -> None:
        """Do one thing. What is refused has a reason, and changes nothing that is looked at here."""
        asked = [key for key, one in self.shown.messages.items() if one["role"] == "user"]
        match step:
            case "send":
                text = self.text()
                self.window.messages.send(Draft(text))
                self.sent[text] = self.shown
            case "wait":
                await self.settle()
            case "stop":
                await self.shown.cancel()
            case "take back":
                for item in self.shown.outbox:
                    if (draft := self.shown.sender.take_back(item.id)) is not None:
                        self.gone.add(draft.text)
            case "edit" if asked:
                text = self.text()
                self.sent[text] = await self.window.branches.send_instead(asked[-1], Draft(text))
            case "branch" if asked:
                await self.window.branches.branch(asked[-1], including=True)
            case "again" if asked:
                await self.window.messages.answer_again()
            case "delete" if asked:
                self.gone.add(text_of(self.shown, asked[0]))
                await self.window.messages.delete_message(asked[0])
            case "cut":
                self.harm_next("/runs", Fault("cut", 2))
            case "lose":
                self.harm_next("/messages", Fault("cut", 0, "byte"))
            case "other" if self.shown.thread_id is not None:
                await self.other.conversations.open(self.shown.thread_id)
                text = self.text()
                self.other.messages.send(Draft(text))
                await self.other.conversations.shown.settled()
                if not self.other.conversations.shown.outbox:
                    self.sent[text] = self.shown

    def harm_next(self, path: str, fault: Fault) -> None:
        """Harm the answer to the next request that posts there."""

        def plan(asked: Asked) -> Fault | None:
            if asked.method != "POST" or not asked.path.endswith(path):
                return None
            self.proxy.plan = lambda _: None
            return fault

        self.proxy.plan = plan

    async def end(self) -> None:
        """The network is whole again, and what has failed is tried once more."""
        self.proxy.plan = lambda _: None
        for conversation in {self.shown, *self.sent.values()}:
            async with asyncio.timeout(60):
                await conversation.settled()
                await conversation.reconnect()
                for _ in range(2):  # what another window has begun may be in the way of the first try
                    for item in conversation.outbox:
                        conversation.sender.retry(item.id)
                    await conversation.settled()
                conversation.look_again()
                await conversation.settled()

    async def check(self) -> None:
        """Each conversation is what the server has, and each text is there once, or was taken back."""
        for conversation in {self.shown, *self.sent.values()}:
            assert conversation.activity == "idle"
            assert conversation.outbox == ()
            if conversation.thread_id is None:
                continue
            server = await backend(self.window)
            messages = (await server.threads.messages(conversation.thread_id)).items
            runs = (await server.runs.list(conversation.thread_id)).items
            assert list(conversation.messages) == [one["id"] for one in reversed(messages)]
            assert list(conversation.runs) == [one["id"] for one in reversed(runs)]
            assert not any(run["status"] in {"queued", "in_progress", "cancelling"} for run in runs)
            texts = Counter(text_of(conversation, key) for key in conversation.messages)
            for text in {text for text, place in self.sent.items() if place is conversation} - self.gone:
                assert texts[text] == 1, (text, texts)


def text_of(conversation: Conversation, message_id: str) -> str:
    return message_text.render_text(conversation.messages[message_id]).text


@asynccontextmanager
async def walking(folder: Path) -> AsyncIterator[Walk]:
    paths = paths_below(folder)
    async with ModelEndpoint() as model:
        model.otherwise = lambda _: says("A ", "few ", "words.")
        provider = ModelProvider(model.url)
        engine = create_app(
            EngineSettings(
                folder / "engine", providers=[provider], default_model="served", starter_assistants=True
            )
        )
        async with served(engine) as url, proxy(url) as network, windows(url, network, paths) as walk:
            yield walk


@asynccontextmanager
async def windows(url: str, network: Proxy, paths: Paths) -> AsyncIterator[Walk]:
    """Two windows, one of them behind the network."""
    window, other = await connected_to(network.url, paths), await connected_to(url, paths)
    try:
        yield Walk(window, other, network)
    finally:
        await window.close()
        await other.close()


@settings(max_examples=5, deadline=None)
@given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=10))
def test_a_conversation_is_what_the_server_has_whatever_was_done(steps: list[Step]) -> None:
    async def walk() -> None:
        with TemporaryDirectory() as folder:
            async with walking(Path(folder)) as walk:
                for step in ("send", *steps):
                    with suppress(ServiceError):
                        await walk.take(step)
                await walk.end()
                await walk.check()

    asyncio.run(walk())
