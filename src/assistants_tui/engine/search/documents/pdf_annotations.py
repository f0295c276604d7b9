"""What was put onto a PDF page afterwards: values of form fields, comments, links, and attached files."""

import ctypes
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import pypdfium2
from pypdfium2 import raw

from assistants_tui.engine.search.documents.document import one_line
from assistants_tui.engine.search.documents.links import Links

_WRITTEN_FIELDS = {raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX}
_TICKED_FIELDS = {raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON}
_PASSWORD = 1 << 13  # the flag of a field that shows its text as stars (ISO 32000-1, table 228)
_MAX_STRING = 1 << 20


class Annotations(NamedTuple):
    """What the annotations of a page say."""

    lines: list[str]
    """Values of fields with their names, comments, and links with their words; each once."""
    attachments: list[pypdfium2.PdfAttachment]
    """The files that are attached to a place on the page. They can be read while the document is open."""


def read_annotations(
    pdf: pypdfium2.PdfDocument, page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage
) -> Annotations:
    """The annotations of a page; `text` is that page's."""
    lines: list[str] = []
    attachments: list[pypdfium2.PdfAttachment] = []
    links: defaultdict[str, list[str]] = defaultdict(list)  # a link that goes over two lines is two
    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            if kind == raw.FPDF_ANNOT_WIDGET:
                lines.append(_field(pdf, annotation))
            elif kind == raw.FPDF_ANNOT_LINK:
                if address := _target(pdf, annotation):
                    links[address].append(_words(annotation, text))
            elif kind != raw.FPDF_ANNOT_POPUP:
                lines.append(
                    _string(lambda *out: raw.FPDFAnnot_GetStringValue(annotation, b"Contents", *out))  # noqa: B023
                )
            if kind == raw.FPDF_ANNOT_FILEATTACHMENT and (
                found := raw.FPDFAnnot_GetFileAttachment(annotation)
            ):
                attachments.append(pypdfium2.PdfAttachment(found, pdf))
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    written = Links()
    for address, parts in links.items():
        words = one_line(" ".join(parts))
        if shown := written.address(address, words):
            lines.append(f"{words}: {shown}" if words else shown)
    return Annotations(list(dict.fromkeys(filter(None, map(one_line, lines)))), attachments)


def _target(pdf: pypdfium2.PdfDocument, annotation: Any) -> str:
    """The address or file to which a link leads; empty for one that leads to a place in the document."""
    action = raw.FPDFLink_GetAction(raw.FPDFAnnot_GetLink(annotation))
    kind = raw.FPDFAction_GetType(action) if action else raw.PDFACTION_UNSUPPORTED
    if kind == raw.PDFACTION_URI:
        return _bytes(lambda *out: raw.FPDFAction_GetURIPath(pdf, action, *out))
    if kind in {raw.PDFACTION_REMOTEGOTO, raw.PDFACTION_LAUNCH}:
        return _bytes(lambda *out: raw.FPDFAction_GetFilePath(action, *out))
    return ""


def _words(annotation: Any, text: pypdfium2.PdfTextPage) -> str:
    """The words of a page on which a link lies."""
    box = raw.FS_RECTF()
    if not raw.FPDFAnnot_GetRect(annotation, ctypes.byref(box)):
        return ""
    found: str = text.get_text_bounded(box.left, box.bottom, box.right, box.top)
    return found


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


def _bytes(get: Callable[[Any, int], int]) -> str:
    """The same of a string in UTF-8, as addresses are."""
    length = get(None, 0)
    if not 1 < length <= _MAX_STRING:
        return ""
    buffer = ctypes.create_string_buffer(length)
    get(buffer, length)
    return buffer.raw.decode("utf-8", "replace").rstrip("\0")
