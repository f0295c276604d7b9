"""The field above a list in which one types what the list is filtered by."""

from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input


class FilterField(Input):
    """One line. Each key in it changes a list of thousands, so it costs no layout of the screen besides.

    Textual's input lays out the screen whenever its text gets longer or shorter, because its own size may
    depend on that; the size of this one never does.
    """

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))
