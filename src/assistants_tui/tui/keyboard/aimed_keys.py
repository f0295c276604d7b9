"""Keys and pastes reach what they were meant for, even if the focus comes late, moves or is lost."""

from typing import Any

from textual import events
from textual.app import App
from textual.widget import Widget

from assistants_tui.tui.keyboard.key_queue import KeyQueue
from assistants_tui.tui.terminal.pasted_text import one_line

_MAX_FIELD = 10_000
"""Characters that a field of one line takes from a paste, where it has no limit of its own."""


class AimedKeysApp(App[None]):
    """An app that holds keys back until `take_typed`, and from then on brings each to its widget."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._keys = KeyQueue()

    def preferred_focus(self) -> Widget | None:
        """The widget of this screen that gets the keys when none has them; None: the first that can."""
        return None

    async def on_event(self, event: events.Event) -> None:
        if self._keys.holds(event):
            return
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._find_focus()
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._keys.note(event, self.focused)
        if isinstance(event, events.Paste) and not event.is_forwarded:
            self._fit_paste(event)
        await super().on_event(event)

    async def take_typed(self) -> None:
        """A widget has the focus: give it what was typed before, and from now on whatever comes."""
        for event in self._keys.release():
            await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """A key that nobody took where the focus was goes to where it is now, if the key before moved it.

        `/` and what is to be filtered by may arrive at once, and letters must not become a list's commands.
        """
        aim, now = self._keys.aim_of(event), self.focused
        if aim is not None and now is not None and now is not aim:
            event.stop()
            event.prevent_default()
            now._forward_event(event.copy())

    def _find_focus(self) -> None:
        """Let a widget have the keys if none has: the one that had them may be gone or hidden."""
        if self.focused is None and self.screen.AUTO_FOCUS != "":
            wanted = self.preferred_focus()
            if wanted is None or not wanted.focusable:
                wanted = next(iter(self.screen.focus_chain), None)
            self.screen.set_focus(wanted)

    def _fit_paste(self, event: events.Paste) -> None:
        """A field of one line would take the first line alone, and nothing of what is too long for it."""
        from textual.widgets import Input  # not for the first frame

        field = self.focused
        if isinstance(field, Input):
            event.text = one_line(event.text)
            kept = len(field.value) - len(field.selected_text)
            room = max(0, (field.max_length or _MAX_FIELD) - kept)
            if len(event.text) > room:
                said = f"This field has room for {room:,} more characters; the text has {len(event.text):,}."
                self.notify(said, title="Not pasted", severity="warning", markup=False)
                event.text = ""
