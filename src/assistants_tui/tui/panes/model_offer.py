"""Whether the first screen offers a model server that was found on this computer."""

from assistants_tui.service.client.local_model_servers import FoundEndpoint
from assistants_tui.service.workspace import Workspace


def shown_offer(workspace: Workspace) -> FoundEndpoint | None:
    """The model server that the transcript offers; None while it shows anything else."""
    session, conversation = workspace.session, workspace.conversations.shown
    is_new = conversation.thread_id is None and not conversation.outbox
    return session.offer if is_new and session.connected and session.error is None else None
