"""The connection to a server, and what is left of the budget there."""

from assistants_tui.service.drafts import Draft
from assistants_tui.settings.config import RunSettings
from assistants_tui.settings.paths import Paths
from support.workspaces import connected, settled


async def test_the_balance_falls_by_what_runs_use(paths: Paths) -> None:
    workspace = await connected(paths, RunSettings(token_balance=100_000))
    workspace.messages.send(Draft("2 + 3"))
    await workspace.conversations.shown.settled()
    await settled(workspace)
    used = workspace.conversations.shown.run_pages.usage.tokens
    assert used > 0
    assert workspace.session.balance == 100_000 - used
    await workspace.close()
