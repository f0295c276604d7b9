"""The options of the next runs, which the user chooses for one message or for the thread."""

from textual.widget import Widget

from assistants_tui.protocol.objects import Assistant
from assistants_tui.service.runs import options as run_options
from assistants_tui.service.runs.options import RunOptions
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.run_options import RunOptionsScreen
from assistants_tui.tui.panes.composer.message import MessageInComposer


async def choose_options(widget: Widget, workspace: Workspace, message: MessageInComposer) -> None:
    """Ask for the options of the next runs, and set them."""
    conversation = workspace.conversations.shown
    result = await widget.app.push_screen_wait(
        RunOptionsScreen(
            run_options.merged(conversation.options, message.options),
            assistants=workspace.assistants.names,
            tools=tools_of(message.assistant),
        )
    )
    if result is None:
        return
    span, options = result
    if span == "thread":
        workspace.conversations.keep_options(options)
        message.set_options(RunOptions())
        return
    kept = conversation.options
    if cleared := [key for key in kept if key not in options]:
        workspace.conversations.keep_options(run_options.without(kept, cleared))
    same = [key for key in options if options.get(key) == kept.get(key)]
    message.set_options(run_options.without(options, same))


def tools_of(assistant: Assistant | None) -> list[str]:
    """What a run of this assistant can be made to use."""
    names = ["auto", "none", "required"]
    for tool in (assistant.get("tools") or ()) if assistant is not None else ():
        function = tool.get("function")
        names.append(function["name"] if function else tool["type"])
    return names
