"""Which panes of the main screen are shown, and how large: hidden columns, open drawers, moved borders."""

from dataclasses import replace

from textual.screen import Screen

from assistants_tui.service.last_place import Place
from assistants_tui.settings.state import AppState
from assistants_tui.tui.screens.chat import pane_sizes

_DRAWERS = ("-show-sidebar", "-show-inspector")


class PaneLayout:
    """Shows, hides and resizes the panes of the screen by its classes and styles.

    Where there is room a pane is a column that can be hidden, elsewhere it is a drawer that can be opened.
    """

    def __init__(self, screen: Screen[None], place: Place, state: AppState) -> None:
        """`state` is how the user left the app; changes are remembered by `place`."""
        self._screen = screen
        self._place = place
        self._hidden = state.hidden_panes
        self._sizes = dict(state.pane_sizes)

    def restore(self) -> None:
        """Hide the columns that were hidden when the app was left."""
        for pane in self._hidden & {"sidebar", "inspector"}:
            self._screen.add_class(f"-hide-{pane}")

    @property
    def has_drawer(self) -> bool:
        """Whether a drawer is open."""
        return any(map(self._screen.has_class, _DRAWERS))

    @property
    def inspector_covers(self) -> bool:
        """Whether the inspector lies as a drawer over the conversation."""
        return not self._screen.has_class("-wide") and self._screen.has_class("-show-inspector")

    def close_drawers(self) -> None:
        self._screen.remove_class(*_DRAWERS)

    def toggle_sidebar(self) -> bool:
        """Show or hide the left column or drawer. Returns whether it is shown now."""
        return self._toggle("sidebar", column=not self._screen.has_class("-narrow"))

    def toggle_inspector(self) -> bool:
        """Show or hide the right column or drawer. Returns whether it is shown now."""
        return self._toggle("inspector", column=self._screen.has_class("-wide"))

    def _toggle(self, pane: str, *, column: bool) -> bool:
        screen = self._screen
        if not column:
            screen.remove_class("-show-inspector" if pane == "sidebar" else "-show-sidebar")
            screen.toggle_class(f"-show-{pane}")
            return screen.has_class(f"-show-{pane}")
        screen.toggle_class(f"-hide-{pane}")
        shown = not screen.has_class(f"-hide-{pane}")
        self._place.remember(
            lambda state: replace(
                state, hidden_panes=state.hidden_panes - {pane} if shown else state.hidden_panes | {pane}
            )
        )
        return shown

    def apply_sizes(self) -> None:
        """Give the panes the sizes that the user chose, as far as the terminal has room for them."""
        screen = self._screen
        wide, narrow = screen.has_class("-wide"), screen.has_class("-narrow")
        for pane, axis in pane_sizes.PANES.items():
            widget = screen.query_one(f"#{pane}")
            size = self._sizes.get(pane)
            fixed = size is not None and not narrow and (wide or pane != "inspector")
            room = screen.size.width if axis == "width" else screen.size.height
            chosen = pane_sizes.fitting(pane, size or 0, room) if fixed else None
            setattr(widget.styles, axis, chosen)
            if pane == "assistants":  # grows with its list unless the user chose a size
                widget.styles.max_height = chosen

    def move_border(self, columns: int, rows: int) -> None:
        """Move the border of the pane that has the focus: between columns, or inside a column."""
        screen = self._screen
        if screen.has_class("-narrow"):
            return
        in_inspector = screen.query_one("#inspector").has_focus_within
        if columns:
            pane = "inspector" if in_inspector else "sidebar"
        else:
            pane = "run-tree" if in_inspector else "assistants"
        widget = screen.query_one(f"#{pane}")
        if not widget.display or (pane == "inspector" and not screen.has_class("-wide")):
            return
        step = 2 * (-columns if pane == "inspector" else columns) + rows
        now = widget.outer_size.width if columns else widget.outer_size.height
        room = screen.size.width if columns else screen.size.height
        size = self._sizes[pane] = pane_sizes.fitting(pane, now + step, room)
        self.apply_sizes()
        self._place.remember(lambda state: replace(state, pane_sizes={**state.pane_sizes, pane: size}))
