"""PDF, page by page, with PDFium: its text, what was written onto it, its properties and attached files."""

import ctypes
import re
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress

import pypdfium2
from pypdfium2 import raw

from assistants_tui.engine.search.documents.document import Attachment, Document, TextBuilder
from assistants_tui.engine.search.documents.letter_spacing import closed_up
from assistants_tui.engine.search.documents.pdf_annotations import read_annotations
from assistants_tui.engine.search.errors import IngestError

_MAX_PAGES = 20_000
_MAX_BEFORE = 64 << 10  # bytes that mail programs and printers leave before the document
_PROPERTIES = ("Title", "Subject", "Author", "Keywords")
_MAX_ATTACHMENTS = 100
_MAX_ATTACHED = 64 << 20  # bytes of all attachments
_NO_TEXT = "The PDF has no text, only pictures: it may be a scan. Attach a copy with recognised text (OCR)."
# Hyphens at line ends: as PDFium marks them, and the one of browsers, which it does not know
_HYPHEN = re.compile("[\x02\ufffe](?:\r?\n)?|(?<=\\w)\u2010\r?\n(?=\\w)")
_BLANKS = re.compile(r"[ \t\xa0]+(?=\n|$)")


def read_pdf(data: bytes) -> Document:
    start = data.find(b"%PDF-", 0, _MAX_BEFORE)
    if start < 0:
        raise IngestError("invalid_file", "The file is not a PDF document, although its name ends in .pdf.")
    try:
        pdf = pypdfium2.PdfDocument(data[start:])
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise IngestError(
                "invalid_file", "The PDF is protected by a password. Attach a copy without one."
            ) from None
        raise IngestError("invalid_file", "The PDF is damaged and cannot be opened.") from None
    count = len(pdf)
    if count > _MAX_PAGES:
        raise IngestError("invalid_file", f"The PDF has {count:,} pages; at most {_MAX_PAGES:,} can be read.")
    with suppress(pypdfium2.PdfiumError):
        pdf.init_forms()
    outline = _outline(pdf)
    builder = TextBuilder()
    attached = _Attached()
    empty = True
    for number in range(count):
        builder.page()
        if number == 0:
            builder.properties((name, pdf.get_metadata_value(name)) for name in _PROPERTIES)
        for level, title in outline[number]:
            builder.mark_heading(level, title)
        text = _page_text(pdf, number, attached)
        empty = empty and not text.strip()
        builder.add(f"{text}\n\n")
    listed = pdf.count_attachments()
    attached.add(map(pdf.get_attachment, range(min(listed, _MAX_ATTACHMENTS))))
    more = (
        f"Of its {listed:,} attachments, {_MAX_ATTACHMENTS} were read." if listed > _MAX_ATTACHMENTS else None
    )
    if empty and not attached.files:
        raise IngestError("invalid_file", _NO_TEXT)
    if empty:  # the cover of what is attached
        return Document("", note=_NO_TEXT, attachments=tuple(attached.files))
    return builder.build(more, attached.files)


class _Attached:
    """The files in a PDF, each once: a file may stand in the list of the document and on a page, too."""

    def __init__(self) -> None:
        self.files: list[Attachment] = []
        self._room = _MAX_ATTACHED

    def add(self, found: Iterable[pypdfium2.PdfAttachment]) -> None:
        for attachment in found:
            if len(self.files) == _MAX_ATTACHMENTS:
                return
            taken = self._take(attachment)
            if taken not in self.files:
                self.files.append(taken)

    def _take(self, attachment: pypdfium2.PdfAttachment) -> Attachment:
        try:
            name = attachment.get_name()
        except pypdfium2.PdfiumError:
            name = ""
        size = ctypes.c_ulong()
        raw.FPDFAttachment_GetFile(attachment, None, 0, ctypes.byref(size))
        if size.value > self._room:
            return Attachment(name, None)
        self._room -= size.value
        try:
            return Attachment(name, bytes(attachment.get_data()))
        except pypdfium2.PdfiumError:
            return Attachment(name, b"")


def _page_text(pdf: pypdfium2.PdfDocument, number: int, attached: _Attached) -> str:
    try:
        page = pdf[number]
        try:
            words = page.get_textpage()
            text = closed_up(words.get_text_range(), words)
            annotations = read_annotations(pdf, page, words)
            attached.add(annotations.attachments)
        finally:
            page.close()  # and its text with it, or a long document would fill the memory
    except pypdfium2.PdfiumError:
        return ""  # a damaged page is no reason to refuse the others
    plain = _BLANKS.sub("", _HYPHEN.sub(_joined, text).replace("\r\n", "\n")).strip()
    return "\n".join([plain, *(line for line in annotations.lines if line not in plain)]).strip()


def _joined(match: re.Match[str]) -> str:
    """What a hyphen at a line end becomes: nothing, unless it is the word's own, as in codes and names."""
    before = match.string[max(0, match.start() - 1) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    own = before.isdigit() or after.isdigit() or (after.isupper() and not before.isupper())
    return "-" if own else ""


def _outline(pdf: pypdfium2.PdfDocument) -> defaultdict[int, list[tuple[int, str]]]:
    """The bookmarks that point to each page: they are the headings that a PDF knows of."""
    found: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    try:
        for bookmark in pdf.get_toc(max_depth=6):
            destination = bookmark.get_dest()
            page = destination.get_index() if destination is not None else None
            if page is not None:
                found[page].append((bookmark.level + 1, bookmark.get_title()))
    except pypdfium2.PdfiumError:
        pass  # bookmarks that lead nowhere
    return found
