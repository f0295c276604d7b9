"""The main screen: three columns that show one workspace, and what they become where there is less room."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

from assistants_tui.service import message_text
from assistants_tui.service.changes import Changed
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.conversation.run_notices import RunEnded
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.export.document import Format
from assistants_tui.service.runs.sandboxes import lacks_packages
from assistants_tui.service.times import span
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.state import AppState
from assistants_tui.tui.app_messages import ComposerWanted
from assistants_tui.tui.dialogs.export import ExportDialog
from assistants_tui.tui.dialogs.help import HelpScreen
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.panes import pane_sizes
from assistants_tui.tui.panes.assistants import AssistantsPane
from assistants_tui.tui.panes.composer.pane import ComposerPane
from assistants_tui.tui.panes.conversation import ConversationPane
from assistants_tui.tui.panes.inspector.pane import InspectorPane
from assistants_tui.tui.panes.threads import ThreadsPane
from assistants_tui.tui.panes.transcript import Transcript
from assistants_tui.tui.screens.slash_actions import SlashActions
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.composer import Composer
from assistants_tui.tui.widgets.key_bar import KeyBar
from assistants_tui.tui.widgets.status_bar import StatusBar

_FOCUSED = {
    "composer": ("", 0),
    "messages": ("", 0),
    "assistant-list": ("sidebar", 80),
    "thread-list": ("sidebar", 80),
    "run-tree": ("inspector", 120),
}
"""What may have the keys again after the next start: its column, and the width from which that is shown."""


class ChatScreen(Screen[None]):
    """Shows the assistants, threads, messages and runs of one profile."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-medium"), (120, "-wide")]  # noqa: RUF012 - Textual's
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "new_thread", "New", priority=True, id="threads.new", tooltip="Begin a new thread"),
        Binding("escape", "stop", "Stop", id="run.stop", tooltip="Stop the run"),
        Binding("escape", "back", "Back", id="app.back", tooltip="Go back"),
        Binding("f3", "connect", "Connect", id="app.connect", tooltip="Connect a model"),
        Binding("f3", "app.profiles", show=False, id="app.profiles", tooltip="Change or add a profile"),
        Binding("ctrl+p", "app.command_palette", "Commands", id="app.commands", tooltip="Find any command"),
        Binding(
            "f4", "toggle_inspector", "Inspector", id="inspector.toggle", tooltip="Show or hide the inspector"
        ),
        Binding(
            "f2", "toggle_sidebar", "Threads", id="sidebar.toggle", tooltip="Show or hide the left column"
        ),
        Binding("ctrl+o", "attach", show=False, id="composer.attach", tooltip="Attach files to the message"),
        Binding(  # first, because text areas have a use of their own for F7
            "f7",
            "files",
            "Files",
            show=False,
            priority=True,
            id="app.files",
            tooltip="All files of the server",
        ),
        Binding("f8", "stores", "Stores", show=False, id="app.stores", tooltip="What file search reads"),
        Binding("f9", "functions", "Functions", show=False, id="app.functions", tooltip="Your own functions"),
        Binding(
            "f5",
            "app.settings",
            "Settings",
            show=False,
            id="app.settings",
            tooltip="All settings, and what is wrong with them",
        ),
        Binding("ctrl+g", "guide", show=False, id="app.guide", tooltip="First steps"),
        Binding("f12", "app.change_theme", show=False, id="app.theme", tooltip="Choose the colours"),
        Binding("alt+left", "move_border(-1, 0)", show=False, id="pane.left", tooltip="Move the border left"),
        Binding("alt+right", "move_border(1, 0)", show=False, id="pane.right", tooltip="Move it right"),
        Binding("alt+up", "move_border(0, -1)", show=False, id="pane.up", tooltip="Move the border up"),
        Binding("alt+down", "move_border(0, 1)", show=False, id="pane.down", tooltip="Move it down"),
        Binding(
            "f1,question_mark",
            "help",
            "Help",
            key_display="F1",
            id="app.help",
            tooltip="Explain this screen",
        ),
    ]

    def __init__(self, workspace: Workspace, state: AppState) -> None:
        """`state` is how the user left the app: sizes, hidden panes and where the keys went."""
        super().__init__()
        self.workspace = workspace
        self._left = state
        self._sizes = dict(state.pane_sizes)
        self._slash_actions = SlashActions(self, workspace, self.export)
        self._busy = False
        """Whether the open thread has a run, as the footer shows it."""

    def compose(self) -> ComposeResult:
        yield StatusBar(id="status")
        with Horizontal(id="columns"):
            with Vertical(id="sidebar"):
                yield AssistantsPane(self.workspace, id="assistants")
                yield ThreadsPane(self.workspace, id="threads")
            yield ConversationPane(self.workspace, id="conversation")
            yield InspectorPane(self.workspace, id="inspector")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self.query_one(StatusBar).profile = self.workspace.session.profile.name
        self.query_one(Composer).read_earlier = self.workspace.prompts.all
        for pane in self._left.hidden_panes & {"sidebar", "inspector"}:
            self.add_class(f"-hide-{pane}")
        self.workspace.feed.subscribe(self._workspace_changed)
        self.workspace.run_notices.watch(self._run_ended)
        self._workspace_changed(Changed.PLACE | Changed.CONVERSATION)
        self._last_pane.focus()
        self.call_after_refresh(self._begin)

    @work
    async def _begin(self) -> None:
        """Only now: the first frame is painted, and opening the server takes its time."""
        await self.workspace.session.connect()
        foreign = self.workspace.conversations.foreign_thread
        if foreign is not None and self.workspace.session.connected:
            await self._keep_or_leave(foreign)
        conversation = self.workspace.conversations.shown
        await conversation.open()
        place = self.workspace.place.first_message
        if place is not None and conversation is self.workspace.conversations.shown:
            transcript = self.query_one(Transcript)
            transcript.look()
            transcript.read_from(place)

    async def _keep_or_leave(self, thread_id: str) -> None:
        """Ask about a thread that was named on the command line and that the history does not have."""
        profile = self.workspace.session.profile.name
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                "Open a thread that is not yours yet?",
                f"{clean(thread_id)} is not in the history of the profile {profile}. "
                "Opening it adds it there.",
                choices=[("leave", "Begin a new thread"), ("open", "Open and add it")],
            )
        )
        if choice == "open":
            with told_failures(self, "Not opened"):
                await self.workspace.conversations.add(thread_id)
                return
        self.workspace.conversations.new()

    async def on_unmount(self) -> None:
        if not self.workspace.closing:  # else whoever began that waits for it, as long as there is time
            await self.workspace.close()

    # the lines above and below the columns

    def _workspace_changed(self, changed: Changed) -> None:
        if (busy := self.workspace.conversations.shown.busy) != self._busy:
            self._busy = busy
            self.refresh_bindings()
        if changed & (Changed.PLACE | Changed.ASSISTANTS | Changed.THREADS):
            self._show_place()
        if changed & (Changed.CONVERSATION | Changed.CONNECTION | Changed.BALANCE):
            self._show_state()
        if changed & Changed.PROBLEMS:
            for problem in self.workspace.problems.take():
                self.notify(problem, title="Your files", severity="warning", markup=False, timeout=15)

    def _show_place(self) -> None:
        status, workspace = self.query_one(StatusBar), self.workspace
        assistant = workspace.assistants.chosen
        status.assistant = (assistant.get("name") or assistant["id"]) if assistant else ""
        status.model = assistant["model"] if assistant else ""
        reference, thread_id = workspace.conversations.reference, workspace.conversations.shown.thread_id
        status.title = (reference.title if reference else "") or thread_id or "New thread"

    def _show_state(self) -> None:
        status, workspace = self.query_one(StatusBar), self.workspace
        state = workspace.conversations.shown.latest_run
        run = state.run if state is not None else None
        status.took = span(run.get("created_at"), message_text.ended_at(run)) if run is not None else ""
        status.status = self._state
        tokens, balance = workspace.conversations.shown.run_pages.usage.tokens, workspace.session.balance
        used = [f"{tokens:,} tok"] if tokens else []
        left = [f"{balance:,} left"] if balance is not None else []
        self.query_one(KeyBar).note = " · ".join((*used, *left))

    def _run_ended(self, ended: RunEnded) -> None:
        """Tell of a run that ended in another thread; the app also tells the terminal."""
        if ended.in_background:
            severity: SeverityLevel = "information" if ended.outcome == "completed" else "warning"
            self.notify(ended.title, title=f"Run {ended.outcome}", severity=severity, markup=False)
        elif self.workspace.session.profile.kind == "embedded":
            self._offer_packages()

    def _offer_packages(self) -> None:
        """Say how to add the packages that the code of the newest run has missed."""
        run = self.workspace.conversations.shown.latest_run
        if run is not None and lacks_packages(run.steps.values()):
            from assistants_tui.installation import install_command  # not for the first frame

            words = f"{install_command('code')}\nThe inspector (F4) has this line to be copied."
            self.notify(words, title="Packages for code are missing", markup=False, timeout=20)

    @property
    def _state(self) -> str:
        workspace = self.workspace
        conversation = workspace.conversations.shown
        if workspace.session.error is not None:
            return "offline"
        if not workspace.session.connected:
            return "connecting"
        if conversation.active_run is None and conversation.sender.outbox.sending is not None:
            return "sending"
        run = conversation.latest_run
        return (run.status or "") if run is not None else ""

    # panes and pages

    def action_new_thread(self) -> None:
        self.workspace.conversations.new()
        self._to_composer()

    def action_toggle_sidebar(self) -> None:
        self._toggle("sidebar", self.query_one(ThreadsPane).rows, column=not self.has_class("-narrow"))

    def action_toggle_inspector(self) -> None:
        self._toggle("inspector", self.query_one(InspectorPane).rows, column=self.has_class("-wide"))

    def _toggle(self, pane: str, focus: Widget, *, column: bool) -> None:
        """Where there is room a pane is a column that can be hidden; elsewhere it is a drawer."""
        if column:
            self.toggle_class(f"-hide-{pane}")
            shown = not self.has_class(f"-hide-{pane}")
            self.workspace.place.remember(
                lambda state: replace(
                    state, hidden_panes=state.hidden_panes - {pane} if shown else state.hidden_panes | {pane}
                )
            )
        else:
            self.remove_class("-show-inspector" if pane == "sidebar" else "-show-sidebar")
            self.toggle_class(f"-show-{pane}")
            shown = self.has_class(f"-show-{pane}")
        in_drawer = not self.has_class("-wide") and self.has_class("-show-inspector")
        rest = self.query_one(InspectorPane).rows if in_drawer else self.query_one(Composer)
        # a pane that has just been displayed takes the focus only after its layout
        self.call_after_refresh((focus if shown else rest).focus)

    @on(ComposerWanted)
    def _to_composer(self) -> None:
        self.remove_class("-show-sidebar", "-show-inspector")
        self.call_after_refresh(self.query_one(Composer).focus)

    def on_paste(self, event: events.Paste) -> None:
        """What was pasted where no field takes it is for the composer."""
        if not isinstance(self.focused, Input | TextArea):
            event.stop()
            self.query_one(Composer).paste(event.text)
            self._to_composer()

    def on_descendant_focus(self) -> None:
        """What has the keys is seen: a question of a run comes before the drawers over it."""
        if self.query_one(ConversationPane).has_focus_within:
            self.remove_class("-show-sidebar", "-show-inspector")

    def action_attach(self) -> None:
        self.query_one(Composer).action_attach()

    def action_stop(self) -> None:
        """What `back` does while a run is on: the footer says what that is."""
        self.action_back()

    @work
    async def action_back(self) -> None:
        """Out of a filter or a drawer; from anywhere else, stop the run; else to the composer."""
        if self.query_one(ThreadsPane).close_filter():
            return
        drawer = self.has_class("-show-sidebar") or self.has_class("-show-inspector")
        conversation = self.workspace.conversations.shown
        if not drawer and conversation.activity == "waiting":
            self._stop_waiting(conversation)
            return
        if not drawer and conversation.busy and (stopped := await conversation.cancel()) is not None:
            self.query_one(ComposerPane).bring_back(stopped)
        self._to_composer()

    @work(group="stop")
    async def _stop_waiting(self, conversation: Conversation) -> None:
        """Esc also leaves a field in which an answer is written, so it takes a second key to lose that."""
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                "Stop the run that waits for you?",
                "Everything written so far is kept.",
                choices=[("wait", "Let it wait"), ("stop", "Stop it")],
            )
        )
        if choice == "stop":
            await conversation.cancel()
            self._to_composer()

    @on(ComposerPane.CommandGiven)
    @work
    async def _command(self, event: ComposerPane.CommandGiven) -> None:
        with told_failures(self, f"/{event.name}"):
            await self._slash_actions.run(event.name, event.argument)

    @on(AssistantsPane.EditorWanted)
    @work
    async def _edit_assistant(self, event: AssistantsPane.EditorWanted) -> None:
        from assistants_tui.tui.screens.assistant_editor import AssistantEditor  # not for the first frame

        saved = await self.app.push_screen_wait(AssistantEditor(self.workspace, event.assistant))
        if saved is not None:
            await self.query_one(AssistantsPane).show_assistant(saved, choose=event.assistant is None)

    @on(ThreadsPane.ExportWanted)
    def _export_wanted(self, event: ThreadsPane.ExportWanted) -> None:
        self.export(event.thread_id)

    @work(exclusive=True, group="export")
    async def export(self, thread_id: str, form: Format = "markdown") -> None:
        """Ask where to save a thread, and do so. Nothing is overwritten without asking."""
        workspace = self.workspace
        dialog = ExportDialog(workspace.threads.title_of(thread_id), workspace.exporter.folder, form)
        if (answer := await self.app.push_screen_wait(dialog)) is None:
            return
        form, path = answer
        overwrite = False
        with told_failures(self, "Not exported"):
            while True:
                try:
                    await workspace.exporter.export(thread_id, form, path, overwrite=overwrite)
                except ServiceError as error:
                    if error.code != "exists" or overwrite or not await self._may_overwrite(path):
                        raise
                    overwrite = True
                else:
                    self.notify(str(path), title="Exported", markup=False)
                    return

    async def _may_overwrite(self, path: Path) -> bool:
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                "Overwrite the file?",
                str(path),
                choices=[("keep", "Keep it"), ("overwrite", "Overwrite")],
                danger="overwrite",
            )
        )
        return choice == "overwrite"

    @on(ThreadsPane.HitChosen)
    @work(exclusive=True, group="hit")
    async def _show_hit(self, event: ThreadsPane.HitChosen) -> None:
        self.remove_class("-show-sidebar", "-show-inspector")
        pane = self.query_one(ConversationPane)
        await pane.show_message(event.thread_id, event.message_id, event.words)

    # sizes, and the rest of what is remembered

    def on_resize(self) -> None:
        # the classes for the width of the terminal are set after this event
        self.call_after_refresh(self._apply_sizes)

    def _apply_sizes(self) -> None:
        """Give the panes the sizes that the user chose, as far as the terminal has room for them."""
        wide, narrow = self.has_class("-wide"), self.has_class("-narrow")
        for pane, axis in pane_sizes.PANES.items():
            widget = self.query_one(f"#{pane}")
            size = self._sizes.get(pane)
            fixed = size is not None and not narrow and (wide or pane != "inspector")
            room = self.size.width if axis == "width" else self.size.height
            chosen = pane_sizes.fitting(pane, size or 0, room) if fixed else None
            setattr(widget.styles, axis, chosen)
            if pane == "assistants":  # grows with its list unless the user chose a size
                widget.styles.max_height = chosen

    def action_move_border(self, columns: int, rows: int) -> None:
        """Move the border of the pane that has the keys: between columns, or inside a column."""
        if self.has_class("-narrow"):
            return
        in_inspector = self.query_one("#inspector").has_focus_within
        if columns:
            pane = "inspector" if in_inspector else "sidebar"
        else:
            pane = "run-tree" if in_inspector else "assistants"
        widget = self.query_one(f"#{pane}")
        if not widget.display or (pane == "inspector" and not self.has_class("-wide")):
            return
        step = 2 * (-columns if pane == "inspector" else columns) + rows
        now = widget.outer_size.width if columns else widget.outer_size.height
        room = self.size.width if columns else self.size.height
        size = self._sizes[pane] = pane_sizes.fitting(pane, now + step, room)
        self._apply_sizes()
        self.workspace.place.remember(
            lambda state: replace(state, pane_sizes={**state.pane_sizes, pane: size})
        )

    @property
    def _last_pane(self) -> Widget:
        """Where the keys went when the app was left, if that can be seen; else the composer."""
        wanted = self._left.focus or ""
        column, least = _FOCUSED.get(wanted, ("", 0))
        shown = wanted in _FOCUSED and column not in self._left.hidden_panes and self.app.size.width >= least
        return self.query_one(f"#{wanted}" if shown else "#composer")

    def remember_place(self) -> None:
        """Keep for the next start what the user sees and has written."""
        self.query_one(ComposerPane).keep_draft()
        self.workspace.place.leave_at(self.query_one(Transcript).top_message)
        focused = self.focused.id if self.focused is not None else None
        focus = focused if focused in _FOCUSED else None
        self.workspace.place.remember(lambda state: replace(state, focus=focus))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "connect":
            profile = self.workspace.session.profile
            return profile.kind == "embedded" and profile.model_url is None
        if action == "stop":
            drawer = self.has_class("-show-sidebar") or self.has_class("-show-inspector")
            return not drawer and self.workspace.conversations.shown.busy
        return True

    async def action_connect(self) -> None:
        """Show the profiles, and offer to add one as long as there is only one."""
        await self.app.run_action("profiles('+')")

    def action_files(self) -> None:
        from assistants_tui.tui.screens.files import FilesScreen  # not for the first frame

        self.app.push_screen(FilesScreen(self.workspace))

    def action_stores(self) -> None:
        from assistants_tui.tui.screens.vector_stores import VectorStoresScreen  # not for the first frame

        self.app.push_screen(VectorStoresScreen(self.workspace))

    def action_functions(self) -> None:
        from assistants_tui.tui.screens.functions import FunctionsScreen  # not for the first frame

        self.app.push_screen(FunctionsScreen(self.workspace))

    @work
    async def action_guide(self) -> None:
        """Show the first steps, and take the one that is chosen."""
        from assistants_tui.tui.dialogs.guide import QUESTION, GuideScreen  # not for the first frame

        step = await self.app.push_screen_wait(GuideScreen())
        pane = self.query_one(ComposerPane)
        match step:
            case "ask":
                pane.put(replace(pane.draft, text=QUESTION))
                self._to_composer()
            case "steps":
                if not self.query_one(InspectorPane).display:
                    self.action_toggle_inspector()
                else:
                    self.query_one(InspectorPane).rows.focus()
            case "file":
                pane.composer.action_attach()
            case "assistant":
                self.query_one(AssistantsPane).action_create()
            case "model":
                await self.app.run_action("profiles('+')")
            case "commands":
                self.app.action_command_palette()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self))
