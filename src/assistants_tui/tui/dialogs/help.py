"""Help: how the pieces of the Assistants API fit together, and the keys that work right now."""

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

_MODEL = """\
An assistant is who answers: a model, instructions and tools.
A thread is one conversation. It holds messages, yours and the assistants'.
A run lets an assistant answer in a thread: it reads the messages, uses its tools and writes new messages.
A run step is one thing that a run did: a message it wrote, code it ran, a search, a call of your functions.

Type a message and press Enter: it is added to the thread, and a run of the chosen assistant answers it.
While a run is active the thread is locked; what you send meanwhile waits and goes out when the run ends."""


class HelpScreen(ModalScreen[None]):
    """One page, closed with Esc. The keys are those of the pane that had the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,question_mark", "dismiss(None)", "Close", id="help.close")
    ]

    def __init__(self, opener: Screen[Any]) -> None:
        super().__init__()
        # ours have an ID; the others are the text cursor's, which nobody needs to read about
        self._keys: dict[str, list[str]] = {}  # by what they do
        for _node, binding, enabled, _tooltip in opener.active_bindings.values():
            meaning = binding.tooltip or binding.description
            if enabled and binding.id and meaning:
                self._keys.setdefault(meaning, []).append(opener.app.get_key_display(binding))
        around = opener.focused.ancestors_with_self if opener.focused is not None else [opener]
        self._here = next((node.HELP for node in around if node.HELP), "")

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog help"):
            yield Static("How it works", classes="dialog-title")
            yield Static(Content(_MODEL))
            if self._here:
                yield Static("Here", classes="dialog-title")
                yield Static(Content(self._here))
            yield Static("Keys", classes="dialog-title")
            yield Static(self._key_table())
            yield Static(Content("Esc closes this page"), classes="dialog-hint")

    def _key_table(self) -> Content:
        keys = {meaning: "  ".join(dict.fromkeys(keys)) for meaning, keys in self._keys.items()}
        width = max((len(key) for key in keys.values()), default=0)
        lines = [
            Content.assemble((key.ljust(width), "bold $footer-key-foreground"), "  ", meaning)
            for meaning, key in keys.items()
        ]
        return Content("\n").join(lines)
