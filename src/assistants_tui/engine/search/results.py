"""What goes into file search and what comes out of it."""

from dataclasses import dataclass
from typing import Any

from assistants_tui.engine.search.chunking import Chunking
from assistants_tui.engine.search.errors import IngestError

__all__ = [
    "Chunking",
    "FileNote",
    "Hit",
    "IngestError",
    "Ingested",
    "Progress",
    "Ranking",
    "StoreProgress",
]


@dataclass(frozen=True, slots=True)
class Ingested:
    """A file that can be searched: bytes of its chunks in the store, and how many they are."""

    usage_bytes: int
    chunk_count: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """The `ranking_options` of the API.

    With `rerank`, the best candidates are looked at more closely (`auto` and the dated rankers); without, the
    score of the index decides (`none`). Chunks with a score below the threshold (0..1) are left out.
    """

    rerank: bool = True
    score_threshold: float = 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found. `text` is `document text[start:end]`, in characters."""

    store_id: str
    file_id: str
    filename: str
    attributes: dict[str, Any]
    score: float
    """From 0 to 1. Comparable between queries, but not with scores of other engines."""
    text: str
    start: int
    end: int
    page: int | None
    """The page or slide, from 1, of files that have them."""
    line: int | None
    """The line of the file, from 1, of files that are text."""
    heading: str
    """The headings above it, from the highest down, separated by ` > `."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far file search is with all that it was given."""

    reading: int
    """Files that are being read, or wait for it."""
    chunks: int
    """Chunks in the store."""
    with_words: int
    """Chunks in the word index."""
    with_vectors: int
    """Chunks with a vector of the embedding model."""
    embedding_model: str | None
    """None: the search is by words alone."""


@dataclass(frozen=True, slots=True)
class FileNote:
    """What a user should know of a file that can be searched, but not as well as others."""

    file_id: str
    text: str


@dataclass(frozen=True, slots=True)
class StoreProgress:
    """How far file search is with one vector store."""

    chunks: int
    """Chunks of the files that have been read."""
    with_vectors: int
    """Chunks with a vector of the embedding model."""
    refused: int
    """Chunks that the embedding endpoint does not take."""
    embedding_model: str | None
    """None: the search is by words alone."""
    fault: str | None
    """Why no vectors can be had now; None as long as they can."""
    notes: tuple[FileNote, ...]
    """Of the files read last, at most 100."""
