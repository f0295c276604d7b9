"""What the main screen does first: connect, and open the thread that the user left or asked for."""

from textual.screen import Screen

from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.panes.transcript.transcript import Transcript
from assistants_tui.tui.text.safety import clean


async def open_first_thread(screen: Screen[None], workspace: Workspace) -> None:
    """Connect to the server of the workspace and show the first thread where the user left it."""
    await workspace.session.connect()
    foreign = workspace.conversations.foreign_thread
    if foreign is not None and workspace.session.connected:
        await _keep_or_leave(screen, workspace, foreign)
    conversation = workspace.conversations.shown
    await conversation.open()
    place = workspace.place.first_message
    if place is not None and conversation is workspace.conversations.shown:
        transcript = screen.query_one(Transcript)
        transcript.look()
        transcript.read_from(place)


async def _keep_or_leave(screen: Screen[None], workspace: Workspace, thread_id: str) -> None:
    """Ask about a thread that was named on the command line and that the history does not have."""
    profile = workspace.session.profile.name
    choice = await screen.app.push_screen_wait(
        ChoiceDialog(
            "Open a thread that is not yours yet?",
            f"{clean(thread_id)} is not in the history of the profile {profile}. Opening it adds it there.",
            choices=[("leave", "Begin a new thread"), ("open", "Open and add it")],
        )
    )
    if choice == "open":
        with told_failures(screen, "Not opened"):
            await workspace.conversations.add(thread_id)
            return
    workspace.conversations.new()
