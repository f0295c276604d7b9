"""Which files are read, and why others are not, decided by their names."""

from assistants_tui.engine.search.errors import IngestError
from assistants_tui.protocol import file_kinds
from assistants_tui.protocol.file_kinds import Reader

_HINTS = {
    "doc": "Word 97-2003 documents (.doc) cannot be read. Save the document as .docx or .pdf.",
    "ppt": "PowerPoint 97-2003 presentations (.ppt) cannot be read. Save the presentation as .pptx or .pdf.",
    "odt": "OpenDocument texts (.odt) cannot be read. Save the document as .docx or .pdf.",
    "rtf": "Rich text (.rtf) cannot be read. Save the document as .docx or .pdf.",
}
_FOR_CODE = "csv tsv xls xlsx xml zip tar gz tgz bmp gif jpeg jpg png webp sqlite db parquet"

_MAX_TEXT_BYTES = 128 << 20  # as much as MAX_CHARACTERS take in UTF-16


def reader_of(filename: str, size: int) -> Reader:
    """How to read a file of that name and that many bytes.

    Raises `IngestError` for files that need not be opened to know that they cannot be searched.
    """
    reader = file_kinds.kind_of(filename).reader
    if reader is None:
        raise IngestError("unsupported_file", _why_not(file_kinds.extension(filename)[1:]))
    if size == 0:
        raise IngestError("invalid_file", "The file is empty.")
    if size > _MAX_TEXT_BYTES and reader not in {"pdf", "docx", "pptx"}:
        raise IngestError("invalid_file", "The file has more text than the 5,000,000 tokens allowed.")
    return reader


def _why_not(suffix: str) -> str:
    if suffix in _HINTS:
        return _HINTS[suffix]
    if suffix in _FOR_CODE.split():
        return f"Files of type .{suffix} cannot be searched. Attach the file to the code interpreter instead."
    known = "documents (.pdf, .docx, .pptx, .html, .md, .tex, .txt), .json, .css and source code"
    what = f"Files of type .{suffix[:20]}" if suffix.isalnum() else "Files without a known extension"
    return f"{what} cannot be searched. Supported are {known}."
