"""PDF, page by page, with PDFium: its text, the values of its forms, and comments."""

import ctypes
import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pypdfium2
from pypdfium2 import raw

from assistants_tui.engine.tools.file_search.documents.document import Document, TextBuilder, one_line
from assistants_tui.engine.tools.file_search.errors import IngestError

_MAX_PAGES = 20_000
_MAX_BEFORE = 64 << 10  # bytes that mail programs and printers leave before the document
# Kinds of annotations that are no text of their own
_WITHOUT_TEXT = {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP}
_WRITTEN_FIELDS = {raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX}
_TICKED_FIELDS = {raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON}
_PASSWORD = 1 << 13  # the flag of a field that shows its text as stars (ISO 32000-1, table 228)
_MAX_STRING = 1 << 20
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
            text = page.get_textpage().get_text_range()
            written = _written(pdf, page)
        finally:
            page.close()  # and its text with it, or a long document would fill the memory
    except pypdfium2.PdfiumError:
        return ""  # a damaged page is no reason to refuse the others
    plain = _BLANKS.sub("", _HYPHEN.sub(_joined, text).replace("\r\n", "\n")).strip()
    return "\n".join([plain, *(line for line in written if line not in plain)]).strip()


def _joined(match: re.Match[str]) -> str:
    """What a hyphen at a line end becomes: nothing, unless it is the word's own, as in codes and names."""
    before = match.string[max(0, match.start() - 1) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    own = before.isdigit() or after.isdigit() or (after.isupper() and not before.isupper())
    return "-" if own else ""


def _written(pdf: pypdfium2.PdfDocument, page: pypdfium2.PdfPage) -> list[str]:
    """What was written onto the page afterwards: the values of form fields, and comments."""
    lines: list[str] = []
    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            if kind == raw.FPDF_ANNOT_WIDGET:
                lines.append(_field(pdf, annotation))
            elif kind not in _WITHOUT_TEXT:
                lines.append(
                    _string(lambda *out: raw.FPDFAnnot_GetStringValue(annotation, b"Contents", *out))  # noqa: B023
                )
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    return list(dict.fromkeys(filter(None, map(one_line, lines))))


def _field(pdf: pypdfium2.PdfDocument, annotation: Any) -> str:
    """The name and the value of a field that holds text, or that is ticked."""
    form = pdf.formenv
    if form is None:
        return ""
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    value = ""
    if kind in _WRITTEN_FIELDS:
        hidden = kind == raw.FPDF_FORMFIELD_TEXTFIELD and (
            raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD
        )
        if not hidden:
            value = _string(lambda *out: raw.FPDFAnnot_GetFormFieldValue(form, annotation, *out))
    elif kind in _TICKED_FIELDS and raw.FPDFAnnot_IsChecked(form, annotation):
        value = _string(lambda *out: raw.FPDFAnnot_GetFormFieldExportValue(form, annotation, *out))
    if not value.strip():
        return ""
    name = _string(lambda *out: raw.FPDFAnnot_GetFormFieldAlternateName(form, annotation, *out))
    name = name or _string(lambda *out: raw.FPDFAnnot_GetFormFieldName(form, annotation, *out))
    return f"{name}: {value}" if name else value


def _string(get: Callable[[Any, int], int]) -> str:
    """A string of PDFium's, which tells its length in bytes first, and then writes it as UTF-16."""
    length = get(None, 0)
    if not 2 < length <= _MAX_STRING:
        return ""
    buffer = ctypes.create_string_buffer(length)
    get(ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), length)
    return buffer.raw.decode("utf-16-le", "replace").rstrip("\0")


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
