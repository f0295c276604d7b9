"""Where messages are written: the composer, the files and options that go along, and command completion."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static, TextArea

from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Assistant
from assistants_tui.service import message_text
from assistants_tui.service.changes import Changed
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.draft_store import joined, missing
from assistants_tui.service.drafts import Draft, remove_pasted
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.files.attachments import AttachedFile, chosen_use, uses
from assistants_tui.service.local_paths import Entry, matching
from assistants_tui.service.runs import options as run_options
from assistants_tui.service.runs.options import RunOptions
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.file_picker import FilePicker
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.dialogs.run_options import RunOptionsScreen
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.panes import slash
from assistants_tui.tui.terminal.external_editor import ExternalEditorError, edit_externally
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.attached_files import AttachedFiles
from assistants_tui.tui.widgets.composer import Composer
from assistants_tui.tui.widgets.first_frame import COMPOSER_HINT
from assistants_tui.tui.widgets.virtual_list import VirtualList

_EXPORTS = ("markdown", "json", "html")
_EDITING = "✎ This goes out on a branch. Esc drops it."
_KEEP_EVERY = 0.5
"""Seconds after which what was typed is on its way to the disk, however fast the user goes on."""


@dataclass(frozen=True, slots=True)
class _Edit:
    """A message that is being written anew, to be sent on a branch."""

    message_id: str
    aside: Draft
    """What was written before, and comes back."""


class ComposerPane(Vertical):
    """Holds the draft of the shown thread; every thread keeps its own until it is sent."""

    HELP: ClassVar[str] = (
        "Enter sends, Ctrl+J begins a line. The up key brings earlier prompts back, and first of all what "
        "still waits to be sent. A slash begins a command. Ctrl+O attaches files, and so do paths that you "
        "paste or drop."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(  # first, because text areas have a use of their own for F6
            "f6",
            "options",
            "Options",
            show=False,
            priority=True,
            id="composer.options",
            tooltip="Options of the next runs",
        ),
    ]
    DEFAULT_CSS = """
    ComposerPane {
        height: auto;
        border-top: solid $border-blurred;
        background: $surface;
        &:focus-within { border-top: solid $accent; }
        & #completions {
            height: auto;
            max-height: 8;
            padding: 0 1;
            background: $panel;
            display: none;
            & > .virtual-list--cursor-blurred { background: $primary 30%; }
        }
        & #run-options { height: auto; max-height: 2; padding: 0 2; color: $text-accent; display: none; }
        & #editing { height: auto; max-height: 2; padding: 0 2; color: $text-accent; display: none; }
        & #run-warning { height: auto; max-height: 2; padding: 0 2; color: $text-warning; display: none; }
    }
    """

    class CommandGiven(Message):
        """The user entered a slash command."""

        def __init__(self, name: str, argument: str) -> None:
            super().__init__()
            self.name = name
            self.argument = argument

    class Sent(Message):
        """A message is on its way."""

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._conversation = workspace.conversations.shown
        self._drafts: dict[str | None, Draft] = {}  # by thread ID; None: the thread to come
        self._threadless: Conversation | None = None  # the one that the draft of None is for
        self._files: tuple[AttachedFile, ...] = ()
        self._once = RunOptions()
        self._edit: _Edit | None = None
        self._edits: dict[str | None, _Edit] = {}  # those of `_drafts`
        self._completions: Sequence[slash.Completion] = ()
        self._completed = ""  # the text that they go on from
        self._given_up = ""  # the line for which completion was dismissed
        self._kept = RunOptions()  # the options of the thread that are shown
        self._models: Sequence[str] | None = None
        self._keeping: Timer | None = None

    def compose(self) -> ComposeResult:
        rows = VirtualList(id="completions")
        rows.can_focus = False
        yield rows
        yield AttachedFiles(id="attached-files")
        yield Static(id="editing")
        yield Static(id="run-options")
        yield Static(id="run-warning")
        yield Composer(id="composer", placeholder=COMPOSER_HINT)

    def on_mount(self) -> None:
        self.composer.assist = self._assist
        self._put_kept(self._workspace.drafts.get(self._conversation.thread_id))
        self._workspace.feed.subscribe(self._workspace_changed)
        self._show_extras()

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def draft(self) -> Draft:
        """What has been written so far."""
        return Draft(self.composer.text, self._files, self._once)

    def put(self, draft: Draft) -> None:
        """Show a draft, to be edited and sent."""
        self._put(draft, None)

    def write_instead(self, message_id: str, draft: Draft) -> None:
        """Show a draft that is sent in place of a message, on a branch. Esc brings back what is here now."""
        self._put(draft, _Edit(message_id, self._edit.aside if self._edit is not None else self.draft))

    def _put(self, draft: Draft, edit: _Edit | None) -> None:
        self._edit = edit
        self.composer.put(draft.text)
        self._files, self._once = draft.files, draft.options
        self._show_extras()

    def keep_draft(self) -> None:
        """Remember what has been written, in case the app ends before it is sent."""
        if self._keeping is not None:
            self._keeping.stop()
            self._keeping = None
        aside = [self._edit.aside] if self._edit is not None else []
        self._workspace.drafts.put(self._conversation.thread_id, joined([*aside, self.draft]))

    def _keep_soon(self) -> None:
        """Keep the draft, once for all that is typed until then."""
        if self._keeping is None:
            self._keeping = self.set_timer(_KEEP_EVERY, self.keep_draft)

    def _put_kept(self, draft: Draft) -> None:
        """Show a draft from before the start. Its files may have gone since then."""
        if draft != Draft(""):
            self.put(draft)
        if draft.files:
            self._drop_missing(draft.files)

    @work(exclusive=True, group="missing")
    async def _drop_missing(self, files: Sequence[AttachedFile]) -> None:
        if gone := await asyncio.to_thread(missing, files):
            self._files = tuple(file for file in self._files if file not in gone)
            self._show_extras()
            self._keep_soon()
            names = ", ".join(clean(file.name) for file in gone)
            self.notify(names, title="No longer there, so not attached", severity="warning", markup=False)

    def _workspace_changed(self, changed: Changed) -> None:
        self._find_thread()
        if changed & Changed.PLACE and self._workspace.conversations.shown is not self._conversation:
            self._set_aside(self._conversation, self.draft, self._edit)
            self.keep_draft()
            self._conversation = self._workspace.conversations.shown
            thread_id = self._conversation.thread_id
            if thread_id in self._drafts:
                self._put(self._drafts.pop(thread_id), self._edits.pop(thread_id, None))
            else:
                self.put(Draft(""))
                self._put_kept(self._workspace.drafts.get(thread_id))
        elif changed & Changed.ASSISTANTS or self._conversation.options is not self._kept:
            self._show_extras()

    def _set_aside(self, conversation: Conversation, draft: Draft, edit: _Edit | None) -> None:
        """Have a draft of a conversation that is not shown."""
        if (thread_id := conversation.thread_id) is None:
            self._threadless = conversation
        self._drafts[thread_id] = draft
        if edit is not None:
            self._edits[thread_id] = edit

    def _find_thread(self) -> None:
        """Move the draft of the thread to come to the thread, when that has come meanwhile."""
        if self._threadless is not None and (thread_id := self._threadless.thread_id) is not None:
            self._threadless = None
            if None in self._drafts:
                self._drafts[thread_id] = self._drafts.pop(None)

    def _show_extras(self) -> None:
        """The files, the options, and what becomes of the message."""
        workspace = self._workspace
        self._kept = workspace.conversations.shown.options
        self.query_one(AttachedFiles).show(self._files, self._assistant)
        parts = [
            f"{span}: {words}"
            for span, options in (("This thread", self._kept), ("Next message", self._once))
            if (words := run_options.summary(options, workspace.assistants.names))
        ]
        self._show_line("#editing", _EDITING if self._edit is not None else "")
        self._show_line("#run-options", "⚙ " + "  ·  ".join(parts) if parts else "")
        self._show_warning()

    def _show_warning(self) -> None:
        """Say when the answer must be JSON and nothing that the model reads says so."""
        text = self.composer.text
        said = (message_text.render_text(message).text for message in self._conversation.messages.values())
        options = run_options.merged(self._kept, self._once)
        warning = run_options.json_warning(options, self._assistant, chain([text], said)) if text else None
        self._show_line("#run-warning", f"! {warning}" if warning else "")

    def _show_line(self, selector: str, text: str) -> None:
        line = self.query_one(selector, Static)
        if str(line.content) != text:
            line.display = bool(text)
            line.update(Content(text))

    @property
    def _assistant(self) -> Assistant | None:
        """Who answers the next message."""
        options = run_options.merged(self._workspace.conversations.shown.options, self._once)
        wanted = options.get("assistant_id", self._workspace.assistants.chosen_id)
        return next((one for one in self._workspace.assistants.all if one["id"] == wanted), None)

    # sending

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        event.stop()
        try:
            command = slash.parse(event.text)
        except slash.UnknownCommandError as error:
            self.notify(str(error), title="Not sent", severity="warning", markup=False)
            return
        written = self.composer.text  # perhaps more by now: a fast typist is already at the next one
        rest = written[len(event.text) :] if written.startswith(event.text) else ""
        if command is not None:
            self.composer.put(rest)
            self.post_message(self.CommandGiven(command[0].name, command[1]))
        else:
            self._send(replace(self.draft, text=slash.message(event.text)), rest)

    def _send(self, draft: Draft, rest: str = "") -> None:
        """Send a draft and go on with `rest`."""
        if self._edit is not None:
            self._send_instead(self._edit, draft, rest)
            return
        with told_failures(self, "Not sent"):
            self._workspace.messages.send(draft)
            self.composer.remember(draft.text)
            self.put(Draft(rest))
            self.keep_draft()  # now, while it is known which thread it was for
            self.post_message(self.Sent())

    @work(group="branch")
    async def _send_instead(self, edit: _Edit, draft: Draft, rest: str) -> None:
        """Send a draft on a branch and go on there with `rest`; if that fails, it is all as before."""
        origin, thread_id = self._conversation, self._conversation.thread_id
        branch, sent = origin, False
        self.put(edit.aside)
        kept = joined([edit.aside, replace(draft, text=draft.text + rest)])
        self._workspace.drafts.put(thread_id, kept)  # should the app end before it is sent
        with told_failures(self, "Not sent"):
            branch = await self._workspace.branches.send_instead(edit.message_id, draft)
            sent = True
        if self._workspace.drafts.get(thread_id) == kept:
            self._workspace.drafts.put(thread_id, edit.aside)
        if sent:
            self.composer.remember(draft.text)
            if branch is self._workspace.conversations.shown:
                self.composer.insert(rest)
                self.post_message(self.Sent())
            elif rest:
                self._set_aside(branch, Draft(rest), None)
        elif self._conversation is origin:
            self.write_instead(edit.message_id, replace(draft, text=draft.text + rest))
        else:
            self._set_aside(origin, replace(draft, text=draft.text + rest), edit)

    # files

    @on(Composer.AttachWanted)
    @work
    async def _choose_files(self) -> None:
        paths = await self.app.push_screen_wait(FilePicker("Attach files", Path.cwd()))
        self.attach(paths or ())

    def attach(self, paths: Sequence[Path]) -> None:
        """Let files go with the message."""
        known = {file.path for file in self._files}
        new = tuple(AttachedFile(path.name, path) for path in paths if path not in known)
        self._files = (*self._files, *new)
        self._keep_soon()
        self._show_extras()
        self.composer.focus()

    @on(Composer.FilesPasted)
    @work
    async def _offer_files(self, event: Composer.FilesPasted) -> None:
        names = ", ".join(path.name for path in event.paths)
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                "Attach this file?" if len(event.paths) == 1 else f"Attach these {len(event.paths)} files?",
                names,
                choices=[("attach", "Attach"), ("text", "Insert as text")],
            )
        )
        if choice == "attach":
            self.attach(event.paths)
        elif choice == "text":
            self.composer.insert(event.text)

    @on(Composer.LongPasted)
    @work
    async def _keep_paste(self, event: Composer.LongPasted) -> None:
        """Let a long text go as a file; if it cannot be written, it is text all the same."""
        conversation = self._conversation
        name = f"Pasted text, {len(event.text):,} characters.txt"
        too_long = len(event.text) > limits.MAX_MESSAGE_TEXT  # for a message, so a tool has to read it
        use = uses(name, self._assistant)[0] if too_long else None
        file: AttachedFile | None = None
        try:
            path = await self._workspace.drafts.keep_paste(event.text)
            file = AttachedFile(name, path, use=use, pasted=True)
        except ServiceError as error:
            self.notify(str(error), title="Not made a file", severity="error", markup=False, timeout=10)
        self._find_thread()
        if conversation is self._conversation:
            if file is None:
                self.composer.insert(event.text)
            else:
                self._files = (*self._files, file)
            self._keep_soon()
            self._show_extras()
            return
        draft = self._drafts.get(conversation.thread_id, Draft(""))
        if file is None:
            draft = replace(draft, text=draft.text + event.text)
        else:
            draft = replace(draft, files=(*draft.files, file))
        edit = self._edits.get(conversation.thread_id)
        self._set_aside(conversation, draft, edit)
        aside = [edit.aside] if edit is not None else []
        self._workspace.drafts.put(conversation.thread_id, joined([*aside, draft]))

    @on(AttachedFiles.Changed)
    @work
    async def _change_file(self, event: AttachedFiles.Changed) -> None:
        event.stop()
        file = event.file
        if file not in self._files:
            return
        if event.what == "remove":
            self._files = tuple(one for one in self._files if one is not file)
            await asyncio.to_thread(remove_pasted, [file])
        else:
            offered = uses(file.name, self._assistant, pasted=file.pasted)
            current = chosen_use(file, self._assistant)
            place = offered.index(current) + 1 if current in offered else 0
            changed = replace(file, use=offered[place % len(offered)])
            self._files = tuple(changed if one is file else one for one in self._files)
        self._keep_soon()
        self._show_extras()
        if not self._files:
            self.composer.focus()

    # options

    @on(events.Click, "#run-options")
    def action_options(self) -> None:
        self.choose_options()

    @work
    async def choose_options(self) -> None:
        """Ask for the options of the next runs."""
        conversation = self._workspace.conversations.shown
        result = await self.app.push_screen_wait(
            RunOptionsScreen(
                run_options.merged(conversation.options, self._once),
                assistants=self._workspace.assistants.names,
                tools=_tools(self._assistant),
            )
        )
        if result is None:
            return
        span, options = result
        if span == "thread":
            self._once = RunOptions()
            self._workspace.conversations.keep_options(options)
        else:
            kept = conversation.options
            same = [key for key in options if options.get(key) == kept.get(key)]
            self._once = run_options.without(options, same)
            if cleared := [key for key in kept if key not in options]:
                self._workspace.conversations.keep_options(run_options.without(kept, cleared))
        self._show_extras()

    # the editor

    @on(Composer.EditorWanted)
    @work(exclusive=True, group="editor")
    async def edit(self) -> None:
        """Write the message in the user's editor."""
        try:
            text = await edit_externally(self.app, self.composer.text, name="message.md")
        except ExternalEditorError as error:
            self.notify(str(error), title="No editor", severity="error", markup=False)
        else:
            self.composer.put(text)
        self.composer.focus()

    # keys before the composer has them

    def _assist(self, key: str) -> bool:
        if self._completions and self._completed != self.composer.text:  # keys are faster than messages
            self._show_completions(())
            self._text_changed()
        if self._completions:
            return self._assist_completion(key)
        if key == "escape" and self._edit is not None:
            self.put(self._edit.aside)
            return True
        if self.composer.text.strip():
            return False
        match key:
            case "up" if self._edit is None:
                return self._take_back()
            case "enter" if self._files:  # pictures may say enough
                self._send(self.draft)
            case "backspace" if self._files and not self.composer.text:
                self.post_message(AttachedFiles.Changed(self._files[-1], "remove"))
            case _:
                return False
        return True

    def _assist_completion(self, key: str) -> bool:
        match key:
            case "down" | "up":
                self._rows.action_move(1 if key == "down" else -1)
            case "tab":
                self._complete()
            case "enter":
                self._complete()
                if not self.composer.text.endswith((" ", "/")):
                    self._show_completions(())
                    self.composer.action_submit()
            case "escape":
                self._given_up = self.composer.text
                self._show_completions(())
            case _:
                return False
        return True

    def bring_back(self, outgoing_id: str) -> None:
        """Take a message back that has not gone out, if nothing stands in the composer."""
        if not self.composer.text and not self._files and self._edit is None:
            draft = self._workspace.conversations.shown.sender.take_back(outgoing_id)
            if draft is not None:
                self.put(draft)

    def _take_back(self) -> bool:
        """Bring the message that was queued last back into the composer."""
        conversation = self._workspace.conversations.shown
        waiting = [item for item in conversation.outbox if not item.sending and not item.posted]
        draft = conversation.sender.take_back(waiting[-1].id) if waiting else None
        if draft is not None:
            self.put(draft)
        return draft is not None

    # completion

    @property
    def _rows(self) -> VirtualList:
        return self.query_one("#completions", VirtualList)

    @on(TextArea.Changed)
    def _text_changed(self) -> None:
        text = self.composer.text
        self._keep_soon()
        self._show_warning()
        if text.startswith("/attach "):
            self._complete_path(text)
        elif text == self._given_up:
            self._show_completions(())
        else:
            self._given_up = ""
            self._show_completions(slash.completions(text, self._choices))
            if text.startswith("/model ") and self._models is None:
                self._read_models()

    @work(exclusive=True, group="completion")
    async def _complete_path(self, text: str) -> None:
        typed = text.removeprefix("/attach ")
        entries = await asyncio.to_thread(matching, typed, Path.cwd())
        if self.composer.text == text:
            self._show_completions(_path_completions(typed, entries))

    @work(exclusive=True, group="models")
    async def _read_models(self) -> None:
        self._models = ()
        try:
            self._models = [model["id"] for model in await self._workspace.session.models()]
        except ServiceError:
            return  # a name can be typed all the same
        self._text_changed()

    @property
    def _choices(self) -> dict[str, Callable[[str], Sequence[slash.Completion]]]:
        names = list(self._workspace.assistants.names.values())
        return {
            "assistant": lambda typed: slash.named("assistant", names, typed),
            "model": lambda typed: slash.named("model", self._models or (), typed),
            "tool": lambda typed: slash.named("tool", _tools(self._assistant), typed),
            "export": lambda typed: slash.named("export", _EXPORTS, typed),
        }

    def _show_completions(self, completions: Sequence[slash.Completion]) -> None:
        self._completions, self._completed = completions, self.composer.text
        self._rows.display = bool(completions)
        width = max((len(one.label) for one in completions), default=0)

        def row(index: int) -> Content:
            one = completions[index]
            return Content.assemble(one.label.ljust(width), (f"  {one.help}", "$muted"))

        self._rows.set_rows(len(completions), row, key=lambda index: completions[index].text)

    def _complete(self) -> None:
        index = self._rows.cursor
        if index is not None and index < len(self._completions):
            self.composer.load_text(self._completions[index].text)
            self.composer.move_cursor(self.composer.document.end)

    @on(VirtualList.Selected)
    def _clicked(self, event: VirtualList.Selected) -> None:
        event.stop()
        self._complete()
        self.composer.focus()


def _tools(assistant: Assistant | None) -> list[str]:
    """What a run of this assistant can be made to use."""
    names = ["auto", "none", "required"]
    for tool in (assistant.get("tools") or ()) if assistant is not None else ():
        function = tool.get("function")
        names.append(function["name"] if function else tool["type"])
    return names


def _path_completions(typed: str, entries: Sequence[Entry]) -> list[slash.Completion]:
    head, _, last = typed.rpartition("/")
    head = f"/attach {head}/" if "/" in typed else "/attach "
    names = [f"{entry.path.name}/" if entry.is_folder else entry.path.name for entry in entries]
    return [slash.Completion(head + name, name) for name in names if name != last]
