"""What the transcript says while there are no messages."""

from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.panes.model_offer import shown_offer
from assistants_tui.tui.text.safety import clean

_WELCOME = """\
{name} is ready.

Type a message below and press Enter.
Tab moves between the panes,
F1 explains, Ctrl+Q quits."""
_TUTOR = """

Without a model, the offline tutor answers.
F3 connects a model, Ctrl+G guides you."""
_OFFER = """

{name} runs on this computer with {count}.
Enter connects {model}.
F3 shows what else there is."""
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
    if (offer := shown_offer(workspace)) is not None:
        models = offer.answering
        count = f"{len(models)} model{'' if len(models) == 1 else 's'}"
        return welcome + _OFFER.format(name=offer.name, count=count, model=clean(models[0]))
    return welcome + (_TUTOR if session.lacks_model else "")
