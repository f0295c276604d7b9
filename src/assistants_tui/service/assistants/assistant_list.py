"""The assistants of a profile, and which of them answers the next message."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from assistants_tui.protocol.objects import Assistant
from assistants_tui.service.changes import Changed, ChangeFeed
from assistants_tui.service.last_place import Place

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend


class AssistantList:
    """The list as the server gave it last; before that, as the last start left it."""

    def __init__(
        self,
        backend: "Callable[[], Awaitable[Backend]]",
        feed: ChangeFeed,
        place: Place,
        *,
        known: Sequence[Assistant] = (),
        wanted: str | None = None,
    ) -> None:
        """`known` is the list of the last start. `wanted` (name or ID) is chosen if the list has it."""
        self._backend = backend
        self._feed = feed
        self._place = place
        self._wanted = wanted
        self._was_read = False
        self.all = known
        self.chosen_id: str | None = None
        """Who answers the next message."""
        self._settle()

    @property
    def chosen(self) -> Assistant | None:
        """Who answers the next message."""
        return self.get(self.chosen_id)

    @property
    def names(self) -> Mapping[str, str]:
        """The assistants' names by ID; an assistant without a name is called by its ID."""
        return {one["id"]: one.get("name") or one["id"] for one in self.all}

    def get(self, assistant_id: str | None) -> Assistant | None:
        """The assistant of this ID, if the list has it."""
        return next((one for one in self.all if one["id"] == assistant_id), None)

    def choose(self, assistant_id: str) -> None:
        """Let this assistant answer from now on, also in the open thread."""
        self._take(assistant_id)
        self._place.save()
        self._feed.post(Changed.ASSISTANTS)

    def prefer(self, assistant_id: str | None) -> None:
        """Let this assistant answer if the list has it. Posts nothing: it goes with a change of the place."""
        if assistant_id in self.names:
            self._take(assistant_id)

    async def read(self) -> None:
        """Read the list from the server without posting it. Raises `ServiceError`."""
        backend = await self._backend()
        self.all = await backend.assistants.list()
        self._was_read = True
        self._settle()

    async def refresh(self) -> None:
        """Read the list again. Raises `ServiceError`."""
        await self.read()
        self._feed.post(Changed.ASSISTANTS)

    async def notice(self) -> None:
        """Take over what another window did to the assistants, once connected. Raises `ServiceError`."""
        if self._was_read:
            before = self.all
            await self.read()
            if self.all != before:
                self._feed.post(Changed.ASSISTANTS)

    def _settle(self) -> None:
        """The wanted assistant if there is one of that name or ID, else the first."""
        names = self.names
        if self.chosen_id not in names:
            self._take(
                next(
                    (key for key, name in names.items() if self._wanted in (key, name)),
                    next(iter(names), None),
                )
            )

    def _take(self, assistant_id: str | None) -> None:
        self.chosen_id = self._place.assistant_id = assistant_id
