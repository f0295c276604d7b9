"""Documents of this machine, and questions whose words were taken out of them.

Manual pages are asked for by the line that sums them up, pages of documentation by one of their headings,
Python modules by the first line of a docstring or by the name of a function or class.
Of those that are asked for in the same words only one is taken.
"""

import ast
import gzip
import hashlib
import random
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SHARED = Path("/usr/share")
_DOCUMENTATION = ("doc/**/*.md", "cmake*/Help/**/*.rst")
_LONGEST = 60_000
_REQUEST = re.compile(r"[.'][ \t]*(?P<name>[A-Za-z0-9]+)?(?P<rest>.*)")
_ESCAPE = re.compile(r"\\(?:f(?:\[[^]]*\]|\(..|.)|s[-+]?\d+|[&,/|^:%c]|\*(?:\(..|\[[^]]*\]|.))")
_SIGNS = {
    r"\-": "-",
    r"\e": "\\",
    r"\(aq": "'",
    r"\(dq": '"',
    r"\(lq": '"',
    r"\(rq": '"',
    r"\ ": " ",
    r"\.": ".",
}


@dataclass(frozen=True)
class Text:
    """A document, and what can be asked about it."""

    kind: str
    name: str
    text: str
    question: str | None

    @property
    def is_for_tuning(self) -> bool:
        """Half of the questions, always the same ones, may be looked at while weights are chosen."""
        return hashlib.sha256((self.question or "").encode()).digest()[0] % 2 == 0


def corpus(count: int, seed: int = 1) -> list[Text]:
    """`count` documents, always the same ones on a machine: a third of each kind while there are some."""
    sources = [make(random.Random(seed)) for make in (_manual_pages, _documentation, _modules)]
    found: list[Text] = []
    questions: set[str] = set()
    while sources and len(found) < count:
        for source in list(sources):
            text = next(source, None)
            if text is None:
                sources.remove(source)
            elif text.question is None or text.question not in questions:
                questions.add(text.question or "")
                found.append(text)
    return found[:count]


def _manual_pages(dice: random.Random) -> Iterator[Text]:
    paths = sorted(
        path for path in _SHARED.glob("man/man[1-8]/*.gz") if path.is_file() and not path.is_symlink()
    )
    dice.shuffle(paths)
    for path in paths:
        text = _plain(gzip.decompress(path.read_bytes()).decode("utf-8", "replace"))
        summary = re.search(r"^NAME\n.*?\S +-+ +(.+?)$", text, re.MULTILINE)
        if len(text) < 500 or summary is None:
            continue
        question = summary[1].strip()
        asked = question if 2 <= len(question.split()) <= 25 else None
        yield Text("manual page", f"{path.stem}.txt", text.replace(question, "") if asked else text, asked)


def _plain(source: str) -> str:
    """The text of a manual page, roughly as it is read: what is in requests, without their names."""
    lines = []
    _, _, body = re.split(r"^(\.TH|\.Dd).*\n", source + "\n.TH\n", maxsplit=1, flags=re.MULTILINE)
    for line in body.splitlines():
        if line.startswith((".\\", "'\\", ".TH", ".Dt", ".Os", ".IX", ".if", ".ie", ".el", ".nr")):
            continue
        request = _REQUEST.fullmatch(line)
        text = line if request is None else request["rest"].strip().replace('"', "")
        if request is not None and request["name"] in {"SH", "Sh", "SS", "Ss"}:
            lines.append("")
        if request is not None and request["name"] == "Nd":
            text = f"- {text}"
        for escape, sign in _SIGNS.items():
            text = text.replace(escape, sign)
        lines.append(_ESCAPE.sub("", text))
    return "\n".join(lines).strip() + "\n"


def _documentation(dice: random.Random) -> Iterator[Text]:
    paths = sorted({path for glob in _DOCUMENTATION for path in _SHARED.glob(glob) if path.is_file()})
    dice.shuffle(paths)
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        headings = re.findall(r"^#+ (.+?)$|^(.+)\n[-=^*]{4,}$", text, re.MULTILINE)
        fitting = [one or other for one, other in headings if 3 <= len((one or other).split()) <= 25]
        chosen = dice.choice(fitting) if fitting else None
        name = f"{path.parent.name}-{path.name}".replace(".rst", ".txt")
        if 800 <= len(text) <= _LONGEST:
            yield Text("documentation", name, text.replace(chosen, "") if chosen else text, chosen)


def _modules(dice: random.Random) -> Iterator[Text]:
    """Python modules, then the classes and functions of others."""
    roots = [Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))]
    paths = sorted({path for root in roots for path in root.rglob("*.py") if "test" not in path.name})
    dice.shuffle(paths)
    whole = int(0.6 * len(paths))
    for number, path in enumerate(paths):
        try:
            source = path.read_text(encoding="utf-8")
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError):
            continue
        if number >= whole:
            lines = source.splitlines(keepends=True)
            for node in tree.body:
                piece = "".join(lines[node.lineno - 1 : node.end_lineno])
                if isinstance(node, _DEFINITIONS) and len(piece) > 400:
                    yield _asked(dice, f"{path.stem}.{node.name}.py", piece, node)
        elif 800 <= len(source) <= _LONGEST:
            yield _asked(dice, path.name, source, tree)


def _asked(dice: random.Random, name: str, source: str, tree: ast.AST) -> Text:
    """A module without the words of its question."""
    lines: list[str] = []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, _DEFINITIONS) and (docstring := ast.get_docstring(node)):
            line = docstring.strip().partition("\n")[0].strip()
            if 4 <= len(set(line.lower().split())) <= 25:
                lines.append(line)
            if len(re.findall(r"[A-Z]?[a-z]{2,}", node.name)) >= 2 and source.count(node.name) > 1:
                names.append(node.name)
    if names and dice.random() < 0.1:
        chosen = dice.choice(names)
        return Text("identifier", name, re.sub(rf"\b(def|class) {chosen}\b", r"\1 _", source), chosen)
    if lines:
        chosen = dice.choice(lines)
        return Text("docstring", name, source.replace(chosen, ""), chosen)
    return Text("docstring", name, source, None)
