"""Colouring code one line at a time.

Pygments colours whole texts. A code block that is still being written would have to be coloured again with
every token, so the rules of its lexers are run here line by line, keeping their stack of states in between.
Comments and strings that a lexer takes in one bite over several lines are recognised by asking it what it
would make of a closed one.
"""

import re
import threading
from functools import lru_cache
from typing import Any

from assistants_tui.service.safe_text import clean

from .lines import Run

MAX_LINE = 500
"""Characters of a line, with its tabs expanded, that is coloured: longer ones are data, and patterns get slow
on them."""
MAX_TRIES = 20_000
"""Rules that are tried on one line; the rest of it stays uncoloured. Code needs about ten for a character,
the worst lexers hundreds."""

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


class _Lexers:
    """The lexers that are at hand. Loading one takes up to a second, because its patterns are compiled."""

    def __init__(self) -> None:
        self._names: frozenset[str] | None = None
        self._loaded: dict[str, Any] = {}  # None: there is none that works by rules
        self._wanted: list[str] = []
        self._loading = False  # a thread does what is wanted
        self._lock = threading.Lock()

    def get(self, language: str) -> Any:  # Pygments has no types
        """The lexer of a language, loaded if need be, or None if there is none that works by rules."""
        if (name := language.lower()) in self._loaded:
            return self._loaded[name]
        from pygments.lexer import ExtendedRegexLexer, RegexLexer  # not before the first code block
        from pygments.lexers import get_all_lexers, get_lexer_by_name

        if self._names is None:
            every = get_all_lexers(plugins=False)
            self._names = frozenset(name.lower() for _, names, _, _ in every for name in names)
        if name not in self._names:
            return None
        lexer = get_lexer_by_name(_SAME_AS.get(name, name))
        by_rules = isinstance(lexer, RegexLexer) and not isinstance(lexer, ExtendedRegexLexer)
        self._loaded[name] = lexer if by_rules else None
        return self._loaded[name]

    def loaded(self, language: str) -> bool:
        """Whether `get` returns at once. If not, a thread begins to load the lexer."""
        name = language.lower()
        if name in self._loaded or (self._names is not None and name not in self._names):
            return True
        with self._lock:
            if name not in self._wanted:
                self._wanted.append(name)
                if not self._loading:
                    self._loading = True
                    threading.Thread(target=self._load_wanted, name="lexers", daemon=True).start()
        return False

    def _load_wanted(self) -> None:
        while True:
            with self._lock:
                if not self._wanted:
                    self._loading = False
                    return
                name = self._wanted[0]
            try:
                self.get(name)
            except Exception:  # noqa: BLE001  # a lexer that fails leaves its code without colours
                self._loaded[name] = None
            finally:
                with self._lock:
                    self._wanted.remove(name)


lexers = _Lexers()


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

    __slots__ = ("_lexer", "_span_end", "_span_style", "_stack", "tries")

    def __init__(self, language: str, *, coloured: bool = True) -> None:
        self._lexer: Any = lexers.get(language) if language and coloured else None
        self.tries = 0
        """Rules that were tried on the last line."""
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
        other.tries = 0
        return other

    def line(self, text: str) -> list[Run]:
        """The runs of the next line; tabs are expanded."""
        text = text.expandtabs(4)
        self.tries = 0
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
        while self.tries < MAX_TRIES:
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
            self.tries += 1
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
            self.tries += 1
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
