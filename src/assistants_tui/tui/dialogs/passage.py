"""What a footnote stands for: the passage in its file, with the words marked that the answer rests on."""

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content, Span
from textual.screen import ModalScreen
from textual.widgets import Static

from assistants_tui.service.files.citations import (
    Passage,
    Surroundings,
    highlights,
    quoted_place,
)
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.dialogs.file_actions import save_file
from assistants_tui.tui.dialogs.file_viewer import view_file
from assistants_tui.tui.text.excerpts import shortened
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.key_bar import KeyBar

MAX_PASSAGE = 20_000
"""Characters of a passage that are shown; our own engine makes none that long."""


class PassageScreen(ModalScreen[None]):
    """Passages, the most likely first; the first one is shown in its file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close", key_display="Esc", id="passage.close"),
        Binding(
            "n,right", "other(1)", "Next passage", id="passage.next", tooltip="Another passage of the file"
        ),
        Binding("p,left", "other(-1)", show=False, id="passage.previous", tooltip="The passage before"),
        Binding("enter,o", "view", "Whole file", id="passage.view", tooltip="Show the file"),
        Binding("s", "save", "Save file", id="passage.save", tooltip="Save the file in the downloads folder"),
        Binding("y", "copy", "Copy", id="passage.copy", tooltip="Copy the passage"),
        Binding("j", "scroll(1)", show=False, id="passage.down", tooltip="Scroll down"),
        Binding("k", "scroll(-1)", show=False, id="passage.up", tooltip="Scroll up"),
    ]
    DEFAULT_CSS = """
    PassageScreen {
        background: $background;
        & > Vertical { padding: 1 2 0 2; }
        & #passage-head { height: auto; margin-bottom: 1; }
        & #passage-page { height: 1fr; scrollbar-size-vertical: 1; }
        & #passage-page Static { height: auto; max-width: 110; padding: 0 2; }
        & .around { color: $text-muted; }
        & .passage { border-left: outer $accent; padding: 0 1; }
    }
    """

    def __init__(
        self, workspace: Workspace, passages: Sequence[Passage], claim: str, store_ids: Sequence[str]
    ) -> None:
        """`claim` is what the answer says; `store_ids` are the stores in which the file may be."""
        super().__init__()
        self._workspace = workspace
        self._passages = passages
        self._claim = claim
        self._store_ids = store_ids
        self._place = 0

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(id="passage-head")
            with VerticalScroll(id="passage-page"):
                yield Static(id="passage-before", classes="around")
                yield Static(id="passage-lead", classes="passage")
                yield Static(id="passage-text", classes="passage")
                yield Static(id="passage-after", classes="around")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#passage-page").focus()
        self._show()

    @property
    def _passage(self) -> Passage:
        return self._passages[self._place]

    def _show(self) -> None:
        passage = self._passage
        place = quoted_place(passage, self._claim) or passage.place
        parts = [place] if place else []
        if passage.score is not None:
            parts.append(f"score {passage.score:.2f}")
        if len(self._passages) > 1:
            parts.append(f"passage {self._place + 1} of {len(self._passages)}")
        head = Content.assemble(
            (clean(passage.file_name).replace("\n", " "), "bold $text-accent"),
            (f"  {clean(' · '.join(parts))}", "$muted"),
        )
        self.query_one("#passage-head", Static).update(head)
        text = _shown(shortened(passage.text, MAX_PASSAGE))
        marked = highlights(text, self._claim)
        # in two parts, so that the place to scroll to is one of them
        cut = text.rfind("\n", 0, marked[0][0]) + 1 if marked else 0
        spans = [Span(start - cut, end - cut, "bold $text-accent") for start, end in marked]
        lead = self.query_one("#passage-lead", Static)
        lead.display = cut > 0
        lead.update(Content(text[: max(0, cut - 1)]))
        self.query_one("#passage-text", Static).update(Content(text[cut:], spans=spans))
        self._show_around(Surroundings())
        self._read_around(passage)

    def _show_around(self, around: Surroundings) -> None:
        for where, text in (("before", around.before), ("after", around.after)):
            part = self.query_one(f"#passage-{where}", Static)
            part.display = bool(text.strip())
            part.update(Content(_shown(text).strip("\n")))
        self.call_after_refresh(self._go_to_passage)

    def _go_to_passage(self) -> None:
        page = self.query_one("#passage-page")
        place = self.query_one("#passage-text").virtual_region.y
        page.scroll_to(y=max(0, place - page.size.height // 3), animate=False)

    @work(exclusive=True, group="around")
    async def _read_around(self, passage: Passage) -> None:
        around = await self._workspace.passages.around(self._store_ids, passage)
        if passage is self._passage:
            self._show_around(around)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return len(self._passages) > 1 if action == "other" else True

    def action_other(self, step: int) -> None:
        self._place = (self._place + step) % len(self._passages)
        self._show()

    def action_scroll(self, lines: int) -> None:
        self.query_one("#passage-page").scroll_relative(y=lines, animate=False)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(clean(self._passage.text))
        self.notify("Copied the passage.", timeout=2)

    @work
    async def action_save(self) -> None:
        await save_file(self.query_one(KeyBar), self._workspace, self._passage.file_id)

    @work
    async def action_view(self) -> None:
        await view_file(self.query_one(KeyBar), self._workspace, self._passage.file_id)


def _shown(text: str) -> str:
    """A new page is a new line here."""
    return clean(text.replace("\f", "\n"))
