"""What the style names of lines look like, in the colours of the theme.

A table and not component classes of the widget: Textual works out the CSS of every component class of every
widget whenever the app restyles, and for forty names and two views that held up the first frame.
"""

from collections.abc import Mapping

from rich.style import Style as RichStyle
from textual.widget import Widget

RUN_STYLES: Mapping[str, str] = {
    "author": "bold $text-accent",
    "author-user": "bold $text-primary",
    "time": "$muted",
    "note": "$muted",
    "note-error": "$text-error",
    "waiting": "$muted",
    "gutter-user": "$primary",
    "cursor": "bold $accent",
    "empty": "$muted",
    "selected": "$screen-selection-foreground on $screen-selection-background",
    "found": "bold $background on $warning",
    "strong": "bold",
    "em": "italic",
    "strike": "strike",
    "link": "underline $text-primary",
    "code": "$text-warning on $foreground 8%",
    "math": "italic",
    "mark": "bold $text-accent",
    "image": "italic $text-secondary",
    "html": "$muted",
    "h1": "bold underline $text-accent",
    "h2": "bold $text-accent",
    "h3": "bold $text-primary",
    "h4": "bold",
    "h5": "bold italic",
    "h6": "bold $muted",
    "bullet": "$text-primary",
    "bar": "$primary 60%",
    "rule": "$foreground 30%",
    "head": "bold",
    "block": "on $foreground 6%",
    "label": "$muted",
    "keyword": "bold $text-primary",
    "string": "$text-success",
    "number": "$text-warning",
    "comment": "italic $muted",
    "name": "$text-accent",
    "inserted": "$text-success",
    "deleted": "$text-error",
}
"""Names of styles, as Textual writes them. A name that is not here looks like the text around it."""

_MOST = 2000  # links are part of the key, and a long thread has many


class RunStyles:
    """The styles of one widget, each worked out once per theme."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._known: dict[tuple[str, str], RichStyle] = {}

    def clear(self) -> None:
        """The theme or the widget's own style has changed."""
        self._known.clear()

    def style(self, names: str, link: str = "") -> RichStyle:
        """The style of text with these names, the later ones on top, and what a click on it opens."""
        key = names, link
        style = self._known.get(key)
        if style is None:
            if len(self._known) > _MOST:
                self._known.clear()
            style = self._known[key] = self._worked_out(names, link)
        return style

    def _worked_out(self, names: str, link: str) -> RichStyle:
        parse = self._widget.app.stylesheet.parse_style
        whole = self._widget.visual_style
        for name in names.split():
            if name in RUN_STYLES:
                whole += parse(RUN_STYLES[name])
        style = whole.rich_style
        return style + RichStyle.from_meta({"link": link}) if link else style
