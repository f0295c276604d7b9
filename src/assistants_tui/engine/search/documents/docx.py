"""Word documents: their text, and what stands beside it: text boxes, notes, comments, headers, charts."""

import re
from collections.abc import Mapping

from assistants_tui.engine.search.documents.document import Document, TextBuilder, one_line
from assistants_tui.engine.search.documents.encodings import decode
from assistants_tui.engine.search.documents.html import read_html
from assistants_tui.engine.search.documents.links import Links
from assistants_tui.engine.search.documents.office import Drawing, Handler, Package
from assistants_tui.engine.search.errors import IngestError

_MAIN = "word/document.xml"
# What a program names these parts where it does not relate them to the main one
_USUAL = {
    "styles": "word/styles.xml",
    "footnotes": "word/footnotes.xml",
    "endnotes": "word/endnotes.xml",
    "comments": "word/comments.xml",
}
_MARGINS = ("header", "footer")
_DRAWINGS = ("chart", "chartEx", "diagramData")
# What stands beside the text, by the heading under which it is found
_BESIDE = {
    "Charts and diagrams": _DRAWINGS,
    "Notes": ("footnotes", "endnotes"),
    "Comments": ("comments",),
    "Headers and footers": _MARGINS,
}
_DAMAGED = (
    "A part beside the text of the document, such as a header or a comment, is damaged and was not read."
)
_LINKING = {"hyperlink", "hlinkClick", "fldSimple", "fldChar", "instrText"}
_FIELD_ADDRESS = re.compile(r'\s*HYPERLINK\s+(?:"([^"]*)"|([^\s"\\]\S*))', re.IGNORECASE)
_HEADING = re.compile(r"(?:heading|title) ?([1-6])?$", re.IGNORECASE)
# An older rendering of what was already read; words that stand elsewhere now
_SKIPPED = {"Fallback", "moveFrom"}
_IN_ATTRIBUTES = {"docPr": "descr", "textpath": "string"}  # what stands for a picture, and watermarks
_BREAKS = {"tab": "\t", "br": " ", "cr": " ", "noBreakHyphen": "-"}


def read_docx(data: bytes) -> Document:
    package = Package(data, "Word document", ".docx")
    main = package.main(_MAIN)
    parts = list(dict.fromkeys(package.relations(main).values()))
    by_kind = {kind: [name for found, name in parts if found == kind] for kind, _ in parts}
    for kind, usual in _USUAL.items():
        by_kind.setdefault(kind, [usual])
    styles = _Styles()
    package.parse(by_kind["styles"][0], styles)
    builder = TextBuilder()
    builder.properties(package.properties())
    if package.parse(main, _Body(builder, styles.levels, package.links(main))) != "document":
        raise package.foreign()
    sound = [_add_inserted(package, name, builder) for name in by_kind.get("aFChunk", ())]
    for title, kinds in _BESIDE.items():
        names = [name for kind in kinds for name in by_kind.get(kind, ()) if name in package.names]
        if not names:
            continue
        builder.mark_heading(1, title)
        seen: set[str] = set()
        for name in names:
            if kinds == _DRAWINGS:
                handler: Handler = Drawing(builder)
            else:
                links = package.links(name)
                handler = _Body(builder, styles.levels, links, seen if kinds == _MARGINS else None)
            sound.append(package.parse_if_sound(name, handler))
    return builder.build(None if all(sound) else _DAMAGED, package.attachments(main))


def _add_inserted(package: Package, name: str, builder: TextBuilder) -> bool:
    """A document of another format that stands as a whole inside this one. False: it cannot be read."""
    try:
        if name.lower().endswith((".htm", ".html", ".xhtml", ".mht")):
            builder.add(read_html(package.read(name)).text)
        elif name.lower().endswith(".txt"):
            builder.add(f"{decode(package.read(name)).text}\n\n")
    except IngestError:
        return False
    return True


class _Styles:
    """Which styles are headings. IDs of styles are in the language of the writing program, names are not."""

    def __init__(self) -> None:
        self.levels: dict[str, int] = {}
        self._style = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        value = attributes.get("val", "")
        if name == "style":
            self._style = attributes.get("styleId", "")
        elif name == "name" and (match := _HEADING.match(value)):
            self.levels[self._style] = int(match[1] or 1)
        elif name == "outlineLvl" and value.isdigit() and int(value) < 6:
            self.levels.setdefault(self._style, int(value) + 1)

    def end(self, name: str) -> None: ...

    def data(self, text: str) -> None: ...


class _Body:
    """The paragraphs and tables of a part. With `seen`, none that is in it already: headers repeat."""

    def __init__(
        self,
        builder: TextBuilder,
        levels: dict[str, int],
        targets: Mapping[str, str],
        seen: set[str] | None = None,
    ) -> None:
        """`targets`: the addresses of links by ID; `levels`: those of headings by style."""
        self._builder = builder
        self._levels = levels
        self._targets = targets
        self._links = Links()
        self._open_links: list[tuple[str, int]] = []  # address, and where in `_text` its words begin
        self._fields: list[str] = []  # the instructions of each open field, such as HYPERLINK "address"
        self._instructing = False
        self._seen = seen
        self._text: list[str] = []
        self._writing = False
        self._skipping = 0  # depth inside the older rendering of something that was already read
        self._level: int | None = None
        self._in_list = False
        self._around: list[list[str]] = []  # what was begun around each open text box
        # the paragraphs of each cell of each open table's current row: tables nest
        self._rows: list[list[list[str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._skipping or name in _SKIPPED:
            self._skipping += 1
            return
        match name:
            case "t":
                self._writing = True
            case "pStyle":
                style = attributes.get("val", "")
                match_ = _HEADING.match(style)
                self._level = self._levels.get(style, int(match_[1] or 1) if match_ else None)
            case "numPr":
                self._in_list = True
            case _ if name in _LINKING:
                self._start_link(name, attributes)
            case "txbxContent":  # it stands inside a paragraph, and has its own
                self._around.append(self._text)
                self._text = []
            case "tbl":
                self._rows.append([])
            case "tr" if self._rows:
                self._rows[-1].clear()
            case "tc" if self._rows:
                self._rows[-1].append([])
            case _ if name in _IN_ATTRIBUTES:
                self._text.append(f" {attributes.get(_IN_ATTRIBUTES[name], '')} ")
            case _ if name in _BREAKS and not self._in_properties(attributes):
                self._text.append(_BREAKS[name])

    def _start_link(self, name: str, attributes: dict[str, str]) -> None:
        target = self._targets.get(attributes.get("r:id", ""), "")
        match name:
            case "hyperlink":
                self._begin_link(target)
            case "hlinkClick":  # of a picture
                self._text.append(self._links.after("", target))
            case "fldSimple":
                self._begin_link(_address(attributes.get("instr", "")))
            case "fldChar":
                self._field(attributes.get("fldCharType", ""))
            case "instrText":
                self._instructing = True

    @staticmethod
    def _in_properties(attributes: dict[str, str]) -> bool:
        return "pos" in attributes  # the position of a tab stop, not a tab

    def end(self, name: str) -> None:
        if self._skipping:
            self._skipping -= 1
            return
        match name:
            case "t":
                self._writing = False
            case "instrText":
                self._instructing = False
            case "hyperlink" | "fldSimple":
                self._end_link()
            case "p":
                self._end_paragraph()
            case "txbxContent" if self._around:
                self._text = [*self._around.pop(), " "]
            case "tr" if self._rows:
                self._end_row()
            case "tbl" if self._rows:
                self._rows.pop()
                if not self._rows:
                    self._builder.add("\n")

    def data(self, text: str) -> None:
        if self._skipping:
            return
        if self._writing:
            self._text.append(text)
        elif self._instructing and self._fields:
            self._fields[-1] += text

    def _field(self, mark: str) -> None:
        """A field has its instructions between `begin` and `separate`, and its words from there to `end`."""
        if mark == "begin":
            self._fields.append("")
            self._begin_link("")
        elif mark == "separate" and self._fields and self._open_links:
            self._open_links[-1] = _address(self._fields[-1]), len(self._text)
        elif mark == "end" and self._fields:
            self._fields.pop()
            self._end_link()

    def _begin_link(self, target: str) -> None:
        self._open_links.append((target, len(self._text)))

    def _end_link(self) -> None:
        if self._open_links:
            target, begin = self._open_links.pop()
            if target:
                self._text.append(self._links.after("".join(self._text[begin:]), target))

    def _end_paragraph(self) -> None:
        text = one_line("".join(self._text))
        if self._seen is not None:
            if text in self._seen:
                text = ""
            self._seen.add(text)
        if self._rows and self._rows[-1]:
            if text:
                self._rows[-1][-1].append(text)
        elif self._level is not None:
            self._builder.heading(self._level, text)
        elif self._in_list and text:
            self._builder.line(f"- {text}")
        else:
            self._builder.paragraph(text)
        self._text.clear()
        self._level, self._in_list = None, False

    def _end_row(self) -> None:
        row = " | ".join(map(" ".join, self._rows[-1]))
        self._rows[-1].clear()
        if not row.strip(" |"):
            return
        outer = self._rows[-2] if len(self._rows) > 1 else None
        if outer:
            outer[-1].append(row)
        else:
            self._builder.line(row)


def _address(instructions: str) -> str:
    """The address to which a field with these instructions leads; empty for other fields."""
    match = _FIELD_ADDRESS.match(instructions)
    return (match[1] or match[2] or "") if match else ""
