"""The message that is being written: its text, files and options, and which message it replaces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from assistants_tui.protocol.objects import Assistant
from assistants_tui.service.draft_store import joined
from assistants_tui.service.drafts import Draft
from assistants_tui.service.files.attachments import AttachedFile
from assistants_tui.service.runs.options import RunOptions, merged
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.widgets.composer import Composer


@dataclass(frozen=True, slots=True)
class Edit:
    """A message of the thread that is being written anew, to be sent on a branch."""

    message_id: str
    aside: Draft
    """What was written before, and comes back."""


@dataclass(frozen=True, slots=True)
class Written:
    """What has been written for a conversation and not been sent."""

    draft: Draft = field(default_factory=lambda: Draft(""))
    edit: Edit | None = None

    @property
    def whole(self) -> Draft:
        """All of it in one draft, as it is kept on disk."""
        return joined([*([self.edit.aside] if self.edit is not None else []), self.draft])


class MessageInComposer:
    """Its text is the composer's; files, options and what it replaces are held here."""

    def __init__(self, workspace: Workspace, composer: Composer, changed: Callable[[], None]) -> None:
        """`changed` is called when anything but the text has changed."""
        self.conversation = workspace.conversations.shown
        """The conversation that it is for."""
        self._workspace = workspace
        self._composer = composer
        self._changed = changed
        self._files: tuple[AttachedFile, ...] = ()
        self._options = RunOptions()
        self._edit: Edit | None = None

    @property
    def text(self) -> str:
        return self._composer.text

    @property
    def files(self) -> tuple[AttachedFile, ...]:
        return self._files

    @property
    def options(self) -> RunOptions:
        """The options of this one message, which come before those of the thread."""
        return self._options

    @property
    def edit(self) -> Edit | None:
        """What it is sent in place of."""
        return self._edit

    @property
    def draft(self) -> Draft:
        return Draft(self.text, self._files, self._options)

    @property
    def written(self) -> Written:
        return Written(self.draft, self._edit)

    @property
    def is_empty(self) -> bool:
        return not self.text and not self._files and self._edit is None

    @property
    def assistant(self) -> Assistant | None:
        """Who will answer it."""
        assistants = self._workspace.assistants
        options = merged(self._workspace.conversations.shown.options, self._options)
        wanted = options.get("assistant_id", assistants.chosen_id)
        return next((one for one in assistants.all if one["id"] == wanted), None)

    def put(self, written: Written) -> None:
        """Write something else."""
        self._edit = written.edit
        self._composer.put(written.draft.text)
        self._files, self._options = written.draft.files, written.draft.options
        self._changed()

    def set_files(self, files: Sequence[AttachedFile]) -> None:
        self._files = tuple(files)
        self._changed()

    def set_options(self, options: RunOptions) -> None:
        self._options = options
        self._changed()

    def write_instead(self, message_id: str, draft: Draft) -> None:
        """Write something that is sent in place of a message. If it is dropped, what is here comes back."""
        aside = self._edit.aside if self._edit is not None else self.draft
        self.put(Written(draft, Edit(message_id, aside)))

    def remember(self, text: str) -> None:
        """Let the up key bring a text back that was sent."""
        self._composer.remember(text)

    def insert(self, text: str) -> None:
        """Insert a text at the cursor."""
        self._composer.insert(text)


def appended(written: Written, text: str = "", file: AttachedFile | None = None) -> Written:
    """With more text at the end, or one more file."""
    draft = replace(written.draft, text=written.draft.text + text)
    return replace(written, draft=replace(draft, files=(*draft.files, file)) if file is not None else draft)
