"""The main screen: three columns that show one workspace, and what they become where there is less room."""

from dataclasses import replace
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

from assistants_tui.service.changes import Changed
from assistants_tui.service.conversation.conversation import Conversation
from assistants_tui.service.conversation.run_notices import RunEnded
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.state import AppState
from assistants_tui.tui.app_messages import ComposerWanted
from assistants_tui.tui.dialogs.export import export_thread
from assistants_tui.tui.dialogs.help import HelpScreen
from assistants_tui.tui.dialogs.questions import ChoiceDialog
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.panes.assistants import AssistantsPane
from assistants_tui.tui.panes.composer.pane import ComposerPane
from assistants_tui.tui.panes.conversation import ConversationPane
from assistants_tui.tui.panes.inspector.pane import InspectorPane
from assistants_tui.tui.panes.threads import ThreadsPane
from assistants_tui.tui.panes.transcript.transcript import Transcript
from assistants_tui.tui.screens.chat.opening import open_first_thread
from assistants_tui.tui.screens.chat.pane_layout import PaneLayout
from assistants_tui.tui.screens.chat.run_end_notices import tell_run_ended
from assistants_tui.tui.screens.chat.slash_actions import SlashActions
from assistants_tui.tui.screens.chat.status_lines import StatusLines
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
        self._pane_layout = PaneLayout(self, workspace.place, state)
        self._status_lines = StatusLines(self, workspace)
        self._slash_actions = SlashActions(self, workspace)
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
        self.query_one(Composer).read_earlier = self.workspace.prompts.all
        self._pane_layout.restore()
        self.workspace.feed.subscribe(self._workspace_changed)
        self.workspace.run_notices.watch(self._run_ended)
        self._workspace_changed(Changed.PLACE | Changed.CONVERSATION)
        self._last_pane.focus()
        self.call_after_refresh(self._begin)

    @work
    async def _begin(self) -> None:
        """Only now: the first frame is painted, and opening the server takes its time."""
        await open_first_thread(self, self.workspace)
        await self.workspace.session.look_for_models()

    async def on_unmount(self) -> None:
        if not self.workspace.closing:  # else whoever began that waits for it, as long as there is time
            await self.workspace.close()

    def _workspace_changed(self, changed: Changed) -> None:
        if (busy := self.workspace.conversations.shown.busy) != self._busy:
            self._busy = busy
            self.refresh_bindings()
        self._status_lines.draw(changed)
        if changed & Changed.PROBLEMS:
            for problem in self.workspace.problems.take():
                self.notify(problem, title="Your files", severity="warning", markup=False, timeout=15)

    def _run_ended(self, ended: RunEnded) -> None:
        tell_run_ended(self, self.workspace, ended)

    # panes

    def action_new_thread(self) -> None:
        self.workspace.conversations.new()
        self._to_composer()

    def action_toggle_sidebar(self) -> None:
        shown = self._pane_layout.toggle_sidebar()
        self._focus_after_toggle(self.query_one(ThreadsPane).rows, shown=shown)

    def action_toggle_inspector(self) -> None:
        shown = self._pane_layout.toggle_inspector()
        self._focus_after_toggle(self.query_one(InspectorPane).rows, shown=shown)

    def _focus_after_toggle(self, pane: Widget, *, shown: bool) -> None:
        covered = self._pane_layout.inspector_covers
        rest = self.query_one(InspectorPane).rows if covered else self.query_one(Composer)
        # a pane that has just been displayed takes the focus only after its layout
        self.call_after_refresh((pane if shown else rest).focus)

    def action_move_border(self, columns: int, rows: int) -> None:
        self._pane_layout.move_border(columns, rows)

    def on_resize(self) -> None:
        # the classes for the width of the terminal are set after this event
        self.call_after_refresh(self._pane_layout.apply_sizes)

    @on(ComposerWanted)
    def _to_composer(self) -> None:
        self._pane_layout.close_drawers()
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
            self._pane_layout.close_drawers()

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

    # what the panes ask for

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
    @work(exclusive=True, group="export")
    async def _export(self, event: ThreadsPane.ExportWanted) -> None:
        await export_thread(self, self.workspace, event.thread_id, event.form)

    @on(ThreadsPane.HitChosen)
    @work(exclusive=True, group="hit")
    async def _show_hit(self, event: ThreadsPane.HitChosen) -> None:
        self._pane_layout.close_drawers()
        pane = self.query_one(ConversationPane)
        await pane.show_message(event.thread_id, event.message_id, event.words)

    # other keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "connect":
            return self.workspace.session.lacks_model
        if action == "stop":
            return not self._pane_layout.has_drawer and self.workspace.conversations.shown.busy
        return True

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
        drawer, conversation = self._pane_layout.has_drawer, self.workspace.conversations.shown
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

    async def action_connect(self) -> None:
        """Show the profiles, and offer to add one as long as there is only one."""
        await self.app.run_action("profiles('+')")

    def action_files(self) -> None:
        from assistants_tui.tui.screens.files import FilesScreen  # not for the first frame

        self.app.push_screen(FilesScreen(self.workspace))

    def action_stores(self) -> None:
        from assistants_tui.tui.screens.vector_stores.screen import (
            VectorStoresScreen,  # not for the first frame
        )

        self.app.push_screen(VectorStoresScreen(self.workspace))

    def action_functions(self) -> None:
        from assistants_tui.tui.screens.functions import FunctionsScreen  # not for the first frame

        self.app.push_screen(FunctionsScreen(self.workspace))

    @work
    async def action_guide(self) -> None:
        """Show the first steps, and take the one that is chosen."""
        from assistants_tui.tui.screens.chat.guide_steps import take_a_first_step  # not for the first frame

        await take_a_first_step(self)

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self))
