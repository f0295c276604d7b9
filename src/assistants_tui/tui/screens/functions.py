"""The functions of this machine that assistants may call: what there is, and who has it."""

from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content

from assistants_tui.protocol.objects import Assistant
from assistants_tui.service.assistants.resources import function_names
from assistants_tui.service.changes import Changed
from assistants_tui.service.functions.registry import Catalogue, Function
from assistants_tui.service.local_paths import short_path
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.approvals import Decision
from assistants_tui.tui.failures import told_failures
from assistants_tui.tui.run_rows import as_json
from assistants_tui.tui.screens.list_screen import ListScreen
from assistants_tui.tui.text.plain_text import as_markdown
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.virtual_list import VirtualList

_DECISIONS = {"always": "runs without asking", "never": "is always declined"}


class FunctionsScreen(ListScreen):
    """The user's Python functions and the tools of MCP servers."""

    TITLE_TEXT = "Functions"
    HELP: ClassVar[str] = (
        "Enter gives a function to the chosen assistant, or takes it away. It runs only when you agree; "
        "f forgets what you agreed to for good."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "a", "give_all", "Give all", id="functions.give_all", tooltip="Give the assistant all of them"
        ),
        Binding(
            "f", "forget", "Ask again", id="functions.forget", tooltip="Ask again before the function runs"
        ),
        Binding("y", "copy_definition", "Copy", id="functions.copy", tooltip="Copy the definition as JSON"),
        Binding(
            "r", "reload", "Reload", id="functions.reload", tooltip="Look at the folder and servers again"
        ),
    ]

    SHOWS = Changed.ASSISTANTS

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._catalogue = Catalogue()
        self._decisions: dict[str, Decision | None] = {}
        self._shown: list[Function] = []
        self._problems: list[str] = []
        """What cannot be used: rows after those of the functions."""
        self._reading = True

    def on_mount(self) -> None:
        self.draw()
        self.action_reload()

    @work(exclusive=True, group="list")
    async def action_reload(self) -> None:
        self._reading = True
        self.draw()
        functions = self.workspace.functions
        self._catalogue = await functions.catalogue()
        self._decisions = {
            name: await functions.decision(function) for name, function in self._catalogue.functions.items()
        }
        self._reading = False
        self.draw()

    @property
    def _assistant(self) -> Assistant | None:
        return self.workspace.assistants.chosen

    @property
    def _given(self) -> set[str]:
        """The functions of the chosen assistant."""
        return function_names(self._assistant) if self._assistant is not None else set()

    def draw(self) -> None:
        words = self.wanted.casefold().split()
        shown = self._shown = [
            function
            for name, function in self._catalogue.functions.items()
            if all(word in name.casefold() for word in words)
        ]
        folder = short_path(self.workspace.functions.folder)
        none = f"No functions yet. Put Python files into {folder}, or name MCP servers in config.toml."
        self.rows.empty = "Looking…" if self._reading else "No function matches." if words else none
        problems = self._problems = [
            problem
            for problem in self._catalogue.problems
            if all(word in problem.casefold() for word in words)
        ]
        keys = [*(one.definition["name"] for one in shown), *(f"problem {one}" for one in problems)]
        self.rows.set_rows(len(keys), self._row, key=keys.__getitem__)
        assistant = self._assistant
        who = f"● are given to {assistant.get('name') or assistant['id']}" if assistant is not None else ""
        self.tell(who if shown else "")
        self.draw_detail()
        self.refresh_bindings()

    def _row(self, index: int) -> Content:
        if index >= len(self._shown):
            problem = clean(self._problems[index - len(self._shown)]).replace("\n", " ")
            return Content.assemble(("✗ ", "$text-error"), problem)
        function = self._shown[index]
        name = function.definition["name"]
        mark = "●" if name in self._given else " "
        return Content.assemble(
            (f"{mark} ", "$text-accent"), clean(name), (f"  {clean(function.place)}", "$muted")
        )

    @property
    def _function(self) -> Function | None:
        index = self.rows.cursor
        return self._shown[index] if index is not None and index < len(self._shown) else None

    def draw_detail(self) -> None:
        function, index = self._function, self.rows.cursor
        if function is None:
            at = 0 if index is None else index - len(self._shown)
            chosen = self._problems[at : at + 1]
            self.show_parts([(f"problem-{one}", "Not usable", as_markdown(one)) for one in chosen])
            return
        name = function.definition["name"]
        facts = [as_markdown(function.definition.get("description") or "It has no description.")]
        if decision := self._decisions.get(name):
            facts.append(f"It {_DECISIONS[decision]}.")
        facts += [as_markdown(note) for note in function.notes]
        self.show_parts(
            [
                (f"about-{name}", name, "\n\n".join(facts)),
                (f"json-{name}", "Definition", as_json(function.definition)),
            ]
        )

    @on(VirtualList.Selected)
    @work(exclusive=True, group="give")
    async def _opened(self, event: VirtualList.Selected) -> None:
        event.stop()
        function, assistant = self._function, self._assistant
        if function is None:
            return
        if assistant is None:
            self.notify("Choose an assistant first.", severity="warning")
            return
        with told_failures(self.rows, "Not changed"):
            store = self.workspace.assistant_store
            name = function.definition["name"]
            if name in self._given:
                await store.take_function(assistant, name)
            else:
                await store.give_functions(assistant, [function.definition])
            await self.workspace.assistants.refresh()

    @work(exclusive=True, group="give")
    async def action_give_all(self) -> None:
        assistant = self._assistant
        if assistant is None or not self._shown:
            return
        with told_failures(self.rows, "Not changed"):
            definitions = [function.definition for function in self._shown]
            await self.workspace.assistant_store.give_functions(assistant, definitions)
            await self.workspace.assistants.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "forget":
            function = self._function
            return function is not None and bool(self._decisions.get(function.definition["name"]))
        if action == "copy_definition":
            return self._function is not None
        return True

    @work
    async def action_forget(self) -> None:
        if (function := self._function) is not None:
            with told_failures(self.rows, "Not forgotten"):
                await self.workspace.functions.forget(function)
                self._decisions[function.definition["name"]] = None
                self.draw()

    def action_copy_definition(self) -> None:
        if (function := self._function) is not None:
            self.copy(as_json(function.definition).removeprefix("```json\n").removesuffix("\n```"))
