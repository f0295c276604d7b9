"""What is still to be sent to a thread, as a state machine. It is pure: nothing here waits or asks a server.

    queued ──begin─▶ preparing ──post─▶ posting ──store─▶ starting ──finish─▶ (gone)

`fail` leads from each of them to `failed`, and `retry` from there to `queued`. The user can take back what is
queued or failed. A message that the thread has already begins with `starting`: only its run is missing. That
the thread has it can also turn out after it has failed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Literal
from uuid import uuid4

from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError

State = Literal["queued", "preparing", "posting", "starting", "failed"]
"""`queued`: waits until the thread is free. `preparing`: files are uploaded, and the server does not have the
message. `posting`: its request is on the way, and the server may have the message or not. `starting`: the
thread has the message, and its run is asked for. `failed`: waits for the user."""
Event = Literal["begin", "post", "store", "finish", "fail", "retry", "take_back"]

TRANSITIONS: Mapping[tuple[State, Event], State | None] = {
    ("queued", "begin"): "preparing",
    ("queued", "fail"): "failed",
    ("queued", "take_back"): None,
    ("preparing", "post"): "posting",
    ("preparing", "fail"): "failed",
    ("posting", "store"): "starting",
    ("posting", "finish"): None,  # it was stopped, but the server has it
    ("posting", "fail"): "failed",
    ("starting", "finish"): None,
    ("starting", "fail"): "failed",
    ("failed", "retry"): "queued",
    ("failed", "store"): "failed",  # the thread has the message after all
    ("failed", "take_back"): None,
}
"""The state after an event; None: the item leaves the outbox. Nothing else can happen."""

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way to the thread, or only a run."""

    draft: Draft
    assistant_id: str | None
    """Who answers; None: whoever is chosen once the server has listed its assistants."""
    state: State = "queued"
    posted: bool = False
    """The thread has the message; only its run is still to be started."""
    error: ServiceError | None = None
    """Why it failed."""
    file_ids: Mapping[int, str] = field(default_factory=dict)
    """The files that the server has, by their place in the draft."""
    uploading: tuple[str, int] | None = None
    """The name of the file on its way, and how much of it is through in percent."""
    mark: str = field(default_factory=lambda: uuid4().hex)
    """By which the message is known in the thread."""
    id: str = field(default_factory=lambda: f"outgoing-{next(_numbers)}")

    @property
    def text(self) -> str:
        return self.draft.text

    @property
    def sending(self) -> bool:
        """Whether it is on its way: it can be stopped, but not simply be taken back."""
        return self.state in {"preparing", "posting", "starting"}

    def after(self, event: Event, error: ServiceError | None = None) -> "Outgoing | None":
        """The item after an event; None if it leaves the outbox. Raises `ValueError` for one that cannot
        happen in its state.
        """
        try:
            state = TRANSITIONS[self.state, event]
        except KeyError:
            raise ValueError(f"{event} cannot happen to what is {self.state}") from None
        if state is None:
            return None
        if state == "preparing" and self.posted:
            state = "starting"
        posted = self.posted or event == "store"
        if state == "failed":
            error = error or self.error
        return replace(self, state=state, posted=posted, error=error, uploading=None)


@dataclass(frozen=True, slots=True)
class Outbox:
    """The items in the order in which they are sent."""

    items: tuple[Outgoing, ...] = ()

    @property
    def next(self) -> Outgoing | None:
        """What is to be sent first, if anything can be sent."""
        return next((item for item in self.items if item.state != "failed"), None)

    @property
    def sending(self) -> Outgoing | None:
        """What is on its way."""
        return next((item for item in self.items if item.sending), None)

    @property
    def unsent(self) -> Sequence[Draft]:
        """What the server has not confirmed to have, oldest first."""
        return [item.draft for item in self.items if not item.posted]

    def get(self, item_id: str) -> Outgoing | None:
        """The item with this ID, as long as it is here."""
        return next((item for item in self.items if item.id == item_id), None)

    def put(self, item: Outgoing) -> "Outbox":
        """With a new item at the end."""
        return Outbox((*self.items, item))

    def update(self, item_id: str, **changes: Any) -> "Outbox":
        """With other values of an item, in the state in which it is."""
        return Outbox(tuple(replace(item, **changes) if item.id == item_id else item for item in self.items))

    def apply(self, item_id: str, event: Event, error: ServiceError | None = None) -> "Outbox":
        """After an event. Raises `ValueError` for one that cannot happen."""
        items = (item.after(event, error) if item.id == item_id else item for item in self.items)
        return Outbox(tuple(item for item in items if item is not None))
