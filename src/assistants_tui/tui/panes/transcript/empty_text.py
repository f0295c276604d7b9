"""What the transcript says while there are no messages."""

from assistants_tui.service.workspace import Workspace

_WELCOME = """\
{name} is ready.

Type a message below and press Enter.
Tab moves between the panes,
F1 explains, Ctrl+Q quits."""
_TUTOR = """

Without a model, the offline tutor answers.
F3 connects a model, Ctrl+G guides you."""
_CONNECTING = "Starting… You can type already; the message goes out as soon as the server is there."


def empty_text(workspace: Workspace) -> str:
    """What to do next, or what is waited for."""
    conversation, session = workspace.conversations.shown, workspace.session
    if conversation.thread_id is not None:
        return "" if conversation.opened else "Opening the thread…"
    if session.error is not None:
        return "There is no connection. Ctrl+R tries again."
    if not session.connected:
        return _CONNECTING
    name = workspace.assistants.names.get(workspace.assistants.chosen_id or "")
    welcome = _WELCOME.format(name=name) if name else "Create an assistant to begin."
    return welcome + (_TUTOR if session.lacks_model else "")
