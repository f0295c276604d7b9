"""Parts of forms: a labelled field with room for what is wrong with it, and a list of a few items."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from assistants_tui.tui.widgets.virtual_list import VirtualList

Tone = Literal["hint", "warning", "error"]


class FormField(Horizontal):
    """A label, a control, and under it a note (a hint, a warning or an error) and a count."""

    DEFAULT_CSS = """
    FormField {
        height: auto;
        padding: 0 1;
        & > .field-label { width: 20; color: $text-muted; }
        & > .field-body { height: auto; width: 1fr; }
        &.-active > .field-label { color: $text-accent; text-style: bold; }
        .field-line { height: auto; min-height: 1; }
        .field-note { width: 1fr; color: $text-muted; padding-left: 1; }
        .field-count { width: auto; color: $text-muted; padding: 0 1 0 2; }
        .-warning { color: $text-warning; }
        .-error, .-over { color: $text-error; text-style: bold; }
        Input, TextArea, VirtualList, Toggle, Select > SelectCurrent { background: $panel; }
        Input.-textual-compact, TextArea, Toggle, Select.-textual-compact > SelectCurrent { padding: 0 1; }
        Input:focus, TextArea:focus, VirtualList:focus, Toggle:focus, Select:focus > SelectCurrent {
            border: none;
            background: $primary 20%;
        }
    }
    .-narrow FormField {
        layout: vertical;
        & > .field-label { width: 1fr; }
    }
    """

    def __init__(
        self,
        label: str,
        control: Widget,
        *,
        hint: str = "",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._label = label
        self.control = control
        self._hint = hint
        self._note = Static(Content(hint), classes="field-note")
        self._count = Static("", classes="field-count")

    def compose(self) -> ComposeResult:
        yield Static(Content(self._label), classes="field-label")
        with Vertical(classes="field-body"):
            yield self.control
            with Horizontal(classes="field-line"):
                yield self._note
                yield self._count

    def on_descendant_focus(self) -> None:
        self.add_class("-active")

    def on_descendant_blur(self) -> None:
        self.remove_class("-active")

    def tell(self, text: str = "", tone: Tone = "hint") -> None:
        """Show `text` under the control; without one, the field's own hint."""
        self._note.update(Content(text or self._hint))
        self._note.set_class(bool(text) and tone == "warning", "-warning")
        self._note.set_class(bool(text) and tone == "error", "-error")

    def count(self, used: int, most: int) -> None:
        """Show how much of what is allowed is used."""
        self._count.update(Content(f"{used:,} / {most:,}"))
        self._count.set_class(used > most, "-over")


class Toggle(Static, can_focus=True):
    """Something that is on or off."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "switch", "On or off", key_display="Space", id="toggle.toggle")
    ]

    value: reactive[bool] = reactive(False)

    class Changed(Message):
        """It is on now, or off."""

    def __init__(self, label: str, value: bool) -> None:
        super().__init__()
        self._label = label
        self.set_reactive(Toggle.value, value)

    def render(self) -> Content:
        box = ("[✓] ", "bold $text-success") if self.value else ("[ ] ", "$muted")
        return Content.assemble(box, self._label)

    def watch_value(self) -> None:
        self.post_message(self.Changed())

    def action_switch(self) -> None:
        self.value = not self.value

    def on_click(self) -> None:
        self.action_switch()


class ItemList(VirtualList):
    """A few items, and a row at the end for each way to add another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "add", "Add", id="items.add"),
        Binding("d,delete", "remove", "Remove", id="items.remove"),
    ]
    DEFAULT_CSS = """
    ItemList { height: auto; max-height: 8; & > .virtual-list--cursor-blurred { background: transparent; } }
    """

    class ItemMessage(Message):
        """The user wants something of a list."""

        def __init__(self, items: "ItemList", index: int) -> None:
            super().__init__()
            self.items = items
            self.index = index

        @property
        def control(self) -> "ItemList":
            return self.items

    class Opened(ItemMessage):
        """Item `index` was chosen."""

    class Added(ItemMessage):
        """An item is to be added, in the way of number `index`."""

    class Removed(ItemMessage):
        """Item `index` is to be taken out."""

    def __init__(self, *adders: str, id: str | None = None) -> None:
        """`adders` name the ways to add an item."""
        super().__init__(id=id)
        self._adders = adders
        self._titles: Sequence[Content] = ()

    def on_mount(self) -> None:
        self.set_items(self._titles)

    def set_items(self, titles: Sequence[Content]) -> None:
        """Show these items."""
        self._titles = titles
        self.set_rows(len(titles) + len(self._adders), self._title)

    def _title(self, index: int) -> Content:
        if index < len(self._titles):
            return self._titles[index]
        return Content.styled(f"+ {self._adders[index - len(self._titles)]}", "$text-accent")

    @on(VirtualList.Selected)
    def _selected(self, event: VirtualList.Selected) -> None:
        event.stop()
        index, count = int(event.key), len(self._titles)  # nobody else changes these rows
        if index < count:
            self.post_message(self.Opened(self, index))
        else:
            self.post_message(self.Added(self, index - count))

    def action_add(self) -> None:
        self.post_message(self.Added(self, 0))

    def action_remove(self) -> None:
        if self.cursor is not None and self.cursor < len(self._titles):
            self.post_message(self.Removed(self, self.cursor))
