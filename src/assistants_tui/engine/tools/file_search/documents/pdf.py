"""PDF, page by page, with PDFium."""

import re
from collections import defaultdict

import pypdfium2

from assistants_tui.engine.tools.file_search.documents.document import Document, TextBuilder
from assistants_tui.engine.tools.file_search.errors import IngestError

_MAX_PAGES = 20_000
_HYPHEN = re.compile("[\x02\ufffe](?:\r?\n)?")  # how PDFium marks a hyphen that only the line end needed
_BLANKS = re.compile(r"[ \t\xa0]+(?=\n|$)")


def read_pdf(data: bytes) -> Document:
    if b"%PDF-" not in data[:1024]:
        raise IngestError("invalid_file", "The file is not a PDF document, although its name ends in .pdf.")
    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise IngestError(
                "invalid_file", "The PDF is protected by a password. Attach a copy without one."
            ) from None
        raise IngestError("invalid_file", "The PDF is damaged and cannot be opened.") from None
    count = len(pdf)
    if count > _MAX_PAGES:
        raise IngestError("invalid_file", f"The PDF has {count:,} pages; at most {_MAX_PAGES:,} can be read.")
    outline = _outline(pdf)
    builder = TextBuilder()
    empty = True
    for number in range(count):
        builder.page()
        for level, title in outline[number]:
            builder.mark_heading(level, title)
        text = _page_text(pdf, number)
        empty = empty and not text.strip()
        builder.add(f"{text}\n\n")
    if empty:
        raise IngestError(
            "invalid_file",
            "The PDF has no text, only pictures: it may be a scan. Attach a copy with recognised text (OCR).",
        )
    return builder.build()


def _page_text(pdf: pypdfium2.PdfDocument, number: int) -> str:
    try:
        page = pdf[number]
        try:
            raw = page.get_textpage().get_text_range()
        finally:
            page.close()  # and its text with it, or a long document would fill the memory
    except pypdfium2.PdfiumError:
        return ""  # a damaged page is no reason to refuse the others
    return _BLANKS.sub("", _HYPHEN.sub("", raw).replace("\r\n", "\n")).strip()


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
