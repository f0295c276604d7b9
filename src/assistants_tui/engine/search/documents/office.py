"""Office Open XML (ECMA-376): a ZIP archive of XML parts, opened with the care a stranger's file deserves."""

import io
import posixpath
import zipfile
import zlib
from typing import Protocol
from xml.parsers import expat

from assistants_tui.engine.search.documents.document import Attachment, TextBuilder, one_line
from assistants_tui.engine.search.errors import IngestError

_MAX_PARTS = 20_000
_MAX_PART_BYTES = 256 << 20
_MAX_ATTACHED_BYTES = 16 << 20  # of one file inside the document
_MAX_RATIO = 200  # how far text compresses; what compresses further above a size is a bomb
_RATIO_MATTERS = 10 << 20
_MAX_DEPTH = 256
_PIECE = 1 << 16
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # an older container, which also wraps encrypted documents
_ZIPPED = b"PK\x03\x04"  # how each file in an archive begins
_CORE = "core-properties"
_USUAL_CORE = "docProps/core.xml"
_PROPERTIES = {
    "title": "Title",
    "subject": "Subject",
    "creator": "Author",
    "keywords": "Keywords",
    "category": "Category",
    "description": "Comments",
}
# What ends a line of values: a series of an older chart, the data or a series of a newer one, and charts
_ROWS = {"ser", "data", "series", "chart", "chartSpace"}
_DAMAGED = (zipfile.BadZipFile, EOFError, KeyError, NotImplementedError, RuntimeError, ValueError, zlib.error)


class Handler(Protocol):
    """Takes a part's elements in order. Names are without namespace, as are those of attributes.

    Only the attributes that refer to another part keep a prefix, `r:id`: elements have an `id` of their own.
    """

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def data(self, text: str) -> None: ...


class Package:
    """An Office document. Everything raises `IngestError` when the document is not what it should be."""

    def __init__(self, data: bytes, what: str, ending: str) -> None:
        self._what = what
        self._ending = ending
        if data.startswith(_OLE):
            raise IngestError(
                "invalid_file",
                f"The {what} is protected by a password or in the format of Office 97-2003. "
                "Save it without a password in the current format.",
            )
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _DAMAGED:
            raise (self.damaged() if _ZIPPED in data else self.foreign()) from None
        parts = self._zip.infolist()
        if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > 2 * _MAX_PART_BYTES:
            raise self._bomb()
        if any(
            part.file_size > _RATIO_MATTERS and part.file_size > _MAX_RATIO * part.compress_size
            for part in parts
        ):
            raise self._bomb()
        if any(part.flag_bits & 1 for part in parts):
            raise IngestError(
                "invalid_file", f"The {what} is protected by a password. Attach a copy without one."
            )
        # Some programs write names with backslashes, or from the root.
        self._parts = {part.filename.replace("\\", "/").lstrip("/"): part for part in parts}
        self.names = frozenset(self._parts)

    def damaged(self) -> IngestError:
        return IngestError("invalid_file", f"The {self._what} is damaged and cannot be opened.")

    def foreign(self) -> IngestError:
        """The file is something else under this name, such as a page that was saved as a document."""
        return IngestError(
            "invalid_file", f"The file is not a {self._what}, although its name ends in {self._ending}."
        )

    def _bomb(self) -> IngestError:
        return IngestError("invalid_file", f"The {self._what} unpacks to an unreasonable size.")

    def parse(self, name: str, handler: Handler) -> str:
        """Send the elements of a part to the handler. A part that is missing has none.

        Returns the name of the outermost element.
        """
        root = ""
        if name not in self.names:
            return root
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        depth = 0

        def start(tag: str, attributes: dict[str, str]) -> None:
            nonlocal depth, root
            root = root or _local(tag)
            depth += 1
            if depth > _MAX_DEPTH:
                raise IngestError("invalid_file", f"The {self._what} is nested too deeply to be a document.")
            handler.start(_local(tag), {_attribute(key): value for key, value in attributes.items()})

        def end(tag: str) -> None:
            nonlocal depth
            depth -= 1
            handler.end(_local(tag))

        def doctype(*_: object) -> None:
            # without a document type there are no entities, which are what makes XML dangerous
            raise IngestError("invalid_file", f"The {self._what} has a document type, which none may have.")

        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = handler.data
        parser.StartDoctypeDeclHandler = doctype
        size = 0
        try:
            with self._zip.open(self._parts[name]) as part:
                while piece := part.read(_PIECE):
                    size += len(piece)  # counted here, as the archive's own figure may lie
                    if size > _MAX_PART_BYTES:
                        raise self._bomb()
                    parser.Parse(piece, False)
            parser.Parse(b"", True)
        except (expat.ExpatError, *_DAMAGED):
            raise self.damaged() from None
        return root

    def main(self, usual: str) -> str:
        """The part with which the document begins, by the package's relations, whatever its name."""
        found = [part for kind, part in self.relations("").values() if kind == "officeDocument"]
        return next((part for part in found if part in self.names), usual)

    def read(self, name: str) -> bytes:
        """The bytes of a part; none if it is missing."""
        if name not in self.names:
            return b""
        try:
            with self._zip.open(self._parts[name]) as part:
                data = part.read(_MAX_PART_BYTES + 1)
        except _DAMAGED:
            raise self.damaged() from None
        if len(data) > _MAX_PART_BYTES:
            raise self._bomb()
        return data

    def parse_if_sound(self, name: str, handler: Handler) -> bool:
        """Parse a part without which the document can be read as well, such as a chart.

        False if it is damaged.
        """
        try:
            self.parse(name, handler)
        except IngestError:
            return False
        return True

    def relations(self, name: str) -> dict[str, tuple[str, str]]:
        """What a part refers to, by ID: the kind of relation (its last word) and the other part's name."""
        return self._related(name).parts

    def links(self, name: str) -> dict[str, str]:
        """The addresses outside of the document to which the links of a part lead, by ID."""
        return self._related(name).links

    def _related(self, name: str) -> "_Relations":
        folder, file = posixpath.split(name)
        handler = _Relations(folder)
        self.parse(posixpath.join(folder, "_rels", f"{file}.rels"), handler)
        return handler

    def properties(self) -> list[tuple[str, str]]:
        """What the document says about itself, as names and values. Damaged, they are as good as missing."""
        parts = self.relations("").values()
        handler = _Properties()
        self.parse_if_sound(next((part for kind, part in parts if kind == _CORE), _USUAL_CORE), handler)
        return handler.found

    def attachments(self, name: str) -> list[Attachment]:
        """The whole files that stand inside a part, as objects that a click opens."""
        parts = dict.fromkeys(part for kind, part in self.relations(name).values() if kind == "package")
        return [
            Attachment(posixpath.basename(part), self.read(part) if self._is_small(part) else None)
            for part in parts
            if part in self.names
        ]

    def _is_small(self, part: str) -> bool:
        return self._parts[part].file_size <= _MAX_ATTACHED_BYTES


class _Relations:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.parts: dict[str, tuple[str, str]] = {}
        self.links: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name != "Relationship":
            return
        key, target = attributes.get("Id", ""), attributes.get("Target", "")
        kind = attributes.get("Type", "").rpartition("/")[2]
        if attributes.get("TargetMode") != "External":
            target = target.replace("\\", "/")
            path = posixpath.normpath(posixpath.join("/", self._folder, target)).lstrip("/")
            self.parts[key] = (kind, path)
        elif kind == "hyperlink":
            self.links[key] = target

    def end(self, name: str) -> None: ...

    def data(self, text: str) -> None: ...


class _Properties:
    """The properties that people fill in (ECMA-376 part 2, 11.1), under the names that Office shows."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._text.clear()

    def end(self, name: str) -> None:
        if name in _PROPERTIES:
            self.found.append((_PROPERTIES[name], "".join(self._text)))
        self._text.clear()

    def data(self, text: str) -> None:
        self._text.append(text)


class Drawing:
    """The words of charts, diagrams and comments: a line for each paragraph, and for each series' values."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._text: list[str] = []
        self._values: list[str] = []
        self._inside = ""  # the element whose characters are words

    def start(self, name: str, attributes: dict[str, str]) -> None:
        # `t` in `dgm:t` holds paragraphs, in `a:t` characters: the innermost counts. `pt` is a point of a
        # chart, which holds its value: in `c:v` in older charts, itself in newer ones (`cx:`)
        if name in {"t", "v", "text", "pt"}:
            self._inside = name
            if name in {"v", "pt"}:
                self._text.clear()
        elif name == "p":
            self._inside = ""

    def end(self, name: str) -> None:
        if name == "v" or name == self._inside == "pt":
            if value := one_line("".join(self._text)):
                self._values.append(value)
            self._text.clear()
        elif name in {"p", "text"}:
            self._builder.line("".join(self._text))
            self._text.clear()
        elif name in _ROWS and self._values:
            self._builder.line(" | ".join(self._values))
            self._values.clear()
        if name == self._inside:
            self._inside = ""

    def data(self, text: str) -> None:
        if self._inside:
            self._text.append(text)


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _attribute(name: str) -> str:
    namespace, _, local = name.rpartition(" ")
    return f"r:{local}" if namespace.endswith("/relationships") else local
