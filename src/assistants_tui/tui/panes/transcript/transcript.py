"""The messages of the shown conversation, and what the user does with them."""

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage

from assistants_tui.protocol.objects import Message, RunStep
from assistants_tui.service import message_text, metadata
from assistants_tui.service.changes import Changed
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.conversation.outbox import Outgoing
from assistants_tui.service.conversation.posting import without_mark
from assistants_tui.service.drafts import Draft
from assistants_tui.service.files.attachments import attached_again
from assistants_tui.service.files.citations import cited_passages, claim_of, quotation, quoted_place
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.footnotes import open_note
from assistants_tui.tui.dialogs.questions import ChoiceDialog, LinesDialog, PickDialog
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.messages.message_body import MessageItem
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.panes.transcript.message_items import (
    MAX_FOLDED_CODE,
    Manner,
    can_fold,
    message_item,
    outgoing_item,
)
from assistants_tui.tui.terminal.external_editor import ExternalEditorError, view_externally
from assistants_tui.tui.text.safety import clean

_WELCOME = """\
{name} is ready.

Type a message below and press Enter.
Tab moves between the panes,
F1 explains, Ctrl+Q quits."""
_TUTOR = """

Without a model, the offline tutor answers.
F3 connects a model, Ctrl+G guides you."""
_CONNECTING = "Starting… You can type already; the message goes out as soon as the server is there."


class Transcript(MessageView):
    """Draws the messages and the outbox of the workspace's conversation."""

    HELP: ClassVar[str] = (
        "j and k choose a message, and the other keys do something with it. Enter or o opens its footnotes, "
        "files and links, v the whole message in your pager, V its code. r has the thread answered again; e "
        "changes one of your messages and sends it on a branch, so that this thread stays as it is."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "answer_again", "Regenerate", id="messages.regenerate", tooltip="Answer again"),
        Binding("e", "edit", "Edit", id="messages.edit", tooltip="Change a message of yours on a branch"),
        Binding("b", "branch", "Branch", id="messages.branch", tooltip="Go on from here in a new thread"),
        Binding("space", "fold", "Fold", show=False, id="messages.fold", tooltip="Fold a long message"),
        Binding("z", "fold_code", show=False, id="messages.fold_code", tooltip="Fold the code of a message"),
        Binding("v", "view", show=False, id="messages.view", tooltip="Open the message in your pager"),
        Binding("V", "view_code", show=False, id="messages.view_code", tooltip="Open code in your pager"),
        Binding("m", "metadata", show=False, id="messages.metadata", tooltip="Metadata of the message"),
        Binding("d,delete", "delete", show=False, id="messages.delete", tooltip="Delete the message"),
        Binding("i", "copy_id", show=False, id="messages.copy_id", tooltip="Copy the ID of the message"),
    ]

    class DraftWanted(TextualMessage):
        """Something is to be written again."""

        def __init__(self, draft: Draft, instead_of: str | None = None) -> None:
            """`instead_of` is the ID of a message that the draft is to replace, on a branch."""
            super().__init__()
            self.draft = draft
            self.instead_of = instead_of

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._shown: dict[str, Message | Outgoing] = {}
        self._folds: dict[str, bool] = {}  # what the user chose, by message ID
        self._code_folds: set[str] = set()  # messages whose code blocks are folded
        self._unsourced: set[str] = set()  # messages that cite, of runs whose steps are not read yet
        self._sources: dict[tuple[str, message_text.Footnote], tuple[str, str]] = {}  # finding one takes long

    def on_mount(self) -> None:
        self._workspace.feed.subscribe(self._workspace_changed)
        self._show_all()

    def _workspace_changed(self, changed: Changed) -> None:
        if changed & Changed.PLACE:
            self._sources.clear()
            self._unsourced.clear()
        if changed & (Changed.PLACE | Changed.ASSISTANTS):
            self._show_all()
        elif changed & Changed.CONNECTION:
            self._show_empty()
        if changed & Changed.FILES:
            self._show_names()
        if changed & Changed.CONVERSATION:
            self._frames.request()

    def _show_all(self) -> None:
        conversation = self._workspace.conversations.shown
        self._shown = _things(conversation)
        self.set_items(
            [self._item(thing) for thing in self._shown.values()], older=conversation.pages.has_older
        )
        self._show_empty()

    def _show_names(self) -> None:
        """Draw the messages with files again: their names have become known."""
        for thing in self._shown.values():
            if not isinstance(thing, Outgoing) and _has_files(thing):
                self.upsert(self._item(thing))

    def _show_empty(self) -> None:
        workspace = self._workspace
        name = workspace.assistants.names.get(workspace.assistants.chosen_id or "")
        if workspace.conversations.shown.thread_id is not None:
            self.empty_text = "" if workspace.conversations.shown.opened else "Opening the thread…"
        elif workspace.session.error is not None:
            self.empty_text = "There is no connection. Ctrl+R tries again."
        elif not workspace.session.connected:
            self.empty_text = _CONNECTING
        else:
            profile = workspace.session.profile
            tutor = profile.kind == "embedded" and profile.model_url is None
            welcome = _WELCOME.format(name=name) if name else "Create an assistant to begin."
            self.empty_text = welcome + (_TUTOR if tutor else "")

    def _collect(self) -> None:
        self.look()

    def look(self) -> None:
        """Bring the view up to date: older messages above, changed ones, new ones below."""
        conversation = self._workspace.conversations.shown
        wanted = _things(conversation)
        if not self._shown:
            self._show_all()  # the thread has been read: only this also says whether there is more above
            return
        for gone in [key for key in self._shown if key not in wanted]:
            self.remove_item(gone)
            del self._shown[gone]
        order = list(wanted)
        first = next(iter(self._shown), None)
        if first is not None and (above := order[: order.index(first)]):
            self.prepend([self._item(wanted[key]) for key in above], older=conversation.pages.has_older)
            self._shown = {**{key: wanted[key] for key in above}, **self._shown}
        if order[: len(self._shown)] != list(self._shown):
            self._show_all()  # something came in between, as a queued text does not wait for its turn here
            return
        sourced = {key for key in self._unsourced if self._steps_of(conversation.messages.get(key))}
        self._unsourced -= sourced
        for key, thing in wanted.items():
            if self._shown.get(key) is not thing or key in sourced:
                self._shown[key] = thing
                self.upsert(self._item(thing))

    def _item(self, thing: Message | Outgoing) -> MessageItem:
        if isinstance(thing, Outgoing):
            return outgoing_item(thing)
        message_id = thing["id"]
        fold_code = message_id in self._code_folds
        return message_item(thing, self._manner, fold=self._folds.get(message_id), fold_code=fold_code)

    @property
    def _manner(self) -> Manner:
        workspace = self._workspace
        return Manner(
            workspace.assistants.names,
            workspace.file_names.name,
            self._source,
            workspace.session.profile.runs.max_response_chars,
        )

    def _steps_of(self, message: Message | None) -> Iterable[RunStep]:
        """The steps of the run that wrote a message, if they have been read."""
        run_id = message.get("run_id") if message is not None else None
        state = self._workspace.conversations.shown.runs.get(run_id or "")
        return state.steps.values() if state is not None else ()

    def _source(self, message: Message, footnote: message_text.Footnote) -> tuple[str, str]:
        """Where a citation's words stand in their file, and the words; known once the message is whole."""
        key = message["id"], footnote
        if key in self._sources or message.get("status") == "in_progress":
            return self._sources.get(key, ("", ""))
        claim = claim_of(message, footnote)
        passages = cited_passages(footnote, self._steps_of(message), claim)
        if not passages:
            if not self._steps_of(message):
                self._unsourced.add(message["id"])
            return "", ""
        found = self._sources[key] = quoted_place(passages[0], claim), quotation(passages[0], claim)
        return found

    # the chosen message

    @property
    def _chosen(self) -> Message | Outgoing | None:
        """What the cursor is on; the last message if it is nowhere."""
        item = self.selected_item
        key = item.id if item is not None else next(reversed(self._shown), "")
        return self._shown.get(key)

    @property
    def _chosen_message(self) -> Message | None:
        thing = self._chosen
        return None if isinstance(thing, Outgoing) else thing

    @staticmethod
    def _text(thing: Message | Outgoing) -> str:
        """The whole text, also of a folded message."""
        return thing.text if isinstance(thing, Outgoing) else message_text.render_text(thing).text

    def action_copy(self) -> None:
        if (thing := self._chosen) is not None:
            self.post_message(self.CopyWanted(self._text(thing)))

    def action_copy_id(self) -> None:
        if (message := self._chosen_message) is not None:
            self.post_message(self.CopyWanted(clean(message["id"])))

    def copy_last(self) -> None:
        """Copy the newest answer."""
        for message in reversed(self._workspace.conversations.shown.messages.values()):
            if message["role"] == "assistant":
                self.post_message(self.CopyWanted(self._text(message)))
                return
        self._say("There is no answer yet.")

    def action_fold(self) -> None:
        message = self._chosen_message
        item = self.selected_item
        if message is None or item is None or not can_fold(self._text(message)):
            return
        self._folds[message["id"]] = len(item.source or item.text) >= len(self._text(message))
        self.upsert(self._item(message))

    def action_fold_code(self) -> None:
        if (message := self._chosen_message) is None:
            return
        if len(self._text(message)) > MAX_FOLDED_CODE:
            self._say("The message is too long to have its code folded.")
            return
        self._code_folds ^= {message["id"]}
        self.upsert(self._item(message))

    # answering again, branches

    @work
    async def action_answer_again(self) -> None:
        await self.answer_again()

    async def answer_again(self) -> None:
        """Replace the last answer, after asking; where there is none, let one be given."""
        conversation = self._workspace.conversations.shown
        last = next(reversed(conversation.messages.values()), None)
        if last is None:
            self._say("There is nothing to answer yet.")
            return
        with told_failures(self, "Not answered"):
            if last["role"] == "user":
                self._workspace.messages.run()
                return
            choice = await self.app.push_screen_wait(
                ChoiceDialog(
                    "Answer again?",
                    "Replace: the last answer is deleted. On a branch: this thread stays as it is.",
                    choices=[("no", "Keep it"), ("branch", "On a branch"), ("replace", "Replace")],
                )
            )
            if choice == "replace":
                await self._workspace.messages.answer_again()
            elif choice == "branch":
                asked = [message for message in conversation.messages.values() if message["role"] == "user"]
                if asked:
                    await self._workspace.branches.answer(asked[-1]["id"])

    @work
    async def action_branch(self) -> None:
        if (message := self._chosen_message) is not None:
            await self._branch(message)

    async def branch_last(self) -> None:
        """Go on in a new thread with copies of all messages."""
        last = next(reversed(self._workspace.conversations.shown.messages.values()), None)
        if last is None:
            self._say("There is nothing to branch from yet.")
        else:
            await self._branch(last)

    async def _branch(self, message: Message) -> None:
        with told_failures(self, "No branch"):
            await self._workspace.branches.branch(message["id"], including=True)
            self._say("This is a branch: a new thread with copies of the messages.")
            self.post_message(self.DraftWanted(Draft("")))

    @work
    async def action_edit(self) -> None:
        """Take a waiting message back, or write one of the user's messages anew, to be sent on a branch."""
        conversation = self._workspace.conversations.shown
        thing = self._chosen
        if thing is not None and not isinstance(thing, Outgoing) and thing["role"] != "user":
            thing = self._question_of(thing)
        if isinstance(thing, Outgoing):
            draft = conversation.sender.take_back(thing.id)
            if draft is not None:
                self.post_message(self.DraftWanted(draft))
        elif thing is None:
            self._say("There is no message of yours above it to be changed.")
        else:
            with told_failures(self, "Not opened"):
                names = await self._workspace.file_names.names(_file_ids(thing))
                files = attached_again(thing.get("attachments"), names)
                self.post_message(self.DraftWanted(Draft(self._text(thing), tuple(files)), thing["id"]))

    def _question_of(self, answer: Message) -> Message | None:
        """The last message of the user before an answer."""
        above = takewhile(
            lambda one: one["id"] != answer["id"], self._workspace.conversations.shown.messages.values()
        )
        return next((one for one in reversed(list(above)) if one["role"] == "user"), None)

    # one message

    @work
    async def action_delete(self) -> None:
        message = self._chosen_message
        if message is None:
            return
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                "Delete this message?",
                "The server deletes it for good, and assistants do not read it any more.",
                choices=[("keep", "Keep it"), ("delete", "Delete it")],
                danger="delete",
            )
        )
        if choice == "delete":
            with told_failures(self, "Not deleted"):
                await self._workspace.messages.delete_message(message["id"])

    @work
    async def action_metadata(self) -> None:
        message = self._chosen_message
        if message is None:
            return
        lines = await self.app.push_screen_wait(
            LinesDialog(
                "Metadata of the message",
                metadata.as_lines(without_mark(message.get("metadata"))),
                hint="key = value, one per line",
                check=metadata.from_lines,
            )
        )
        if lines is not None:
            with told_failures(self, "Not saved"):
                await self._workspace.conversations.shown.pages.update_metadata(
                    message["id"], metadata.from_lines(lines)
                )

    @work(exclusive=True, group="editor")
    async def action_view(self) -> None:
        if (thing := self._chosen) is not None:
            await self._view(self._text(thing), "message.md")

    @work(exclusive=True, group="editor")
    async def action_view_code(self) -> None:
        item = self.selected_item
        blocks = self.code_blocks(item.id) if item is not None else []
        if not blocks:
            self._say("There is no code in this message.")
            return
        number: int | None = 0
        if len(blocks) > 1:
            firsts = [block.source.strip().split("\n", 1)[0] for block in blocks]
            number = await self.app.push_screen_wait(PickDialog("Open which code block?", firsts))
        if number is not None:
            await self._view(blocks[number].source, "code.txt")

    async def _view(self, text: str, name: str) -> None:
        try:
            await view_externally(self.app, clean(text), name=name)
        except ExternalEditorError as error:
            self.notify(str(error), title="No pager", severity="error", markup=False)

    def _say(self, text: str) -> None:
        self.notify(text, timeout=4, markup=False)

    # finding

    def matches(self, words: str) -> list[str]:
        """The IDs of the messages that contain `words`, oldest first, of those that are read."""
        wanted = words.casefold()
        if not wanted:
            return []
        return [
            key
            for key, message in self._workspace.conversations.shown.messages.items()
            if wanted in self._text(message).casefold()
        ]

    def show_match(self, message_id: str, words: str) -> None:
        """Show a message where it contains `words`; a folded one is opened."""
        message = self._workspace.conversations.shown.messages.get(message_id)
        if message is None:
            return
        self.look()
        if len(self._item(message).text) < len(self._text(message)):
            self._folds[message_id] = False
            self._code_folds.discard(message_id)
            self.upsert(self._item(message))
        self.mark(words)
        self.reveal(message_id, words)

    @on(MessageView.OlderWanted)
    @work
    async def _read_older(self) -> None:
        await self._workspace.conversations.shown.pages.read_older()

    @on(MessageView.CopyWanted)
    def _copy(self, event: MessageView.CopyWanted) -> None:
        self.app.copy_to_clipboard(event.text)
        lines = event.text.count("\n") + 1
        self.notify(f"Copied {lines} line{'s' if lines > 1 else ''}.", timeout=2, markup=False)

    @on(MessageView.CodeWanted)
    @work
    async def _copy_code(self, event: MessageView.CodeWanted) -> None:
        if not event.blocks:
            self.notify("There is no code in this message.", timeout=3, markup=False)
            return
        firsts = [block.source.strip().split("\n", 1)[0] for block in event.blocks]
        number = await self.app.push_screen_wait(PickDialog("Copy which code block?", firsts))
        if number is not None:
            self.post_message(MessageView.CopyWanted(event.blocks[number].source))

    @on(MessageView.OpenWanted)
    @work
    async def _open(self, event: MessageView.OpenWanted) -> None:
        rows = [*(note.text for note in event.notes), *event.links]
        if not rows:
            self.notify("There is nothing to open in this message.", timeout=3, markup=False)
            return
        number = await self.app.push_screen_wait(PickDialog("Open what?", rows))
        if number is None:
            return
        if number < len(event.notes):
            self.post_message(MessageView.NoteOpened(event.item.id, event.notes[number]))
        else:
            self.post_message(MessageView.LinkOpened(event.links[number - len(event.notes)]))

    @on(MessageView.LinkOpened)
    @work
    async def _open_link(self, event: MessageView.LinkOpened) -> None:
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                "Open this link in the browser?",
                event.url,
                choices=[("stay", "Stay here"), ("copy", "Copy it"), ("open", "Open")],
            )
        )
        if choice == "open":
            self.app.open_url(event.url)
        elif choice == "copy":
            self.app.copy_to_clipboard(event.url)

    @on(MessageView.NoteOpened)
    @work
    async def _open_note(self, event: MessageView.NoteOpened) -> None:
        await open_note(self, self._workspace, event.item_id, event.note)


def _things(conversation: Conversation) -> dict[str, Message | Outgoing]:
    return {**conversation.messages, **{item.id: item for item in conversation.outbox}}


def _has_files(message: Message) -> bool:
    return any(True for _ in _file_ids(message))


def _file_ids(message: Message) -> Iterator[str]:
    """The files that the line below a message may name."""
    for attachment in message.get("attachments") or ():
        yield attachment["file_id"]
    shown = message_text.render_text(message)
    yield from (note.file_id for note in shown.footnotes)
    yield from (image for image in shown.images if "/" not in image)
