"""Style sheets that many apps of one process share."""

from typing import Any, Final

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_parse: Final = Stylesheet._parse_rules


def parse_each_style_sheet_once() -> None:
    """Let the apps of one process share the rules of a source that is the same, with the same variables.

    Textual keeps them for each app, which parses a hundred sources: a quarter of the time of its start.
    """
    parsed: dict[tuple[object, ...], list[RuleSet]] = {}

    def parse(sheet: Stylesheet, css: str, read_from: Any, *more: Any, **options: Any) -> list[RuleSet]:
        variables = frozenset(sheet._variables.items())
        key = (css, read_from, more, tuple(sorted(options.items())), variables)
        rules = parsed.get(key)
        if rules is None:
            rules = parsed[key] = _parse(sheet, css, read_from, *more, **options)
        return rules

    Stylesheet._parse_rules = parse  # type: ignore[method-assign, assignment]
