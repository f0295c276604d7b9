"""Which files can be searched, decided by their names.

The table of the API's file search guide ("Supported files"), and text formats that users attach as readily.
CSV, XML, spreadsheets, pictures and archives belong to the code interpreter there, and here.
"""

from typing import Literal

from assistants_tui.engine.tools.file_search.errors import IngestError

Kind = Literal["text", "markdown", "latex", "source", "html", "pdf", "docx", "pptx"]

_EXTENSIONS: dict[Kind, str] = {
    "text": "txt json css log jsonl yaml yml toml ini cfg conf",
    "markdown": "md markdown rst adoc org",
    "latex": "tex",
    "source": (
        "c h cc cpp cxx hh hpp cs go java js mjs jsx kt lua php pl proto ps1 py pyi r rb rs scala sh bash "
        "sql swift ts tsx zig"
    ),
    "html": "html htm xhtml",
    "pdf": "pdf",
    "docx": "docx",
    "pptx": "pptx",
}
_KINDS: dict[str, Kind] = {name: kind for kind, names in _EXTENSIONS.items() for name in names.split()}
EXTENSIONS = frozenset(_KINDS)
"""The extensions of files that can be searched, without the dot."""

_HINTS = {
    "doc": "Word 97-2003 documents (.doc) cannot be read. Save the document as .docx or .pdf.",
    "ppt": "PowerPoint 97-2003 presentations (.ppt) cannot be read. Save the presentation as .pptx or .pdf.",
    "odt": "OpenDocument texts (.odt) cannot be read. Save the document as .docx or .pdf.",
    "rtf": "Rich text (.rtf) cannot be read. Save the document as .docx or .pdf.",
}
_FOR_CODE = "csv tsv xls xlsx xml zip tar gz tgz bmp gif jpeg jpg png webp sqlite db parquet"

_MAX_TEXT_BYTES = 128 << 20  # as much as MAX_CHARACTERS take in UTF-16


def extension(filename: str) -> str:
    """The extension of a file name, in lower case and without the dot."""
    _, dot, suffix = filename.rpartition(".")
    return suffix.lower() if dot else ""


def kind_of(filename: str, size: int) -> Kind:
    """How to read a file of that name and that many bytes.

    Raises `IngestError` for files that need not be opened to know that they cannot be searched.
    """
    suffix = extension(filename)
    kind = _KINDS.get(suffix)
    if kind is None:
        raise IngestError("unsupported_file", _why_not(suffix))
    if size == 0:
        raise IngestError("invalid_file", "The file is empty.")
    if size > _MAX_TEXT_BYTES and kind in {"text", "markdown", "latex", "source", "html"}:
        raise IngestError("invalid_file", "The file has more text than the 5,000,000 tokens allowed.")
    return kind


def _why_not(suffix: str) -> str:
    if suffix in _HINTS:
        return _HINTS[suffix]
    if suffix in _FOR_CODE.split():
        return f"Files of type .{suffix} cannot be searched. Attach the file to the code interpreter instead."
    known = "documents (.pdf, .docx, .pptx, .html, .md, .tex, .txt), .json, .css and source code"
    what = f"Files of type .{suffix[:20]}" if suffix.isalnum() else "Files without a known extension"
    return f"{what} cannot be searched. Supported are {known}."
