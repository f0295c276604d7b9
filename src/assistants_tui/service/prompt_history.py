"""The messages that were sent before, to be sent again."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from assistants_tui.service.draft_store import Keep
from assistants_tui.settings.prompts import add_prompts, load_prompts


class PromptHistory:
    """The texts that were sent from this machine, in any profile."""

    def __init__(self, file: Path, keep: Keep) -> None:
        self._file = file
        self._keep = keep

    def add(self, text: str) -> None:
        """Remember a text that is being sent."""
        self._keep(partial(add_prompts, self._file, text))

    async def all(self) -> Sequence[str]:
        """All of them, oldest first."""
        return await asyncio.to_thread(load_prompts, self._file)
