"""The state machine of what is being sent: whatever happens, a text is in one place, and nowhere twice."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from assistants_tui.service.conversation.outbox import TRANSITIONS, Event, Outbox, Outgoing
from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError

FAILURE = ServiceError("It broke.")
EVENTS: list[Event] = sorted({event for _, event in TRANSITIONS})


class Sending(RuleBasedStateMachine):
    """A user, a server and an outbox between them."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox()
        self.written: list[str] = []
        self.stored: list[str] = []
        """Texts that the server has confirmed."""
        self.given_back: list[str] = []

    @rule()
    def write(self) -> None:
        self.written.append(f"text {len(self.written)}")
        self.outbox = self.outbox.put(Outgoing(Draft(self.written[-1]), "asst_1"))

    @rule()
    def run(self) -> None:
        self.outbox = self.outbox.put(Outgoing(Draft(""), "asst_1", posted=True))

    @precondition(lambda self: self.outbox.items)
    @rule(data=st.data())
    def happen(self, data: st.DataObject) -> None:
        """Something that can happen to one of the items; the user takes back, all else comes from outside."""
        item = data.draw(st.sampled_from(self.outbox.items))
        event = data.draw(st.sampled_from([event for state, event in TRANSITIONS if state == item.state]))
        if not item.posted and (event == "store" or (event == "finish" and item.state == "posting")):
            self.stored.append(item.text)
        if not item.posted and event == "take_back":
            self.given_back.append(item.text)
        self.outbox = self.outbox.apply(item.id, event, FAILURE if event == "fail" else None)

    @precondition(lambda self: self.outbox.items)
    @rule(data=st.data(), event=st.sampled_from(EVENTS))
    def refuse(self, data: st.DataObject, event: Event) -> None:
        """What cannot happen in a state is refused, and changes nothing."""
        item = data.draw(st.sampled_from(self.outbox.items))
        if (item.state, event) not in TRANSITIONS:
            with pytest.raises(ValueError, match="cannot happen"):
                self.outbox.apply(item.id, event)

    @precondition(lambda self: self.outbox.items)
    @rule()
    def close_the_window(self) -> None:
        """All that is not confirmed is kept as drafts."""
        self.given_back += [draft.text for draft in self.outbox.unsent]
        self.outbox = Outbox()

    @invariant()
    def each_text_is_in_one_place(self) -> None:
        waiting = [draft.text for draft in self.outbox.unsent]
        assert sorted(self.stored + self.given_back + waiting) == sorted(self.written)

    @invariant()
    def an_item_has_a_failure_exactly_while_it_has_failed(self) -> None:
        assert all((item.error is not None) == (item.state == "failed") for item in self.outbox.items)

    @invariant()
    def what_can_be_sent_comes_first(self) -> None:
        waiting = [item for item in self.outbox.items if item.state != "failed"]
        assert self.outbox.next == (waiting[0] if waiting else None)


TestSending = Sending.TestCase
TestSending.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
