"""Reads the files that stand inside a document, and puts their text behind its own."""

import time
from collections.abc import Callable
from dataclasses import replace

from assistants_tui.engine.search.documents.document import (
    MAX_CHARACTERS,
    Attachment,
    Document,
    Heading,
    clean,
    one_line,
)
from assistants_tui.engine.search.errors import IngestError

_DEEPEST = 2  # levels of files inside files that are read
_MOST = 100  # files, of all levels
_MOST_SECONDS = 20.0  # on the processor; reading of a whole document has 60
_MOST_NOTES = 10
_MOST_OF_NAME = 200


class AttachmentReader:
    """Reads the attachments of one document, and theirs, as far as its limits go."""

    def __init__(self, read: Callable[[bytes, str], Document]) -> None:
        """`read` reads a file of that content and name alone. It raises `IngestError`."""
        self._read = read
        self._left = _MOST
        self._until = time.process_time() + _MOST_SECONDS

    def add_to(self, document: Document, depth: int = _DEEPEST) -> Document:
        """The document with the text of its attachments. What was not read is told in its note."""
        if not document.attachments:
            return document
        parts, headings, notes = [document.text], [*document.headings], []
        length = len(document.text)
        for attachment in document.attachments:
            name = one_line(clean(attachment.name))[:_MOST_OF_NAME] or "without a name"
            try:
                found = self._inner(attachment, depth)
            except IngestError as error:
                notes.append(f"The attachment {name} was not read: {error.sentence}")
                continue
            title = f"Attachment: {name}"
            begin = f"\n\n# {title}\n\n"
            headings.append(Heading(length + 2, 1, title))
            length += len(begin)
            headings += (Heading(length + at, level + 1, words) for at, level, words in found.headings)
            parts += begin, found.text.replace("\f", " ")  # its pages are not the document's
            length += len(found.text)
            if found.note:
                notes.append(f"The attachment {name}: {found.note}")
        if length > MAX_CHARACTERS:
            raise IngestError("invalid_file", "The file has more text than the 5,000,000 tokens allowed.")
        if len(notes) > _MOST_NOTES:
            notes[_MOST_NOTES:] = [
                f"{len(notes) - _MOST_NOTES} more attachments were not or not wholly read."
            ]
        return replace(
            document,
            text="".join(parts),
            headings=tuple(headings),
            after_pages=len(document.text) if document.pages else None,
            note=" ".join(filter(None, [document.note, *notes])) or None,
            attachments=(),
        )

    def _inner(self, attachment: Attachment, depth: int) -> Document:
        if depth == 0:
            raise IngestError("invalid_file", "It lies too deep inside other attachments.")
        if attachment.data is None:
            raise IngestError("invalid_file", "It is too large.")
        self._left -= 1
        if self._left < 0 or time.process_time() > self._until:
            raise IngestError("invalid_file", "Reading all attachments of the file takes too long.")
        found = self.add_to(self._read(attachment.data, attachment.name), depth - 1)
        if not found.text.strip():
            raise IngestError("invalid_file", found.note or "It has no text.")
        return found
