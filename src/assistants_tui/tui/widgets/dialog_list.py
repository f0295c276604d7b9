"""The rows of a dialog."""

from textual.geometry import Size
from textual.widget import Widget

from assistants_tui.tui.widgets.virtual_list import VirtualList


class DialogList(VirtualList):
    """As high as its rows, but not higher than its dialog has room for: then it scrolls."""

    DEFAULT_CSS = "DialogList { height: auto; max-height: 16; }"

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        rows = super().get_content_height(container, viewport, width)
        dialog = self.parent
        if not isinstance(dialog, Widget) or (most := dialog.styles.max_height) is None:
            return rows
        others = sum(
            one.get_content_height(container, viewport, width) + one.styles.margin.height
            for one in dialog.displayed_children
            if one is not self
        )
        room = int(most.resolve(viewport, viewport)) - dialog.styles.gutter.height - others
        return max(1, min(rows, room))
