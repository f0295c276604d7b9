"""The lines above and below the columns: where the user is, and the state of the newest run."""

from textual.screen import Screen

from assistants_tui.service import message_text
from assistants_tui.service.changes import Changed
from assistants_tui.service.times import span
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.widgets.key_bar import KeyBar
from assistants_tui.tui.widgets.status_bar import StatusBar


class StatusLines:
    """Draws the status bar of the main screen, and the note at the end of its key bar."""

    def __init__(self, screen: Screen[None], workspace: Workspace) -> None:
        self._screen = screen
        self._workspace = workspace

    def draw(self, changed: Changed) -> None:
        """Draw what is new after a change of the workspace."""
        if changed & (Changed.PLACE | Changed.ASSISTANTS | Changed.THREADS | Changed.CONVERSATION):
            self._draw_place()
        if changed & (Changed.CONVERSATION | Changed.CONNECTION | Changed.BALANCE):
            self._draw_state()

    @property
    def _status(self) -> StatusBar:
        return self._screen.query_one(StatusBar)

    def _draw_place(self) -> None:
        status, workspace = self._status, self._workspace
        assistant = workspace.assistants.chosen
        status.profile = workspace.session.profile.name
        status.assistant = (assistant.get("name") or assistant["id"]) if assistant else ""
        asked = workspace.conversations.shown.options.get("model") or (assistant and assistant["model"])
        status.model = workspace.session.answering(asked) if asked else ""
        reference, thread_id = workspace.conversations.reference, workspace.conversations.shown.thread_id
        status.title = (reference.title if reference else "") or thread_id or "New thread"

    def _draw_state(self) -> None:
        status, conversation = self._status, self._workspace.conversations.shown
        state = conversation.latest_run
        run = state.run if state is not None else None
        status.took = span(run.get("created_at"), message_text.ended_at(run)) if run is not None else ""
        status.status = self._state
        tokens, balance = conversation.run_pages.usage.tokens, self._workspace.session.balance
        used = [f"{tokens:,} tok"] if tokens else []
        left = [f"{balance:,} left"] if balance is not None else []
        self._screen.query_one(KeyBar).note = " · ".join((*used, *left))

    @property
    def _state(self) -> str:
        session, conversation = self._workspace.session, self._workspace.conversations.shown
        if session.error is not None:
            return "offline"
        if not session.connected:
            return "connecting"
        if conversation.active_run is None and conversation.sender.outbox.sending is not None:
            return "sending"
        run = conversation.latest_run
        return (run.status or "") if run is not None else ""
