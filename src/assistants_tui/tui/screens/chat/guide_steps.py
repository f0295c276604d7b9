"""The first steps, each done for the user on the main screen."""

from dataclasses import replace

from textual.screen import Screen

from assistants_tui.tui.app_messages import ComposerWanted
from assistants_tui.tui.dialogs.guide import QUESTION, GuideScreen
from assistants_tui.tui.panes.assistants import AssistantsPane
from assistants_tui.tui.panes.composer.pane import ComposerPane
from assistants_tui.tui.panes.inspector.pane import InspectorPane


async def take_a_first_step(screen: Screen[None]) -> None:
    """Show the first steps, and take the one that is chosen."""
    step = await screen.app.push_screen_wait(GuideScreen())
    composer = screen.query_one(ComposerPane)
    match step:
        case "ask":
            composer.put(replace(composer.draft, text=QUESTION))
            screen.post_message(ComposerWanted())
        case "steps":
            inspector = screen.query_one(InspectorPane)
            if not inspector.display:
                await screen.run_action("toggle_inspector")
            else:
                inspector.rows.focus()
        case "file":
            composer.composer.action_attach()
        case "assistant":
            screen.query_one(AssistantsPane).action_create()
        case "model":
            await screen.app.run_action("profiles('+')")
        case "commands":
            await screen.app.run_action("command_palette")
