"""Text within a block: emphasis, code, links, images, HTML, and the LaTeX that models write.

The rules are those of markdown-it (CommonMark and strikethrough). Long text is parsed piece by piece, so that
adding to it does not mean parsing all of it again: a piece ends between two words where no markup is open.
Only text that keeps markup open for `PIECE_LIMIT` characters is cut regardless, which can leave a pair of
asterisks unmatched; an attack with ten thousand brackets stays cheap for the same reason. The cuts depend on
nothing but the text to their left.
"""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from assistants_tui.service.safe_text import clean

from .block_types import References
from .lines import WIDE, Run

PIECE = 600
"""Characters after which text is parsed on its own, as soon as it can be."""
PIECE_STEP = 400
"""Characters between attempts to end a piece, at least; a piece that has grown long is tried more rarely."""
PIECE_LIMIT = 4000
"""Characters after which a piece ends at any space."""
PIECE_HARD_LIMIT = 6000
"""Characters after which a piece ends anywhere."""
PIECE_SIGNS = 200
"""Characters that mean something to Markdown, after which a piece ends anywhere as well."""
DENSE_LENGTH = 400
"""Characters of a piece that has so many signs and is no text any more: it is shown as it is."""

_SIGNS = re.compile(rf"(?:[^\[\]*_`~<>&$\\!]*[\[\]*_`~<>&$\\!]){{{PIECE_SIGNS}}}")
_CUT = re.compile(rf"(?<=[^\W_])[ \n](?=[^\W_])|(?<=[{WIDE}])(?=[{WIDE}])")
_OPEN = re.compile(r"[*_`~\[<$]")
_OPEN_MATH = re.compile(r"\\[(\[]")
_MARK = re.compile(r"\[\d{1,4}\]")
_SPECIAL = re.compile(r"https?://[^\s<>\"'`|\\^{}]+|\[\d{1,4}\]")
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_WEB = re.compile(r"https?://", re.IGNORECASE)
_MATH = re.compile(
    r"\\\((?:[^\\]|\\(?![()]))+\\\)|\\\[(?:[^\\]|\\(?![\[\]]))+\\\]"  # \(…\) and \[…\]
    r"|\$\$(?:[^$\\]|\\.)+?\$\$"
    r"|\$(?![\s$])(?:[^$\\\n]|\\.)*?(?<![\s\\])\$(?!\d)",  # Pandoc's rule: $5 and $10 are amounts
    re.DOTALL,
)
_CODE_SIGNS = re.compile(
    r"(?<=[0-9])\*{1,2}(?=[0-9])"  # products and powers
    r"|(?<!\w)__[a-z0-9]+(?:_[a-z0-9]+)*__(?=\(|\.[a-z_])"  # Python's own names, where more follows
)
_LITERAL = {"code_inline": "code", "math": "math"}
_NESTING = {"em_open": "em", "strong_open": "strong", "s_open": "strike"}


def _math(state: StateInline, silent: bool) -> bool:
    """A markdown-it rule: LaTeX stays as it is, its backslashes and underscores are not Markdown."""
    if state.src[state.pos] not in "\\$":
        return False
    match = _MATH.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        token = state.push("math", "", 0)
        token.content = match[0]
    state.pos = match.end()
    return True


def _code_signs(state: StateInline, silent: bool) -> bool:
    """A markdown-it rule: the stars of `2*3*4` and the underscores of `__init__.py` are no emphasis."""
    if state.src[state.pos] not in "*_":
        return False
    match = _CODE_SIGNS.match(state.src, state.pos, state.posMax)
    if match is None or _closes(state, match[0]):
        return False
    if not silent:
        state.pending += match[0]
    state.pos = match.end()
    return True


def _closes(state: StateInline, mark: str) -> bool:
    """Whether stars like these have opened emphasis that these may close."""
    opened = 0
    for one in state.delimiters:
        if one.marker == ord("*") == ord(mark[0]) and one.length == len(mark):
            if one.close and opened:
                opened -= 1
            elif one.open:
                opened += 1
    return opened > 0


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("strikethrough")
    parser.inline.ruler.before("emphasis", "code_signs", _code_signs)
    parser.inline.ruler.before("escape", "math", _math)
    return parser


_markdown = _parser()


def inline(text: str, references: References, style: str = "", *, breaks: bool = False) -> list[Run]:
    """The runs of a text, all of them in `style` and what the markup adds. A hard line break is a newline in
    a run."""
    runs: list[Run] = []
    start = 0
    while cut := next_cut(text, start, references)[0]:
        runs += parse(text[start:cut], references, style, breaks=breaks)
        start = cut
    return runs + parse(text[start:], references, style, breaks=breaks)


def closed(text: str) -> str:
    """Text that is still being written, as if the emphasis and code at its end were closed.

    Otherwise its asterisks would be seen for a moment.
    """
    for mark in ("`", "**", "~~"):
        if text.count(mark) % 2:
            text = text.rstrip()
            text = text.removesuffix(mark).rstrip() if text.endswith(mark) else text + mark
    return text


def next_cut(text: str, start: int, references: References, tried: int = 0) -> tuple[int, int]:
    """Where the piece that begins at `start` ends, or 0 if that is not known before more text has come.

    The second number is how many characters of the piece have been tried in vain, for the next call.
    """
    signs = _SIGNS.match(text, start, start + PIECE_HARD_LIMIT)
    limit = signs.end() if signs else start + PIECE_HARD_LIMIT
    at = start + max(PIECE, tried)
    while at < len(text):
        match = _CUT.search(text, at, limit)
        if match is None:
            break
        cut = match.start()
        if cut >= start + PIECE_LIMIT or not _open_markup(text[start:cut], references):
            return cut, 0
        at = cut + max(PIECE_STEP, cut - start - PIECE)
    if len(text) <= limit:
        return 0, at - start
    space = text.rfind(" ", start + 1, limit) if signs and limit - start > DENSE_LENGTH else -1
    return (space, 0) if space > 0 and not _open_markup(text[start:space], references) else (limit, 0)


def _open_markup(text: str, references: References) -> bool:
    """Whether markup might have begun in the text and end behind it."""
    if not _OPEN.search(text) and not _OPEN_MATH.search(text):
        return False
    tokens = _tokens(text, references)
    plain = "".join(token.content for token in tokens if token.type == "text")
    if _OPEN.search(_MARK.sub("", plain)):
        return True
    escaped = sum(token.type == "text_special" and token.markup in ("\\(", "\\[") for token in tokens)
    return escaped > 0


def _tokens(text: str, references: References) -> list[Token]:
    tokens: list[Token] = []
    _markdown.inline.parse(text, _markdown, {"references": references}, tokens)
    return tokens


def parse(text: str, references: References, style: str = "", *, breaks: bool = False) -> list[Run]:
    """The runs of a text that is not too long. With `breaks`, every line break of the source is one."""
    if len(text) <= DENSE_LENGTH and _SIGNS.match(text):
        return [Run(clean(_SPACES.sub(" ", text)), style)]
    runs: list[Run] = []
    opened: list[str] = []
    links: list[tuple[str, int]] = []  # where it points to, and the run it begins with
    current = style
    for token in _tokens(text, references):
        kind = token.type
        if kind in {"text", "text_special"}:
            runs += _plain(token.content, current, bool(links))
        elif kind in {"softbreak", "hardbreak"}:
            runs.append(Run("\n" if breaks or kind == "hardbreak" else " ", current))
        elif kind in _LITERAL:
            runs.append(Run(clean(token.content), _join(current, _LITERAL[kind])))
        elif kind in _NESTING:
            opened.append(_NESTING[kind])
            current = _join(style, *opened)
        elif kind == "link_open":
            target = str(token.attrs.get("href", ""))
            links.append((target, len(runs)))
            opened.append("link" if _WEB.match(target) else "")
            current = _join(style, *opened)
        elif kind.endswith("_close"):
            if kind == "link_close":
                target, first = links.pop()
                runs[first:] = _linked(runs[first:], target, current)
            opened.pop()
            current = _join(style, *opened)
        elif kind == "image":
            runs.append(_image(token, current))
        else:
            runs.append(_html(token.content, current))
    return runs


def _join(*styles: str) -> str:
    names: list[str] = []
    for style in styles:
        names += [name for name in style.split() if name not in names]
    return " ".join(names)


def _plain(text: str, style: str, linked: bool) -> Iterator[Run]:
    """Text without markup, in which addresses are links and `[1]` is a mark."""
    text = clean(_SPACES.sub(" ", text))
    if linked or ("://" not in text and "[" not in text):
        if text:
            yield Run(text, style)
        return
    start = 0
    for match in _SPECIAL.finditer(text):
        found = match[0]
        if found.startswith("["):
            run = Run(found, _join(style, "mark"))
        else:
            found = _address(found)
            run = Run(found, _join(style, "link"), found)
        if match.start() > start:
            yield Run(text[start : match.start()], style)
        yield run
        start = match.start() + len(found)
    if start < len(text):
        yield Run(text[start:], style)


def _address(found: str) -> str:
    """A bare address without the punctuation that ends the sentence around it (GFM, "Autolinks")."""
    while found[-1] in "?!.,:*_~;" or any(
        found[-1] == end and found.count(end) > found.count(start) for start, end in ("()", "[]")
    ):
        found = found[:-1]
    return found


def _linked(runs: list[Run], target: str, style: str) -> list[Run]:
    """The runs of a link with its target. One that is not on the web cannot be followed, so it is spelled
    out."""
    if _WEB.match(target):
        return [run._replace(link=run.link or target) for run in runs]
    label = "".join(run.text for run in runs)
    if not target or target.removeprefix("mailto:") == label:
        return runs
    return [*runs, Run(clean(f" ({target})"), style)]


def _image(token: Token, style: str) -> Run:
    """An image cannot be shown in a line of text: its label stands for it, and points to it if it is on the
    web."""
    target = str(token.attrs.get("src", ""))
    label = clean(_SPACES.sub(" ", token.content)).strip() or "image"
    return Run(f"[image: {label}]", _join(style, "image"), target if _WEB.match(target) else "")


def _html(source: str, style: str) -> Run:
    """HTML is shown as it is written, but for the line breaks that models put into table cells."""
    if _LINE_BREAK.fullmatch(source):
        return Run("\n", style)
    return Run(clean(_SPACES.sub(" ", source)), _join(style, "html"))
