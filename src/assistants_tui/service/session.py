"""The connection to the server of a profile: whether it answers, and the tokens that are left."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from assistants_tui.protocol.names import DEFAULT_MODEL, OFFLINE_TUTOR
from assistants_tui.protocol.objects import Model
from assistants_tui.service.assistants.assistant_list import AssistantList
from assistants_tui.service.background import BackgroundTasks
from assistants_tui.service.changes import Changed, ChangeFeed
from assistants_tui.service.client.connection import Connection
from assistants_tui.service.errors import ServiceError, unexpected

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend
    from assistants_tui.service.client.local_model_servers import FoundEndpoint


class Session:
    """The connection to the server of one profile."""

    def __init__(
        self,
        connection: Connection,
        assistants: AssistantList,
        feed: ChangeFeed,
        tasks: BackgroundTasks,
        *,
        on_connected: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_connected` is called each time the server has listed its assistants on `connect`."""
        self.profile = connection.profile
        self.connected = False
        """Whether the server has answered."""
        self.error: ServiceError | None = None
        """Why there is no connection."""
        self.offer: FoundEndpoint | None = None
        """A model server that runs on this computer, while no model is connected."""
        self.balance: int | None = None
        """Tokens that are left of the user's budget; None without one."""
        self._default_answers = self.profile.default_model or ""  # the model behind the name `default`
        if self.profile.kind == "embedded" and not connection.has_models:
            self._default_answers = OFFLINE_TUTOR
        self._connection = connection
        self._assistants = assistants
        self._feed = feed
        self._tasks = tasks
        self._on_connected = on_connected
        self._answered = asyncio.Event()  # set once the server has listed its assistants, or could not

    async def backend(self) -> "Backend":
        """The open server. Raises `ServiceError`."""
        return await self._connection.backend()

    async def connect(self) -> None:
        """Open the server and list its assistants. A failure is kept in `error`; call again to try again."""
        self.error = None
        self._answered.clear()
        self._feed.post(Changed.CONNECTION | Changed.PROBLEMS)
        try:
            await self._assistants.read()
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no connection, and that is said
            self.error = unexpected(error)
            self._answered.set()
            self._feed.post(Changed.CONNECTION)
        else:
            self.connected = True
            self._answered.set()
            self._feed.post(Changed.CONNECTION | Changed.ASSISTANTS)
            self.read_balance()
            self._tasks.start(self._read_default_model())
            self._on_connected()

    async def models(self) -> Sequence[Model]:
        """The models that assistants can use; empty where the server does not list them."""
        return await (await self.backend()).models()

    async def default_model(self) -> str:
        """The model of the profile, else the first one of the server; empty where there is none."""
        return self.profile.default_model or next((model["id"] for model in await self.models()), "")

    def answering(self, model: str) -> str:
        """The model that answers where this one is asked for, as far as that is known."""
        return self._default_answers or model if model == DEFAULT_MODEL else model

    @property
    def lacks_model(self) -> bool:
        """Whether the offline tutor answers because no model is connected."""
        return self.profile.kind == "embedded" and not self._connection.has_models

    async def look_for_models(self) -> None:
        """Look for a model server on this computer, if the tutor answers and nobody has chosen that."""
        if self.lacks_model and self.profile.default_model is None:
            from assistants_tui.service.client.local_model_servers import find_endpoints

            found = [endpoint for endpoint in await find_endpoints() if endpoint.answering]
            if found:
                self.offer = found[0]
                self._feed.post(Changed.CONNECTION)

    async def _read_default_model(self) -> None:
        if all(assistant["model"] != DEFAULT_MODEL for assistant in self._assistants.all):
            return
        try:
            found = await (await self.backend()).default_model()
        except ServiceError:
            return  # `error` says so
        if found and found != self._default_answers:
            self._default_answers = found
            self._feed.post(Changed.ASSISTANTS)

    @property
    def answered(self) -> bool:
        """Whether the server has listed its assistants, or could not."""
        return self._answered.is_set()

    async def wait_connected(self) -> None:
        """Wait until the server has listed its assistants. Raises `ServiceError` if it could not."""
        await self._answered.wait()
        if self.error is not None:
            raise self.error

    def read_balance(self) -> None:
        """Read the token balance again in the background."""
        self._tasks.start(self._read_balance())

    async def _read_balance(self) -> None:
        if self.profile.runs.token_balance is not None:
            try:
                backend = await self.backend()
            except ServiceError:
                return  # `error` says so
            self.balance = await backend.budget.balance()
            self._feed.post(Changed.BALANCE)
