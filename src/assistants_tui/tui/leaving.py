"""Leaving a workspace: asking about runs that are in progress, and closing without losing anything."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from textual.app import App

from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.state_keeper import StateKeeper
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.screens.chat.screen import ChatScreen
from assistants_tui.tui.text.safety import clean


async def ask_about_runs(app: App[Any], busy: Sequence[Conversation], purpose: str) -> str:
    """Ask what to do about runs that are in progress: `wait`, `stop`, or anything else to stay."""
    what, wait = "still in progress", f"Wait, then {purpose}"
    advice = "Stopping keeps everything written so far."
    if all(one.activity == "waiting" for one in busy):
        what, wait = "waiting for you", f"Let it wait, and {purpose}"
        advice = f"Runs wait ten minutes, also while the app is closed. {advice}"
    dialog = ChoiceDialog(
        f"A run is {what}." if len(busy) == 1 else f"{len(busy)} runs are {what}.",
        advice,
        choices=[("stay", "Stay"), ("wait", wait), ("stop", f"Stop and {purpose}")],
    )
    return str(await app.push_screen_wait(dialog))


async def settle_runs(busy: Sequence[Conversation], *, stop: bool) -> None:
    """Wait for the end of runs, after asking the server to stop them if `stop`."""
    if stop:
        await asyncio.gather(*(conversation.cancel() for conversation in busy))
    await asyncio.gather(*(conversation.settled() for conversation in busy))


async def close_workspace(chat: ChatScreen, keeper: StateKeeper) -> str:
    """Keep everything and close the workspace. Returns what went wrong, in words: it stops no end."""
    try:
        chat.remember_place()
        await keeper.settled()  # first: no trouble with anything else may cost it
        await chat.workspace.close()
        await keeper.settled()
    except Exception as error:
        logging.getLogger(__name__).exception("closing failed")
        return f"Not everything could be closed in order: {clean(str(error)) or type(error).__name__}"
    return ""
