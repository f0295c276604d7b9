"""Where the user is in the app, remembered for the next start."""

from collections.abc import Callable
from dataclasses import replace

from assistants_tui.service.state_keeper import StateChange
from assistants_tui.settings.state import AppState

Remember = Callable[[StateChange], None]
"""Keeps a change of the app's state for the next start."""


class Place:
    """The shown thread and the chosen assistant of one profile. `save` writes both."""

    def __init__(self, profile_name: str, state: AppState, remember: Remember) -> None:
        self._profile = profile_name
        self._remember = remember
        last = state.profile(profile_name)
        self.thread_id = last.last_thread
        self.assistant_id = last.last_assistant
        self.first_message = last.first_message
        """The message at which reading goes on in the thread that was left last; None: at its end."""

    def save(self) -> None:
        """Remember the present thread and assistant."""
        name, thread_id, assistant_id = self._profile, self.thread_id, self.assistant_id
        self._remember(
            lambda state: state.with_profile(
                name, replace(state.profile(name), last_thread=thread_id, last_assistant=assistant_id)
            )
        )

    def leave_at(self, message_id: str | None) -> None:
        """Remember at which message of the shown thread reading stopped; None: at the end."""
        name = self._profile
        self._remember(
            lambda state: state.with_profile(name, replace(state.profile(name), first_message=message_id))
        )

    def remember(self, change: StateChange) -> None:
        """Keep any other change of the app's state for the next start."""
        self._remember(change)
