"""Colouring code one line at a time.

Pygments colours whole texts. A code block that is still being written would have to be coloured again with
every token, so the rules of its lexers are run here line by line, keeping their stack of states in between.
Comments and strings that a lexer takes in one bite over several lines are recognised by asking it what it
would make of a closed one.
"""

import re
from functools import lru_cache
from typing import Any

from assistants_tui.service.safe_text import clean

from .lines import Run

MAX_LINE = 2000
"""Longer lines are left uncoloured: they are data, and patterns get slow on them."""
MAX_STEPS = 20_000
"""Steps after which a lexer that does not get on with a line is left alone."""

_SPANS = (
    ("/*", "*/"),
    ("<!--", "-->"),
    ('"""', '"""'),
    ("'''", "'''"),
    ("{-", "-}"),
    ("(*", "*)"),
    ("--[[", "]]"),
    ("`", "`"),
)
_SPAN_START = re.compile("|".join(re.escape(start) for start, _ in _SPANS))
_SPAN_END = dict(_SPANS)

# the nearest of these ancestors of a token type names its style
_STYLES = {
    "Keyword": "keyword",
    "Keyword.Constant": "number",
    "Name.Builtin": "name",
    "Name.Class": "name",
    "Name.Decorator": "name",
    "Name.Exception": "name",
    "Name.Function": "name",
    "Name.Tag": "keyword",
    "Name.Attribute": "name",
    "Literal": "string",
    "Literal.Number": "number",
    "Comment": "comment",
    "Operator": "operator",
    "Operator.Word": "keyword",
    "Generic.Deleted": "deleted",
    "Generic.Inserted": "inserted",
    "Generic.Heading": "keyword",
    "Generic.Subheading": "keyword",
    "Generic.Prompt": "comment",
}


_SAME_AS = {"json": "javascript", "json5": "javascript", "jsonc": "javascript", "jsonl": "javascript"}
"""Languages whose own lexer does not work by rules."""


@lru_cache(64)
def _lexer(language: str) -> Any:  # Pygments has no types
    """The lexer of a language, or None if there is none that works by rules."""
    from pygments.lexer import ExtendedRegexLexer, RegexLexer  # not before the first code block
    from pygments.lexers import get_lexer_by_name

    name = language.lower()
    if name not in _names():
        return None
    lexer = get_lexer_by_name(_SAME_AS.get(name, name))
    return lexer if isinstance(lexer, RegexLexer) and not isinstance(lexer, ExtendedRegexLexer) else None


@lru_cache(1)
def _names() -> frozenset[str]:
    from pygments.lexers import get_all_lexers

    return frozenset(name.lower() for _, names, _, _ in get_all_lexers(plugins=False) for name in names)


@lru_cache(512)
def _style(token_type: Any) -> str:
    parts = list(token_type)
    while parts:
        style = _STYLES.get(".".join(parts))
        if style:
            return f"block {style}"
        parts.pop()
    return "block"


class LineLexer:
    """Colours the lines of one code block, in order."""

    __slots__ = ("_lexer", "_span_end", "_span_style", "_stack")

    def __init__(self, language: str) -> None:
        self._lexer: Any = _lexer(language) if language else None
        self._stack = ["root"]
        self._span_end = ""  # closes the comment or string that began on an earlier line
        self._span_style = ""

    def fork(self) -> "LineLexer":
        """A lexer in the same state."""
        other = object.__new__(LineLexer)
        other._lexer = self._lexer
        other._stack = list(self._stack)
        other._span_end = self._span_end
        other._span_style = self._span_style
        return other

    def line(self, text: str) -> list[Run]:
        """The runs of the next line; tabs are expanded."""
        text = text.expandtabs(4)
        if self._lexer is None or len(text) > MAX_LINE:
            return [Run(clean(text), "block")] if text else []
        pieces: list[tuple[str, str]] = []
        self._read(text + "\n", pieces)
        runs: list[Run] = []
        for piece, style in pieces:
            piece = piece.rstrip("\n")  # noqa: PLW2901
            if not piece:
                continue
            if runs and runs[-1].style == style:
                runs[-1] = Run(runs[-1].text + clean(piece), style)
            else:
                runs.append(Run(clean(piece), style))
        return runs

    def _read(self, source: str, pieces: list[tuple[str, str]]) -> None:
        position = 0
        if self._span_end:
            end = source.find(self._span_end)
            position = end + len(self._span_end) if end >= 0 else len(source)
            pieces.append((source[:position], self._span_style))
            if end >= 0:
                self._span_end = ""
        starts = {match.start(): match[0] for match in _SPAN_START.finditer(source, position)}
        for _ in range(MAX_STEPS):
            if position >= len(source):
                return
            if position in starts and self._begins_span(source, position, starts[position]):
                pieces.append((source[position:], self._span_style))
                return
            position = self._step(source, position, pieces)
        pieces.append((source[position:], "block"))
        self._stack[:] = ["root"]

    def _step(self, source: str, position: int, pieces: list[tuple[str, str]]) -> int:
        """Apply the first rule of the current state that matches, as `RegexLexer` does; the new position."""
        for match_at, action, new_state in self._lexer._tokens[self._stack[-1]]:
            match = match_at(source, position)
            if match is None:
                continue
            pieces.extend(self._pieces(action, match))
            if new_state is not None:
                self._enter(new_state)
            return int(match.end())
        if source[position] == "\n":
            self._stack[:] = ["root"]
        pieces.append((source[position], "block"))
        return position + 1

    def _pieces(self, action: Any, match: re.Match[str]) -> list[tuple[str, str]]:
        if action is None:
            return []
        if isinstance(action, tuple):  # token types are tuples
            return [(match[0], _style(action))]
        return [(value, _style(kind)) for _, kind, value in action(self._lexer, match) if value]

    def _enter(self, state: Any) -> None:
        stack = self._stack
        for step in state if isinstance(state, tuple) else (state,):
            if isinstance(step, int):
                del stack[max(1, len(stack) + step) :]
            elif step == "#pop":
                del stack[max(1, len(stack) - 1) :]
            elif step == "#push":
                stack.append(stack[-1])
            else:
                stack.append(step)

    def _begins_span(self, source: str, position: int, start: str) -> bool:
        """Whether a comment or string that ends on a later line begins here."""
        end = _SPAN_END[start]
        if end in source[position + len(start) :]:
            return False
        probe = f"{start} {end}"
        for match_at, action, _ in self._lexer._tokens[self._stack[-1]]:
            match = match_at(probe, 0)
            if match is None:
                continue
            if match.end() != len(probe) or action is None:
                return False
            styles = {style for _, style in self._pieces(action, match)}
            if len(styles) == 1 and (style := styles.pop()) in ("block comment", "block string"):
                self._span_end = end
                self._span_style = style
                return True
            return False
        return False
