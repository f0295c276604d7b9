"""PowerPoint presentations: slides in the order shown, each a page.

With tables, charts, diagrams, comments and speaker notes.
"""

from collections.abc import Mapping

from assistants_tui.engine.search.documents.document import (
    Attachment,
    Document,
    TextBuilder,
    one_line,
)
from assistants_tui.engine.search.documents.links import Links
from assistants_tui.engine.search.documents.office import Drawing, Package

_MAIN = "ppt/presentation.xml"
_DRAWINGS = {"diagramData", "chart", "chartEx", "comments"}
_DAMAGED = "A chart, diagram or comment of a slide is damaged and was not read."
_TITLES = {"title", "ctrTitle"}
_DECORATION = {"sldNum", "dt", "sldImg"}  # placeholders without words of their own
_MARGINS = {"hdr", "ftr"}  # placeholders that repeat on every slide


def read_pptx(data: bytes) -> Document:
    package = Package(data, "PowerPoint presentation", ".pptx")
    main = package.main(_MAIN)
    order = _Order()
    if package.parse(main, order) != "presentation":
        raise package.foreign()
    parts = package.relations(main)
    builder = TextBuilder()
    margins: set[str] = set()
    attachments: list[Attachment] = []
    properties = package.properties()
    sound = True
    for relation in order.slides:
        _, slide = parts.get(relation, ("", ""))
        if slide not in package.names:
            continue
        builder.page()
        builder.properties(properties)
        properties = []  # on the first slide alone
        package.parse(slide, _Slide(builder, package.links(slide), margins))
        for kind, part in dict.fromkeys(package.relations(slide).values()):
            if kind in _DRAWINGS:
                sound = package.parse_if_sound(part, Drawing(builder)) and sound
            elif kind == "notesSlide":
                package.parse(part, _Slide(builder, package.links(part), margins, prefix="Notes: "))
        attachments += package.attachments(slide)
        builder.add("\n")
    return builder.build(None if sound else _DAMAGED, attachments)


class _Order:
    def __init__(self) -> None:
        self.slides: list[str] = []
        self._listed = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sldIdLst":
            self._listed = True
        elif name == "sldId" and self._listed:
            self.slides.append(attributes.get("r:id", ""))

    def end(self, name: str) -> None:
        if name == "sldIdLst":
            self._listed = False

    def data(self, text: str) -> None: ...


class _Slide:
    """A slide, or its notes. Text comes in shapes; what kind of text it is, the shape's placeholder says.

    `margins` are the headers and footers of earlier slides, which are not read again.
    """

    def __init__(
        self, builder: TextBuilder, targets: Mapping[str, str], margins: set[str], prefix: str = ""
    ) -> None:
        self._builder = builder
        self._targets = targets  # the addresses of links, by ID
        self._links = Links()
        self._in_run = False
        self._link = ""  # of the run that is read
        self._open_link = ""  # of the words read last: a link may have several runs
        self._linked: list[str] = []  # those words
        self._margins = margins
        self._prefix = prefix
        self._placeholder = ""
        self._text: list[str] = []
        self._writing = False
        self._cells: list[str] | None = None
        self._skipping = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._skipping or name == "Fallback":
            self._skipping += 1
            return
        match name:
            case "sp":
                self._placeholder = ""
            case "cNvPr" if description := attributes.get("descr"):  # what stands for a picture
                self._builder.line(self._prefix + description)
            case "ph":
                self._placeholder = attributes.get("type", "")
            case "r" | "fld":
                self._in_run, self._link = True, ""
            case "hlinkClick":
                self._link_to(self._targets.get(attributes.get("r:id", ""), ""))
            case "t":
                self._writing = True
                self._begin_link()
            case "br":
                self._text.append(" ")
            case "tr":
                self._cells = []
            case "tc" if self._cells is not None:
                self._cells.append("")

    def end(self, name: str) -> None:
        if self._skipping:
            self._skipping -= 1
            return
        match name:
            case "t":
                self._writing = False
            case "r" | "fld":
                self._in_run = False
            case "p":
                self._end_link()
                self._end_paragraph()
            case "tr" if self._cells is not None:
                self._builder.line(" | ".join(self._cells))
                self._cells = None

    def data(self, text: str) -> None:
        if self._writing and not self._skipping:
            self._text.append(text)
            self._linked.append(text)

    def _link_to(self, target: str) -> None:
        if self._in_run:
            self._link = target
        elif address := self._links.address(target):  # of a shape or a picture
            self._builder.line(self._prefix + address)

    def _begin_link(self) -> None:
        if self._link != self._open_link:
            self._end_link()
            self._open_link = self._link

    def _end_link(self) -> None:
        if self._open_link:
            self._text.append(self._links.after("".join(self._linked), self._open_link))
        self._open_link = ""
        self._linked.clear()

    def _end_paragraph(self) -> None:
        text = one_line("".join(self._text))
        self._text.clear()
        if self._placeholder in _DECORATION or not text:
            return
        if self._placeholder in _MARGINS:
            if text in self._margins:
                return
            self._margins.add(text)
        if self._cells:
            self._cells[-1] = f"{self._cells[-1]} {text}".strip()
        elif self._placeholder in _TITLES:
            self._builder.heading(1, text)
        else:
            self._builder.line(self._prefix + text)
