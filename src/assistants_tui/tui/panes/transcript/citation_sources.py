"""Where the words stand that an answer cites, as far as the steps of its run have been read."""

from collections.abc import Iterable

from assistants_tui.protocol.objects import Message, RunStep
from assistants_tui.service.files.citations import cited_passages, claim_of, quotation, quoted_place
from assistants_tui.service.message_text import Footnote
from assistants_tui.service.workspace import Workspace


class CitationSources:
    """Finds the place and the words of a citation once: that takes long, and messages are drawn often."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._found: dict[tuple[str, Footnote], tuple[str, str]] = {}
        self._missing: set[str] = set()  # messages that cite, of runs whose steps are not read yet

    def clear(self) -> None:
        """Another conversation is shown."""
        self._found.clear()
        self._missing.clear()

    def source(self, message: Message, footnote: Footnote) -> tuple[str, str]:
        """Where a citation's words stand in their file, and the words; empty until the message is whole and
        the steps of its run are read.
        """
        key = message["id"], footnote
        if key in self._found or message.get("status") == "in_progress":
            return self._found.get(key, ("", ""))
        claim, steps = claim_of(message, footnote), self._steps(message)
        passages = cited_passages(footnote, steps, claim)
        if not passages:
            if not steps:
                self._missing.add(message["id"])
            return "", ""
        found = self._found[key] = quoted_place(passages[0], claim), quotation(passages[0], claim)
        return found

    def take_known(self) -> set[str]:
        """The IDs of messages whose sources have become known since they were asked for."""
        if not self._missing:
            return set()
        messages = self._workspace.conversations.shown.messages
        known = {key for key in self._missing if self._steps(messages.get(key))}
        self._missing -= known
        return known

    def _steps(self, message: Message | None) -> Iterable[RunStep]:
        """The steps of the run that wrote a message, if they have been read."""
        run_id = message.get("run_id") if message is not None else None
        state = self._workspace.conversations.shown.runs.get(run_id or "")
        return state.steps.values() if state is not None else ()
