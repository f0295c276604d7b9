"""From a file name and bytes to a document."""

from collections.abc import Callable

from assistants_tui.engine.search.documents.attachments import AttachmentReader
from assistants_tui.engine.search.documents.document import Document
from assistants_tui.engine.search.documents.supported_files import reader_of
from assistants_tui.engine.search.errors import IngestError
from assistants_tui.protocol.file_kinds import Reader


def read(data: bytes, filename: str) -> Document:
    """The document in a file, with the files attached to it.

    Raises `IngestError` if there is none, or none with any text in it.
    """
    document = AttachmentReader(_read_alone).add_to(_read_alone(data, filename))
    if not document.text.strip():
        raise IngestError("invalid_file", document.note or "The file has no text.")
    return document


def _read_alone(data: bytes, filename: str) -> Document:
    return _reader(reader_of(filename, len(data)))(data)


def _reader(kind: Reader) -> Callable[[bytes], Document]:
    # Imported when first needed: a worker that only reads notes need not load PDFium.
    match kind:
        case "pdf":
            from assistants_tui.engine.search.documents.pdf import read_pdf as reader
        case "docx":
            from assistants_tui.engine.search.documents.docx import read_docx as reader
        case "pptx":
            from assistants_tui.engine.search.documents.pptx import read_pptx as reader
        case "html":
            from assistants_tui.engine.search.documents.html import read_html as reader
        case "markdown":
            from assistants_tui.engine.search.documents.plain import read_markdown as reader
        case "latex":
            from assistants_tui.engine.search.documents.plain import read_latex as reader
        case "source":
            from assistants_tui.engine.search.documents.plain import read_source as reader
        case "json":
            from assistants_tui.engine.search.documents.plain import read_json as reader
        case "text":
            from assistants_tui.engine.search.documents.plain import read_text as reader
    return reader
