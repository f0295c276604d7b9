"""The word index: which chunks have which words. Made from the store's chunks, and made anew when it is lost.

Only the indexer's process writes to it (`workers/indexer.py`); this is the side that reads.
"""

import math
import secrets
import shutil
import threading
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import tantivy
from tantivy import Occur, Query

FORMAT = 2
"""Of the fields and of the analysis of their words. A change makes every index be made anew."""

_NAME = "name"
_TIE = 0.3  # how much the lesser of a word's two places, the text and its headings, adds
_MAX_TERMS = 48  # of a query; the rarest, if there are more


def schema() -> tantivy.Schema:
    """The fields of a chunk. Words come analysed, with blanks between them."""
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("chunk", fast=True)
    builder.add_integer_field("document", indexed=True, fast=True)
    builder.add_text_field("store", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("body", tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("title", tokenizer_name="whitespace", index_option="freq")  # file name, headings
    return builder.build()


def name_of(directory: Path) -> str | None:
    """What the index in a directory is called; None if there is none that this program can use."""
    with suppress(OSError, UnicodeDecodeError):
        name = (directory / _NAME).read_text(encoding="ascii").strip()
        if name.startswith(f"{FORMAT}-"):
            return name
    return None


class Found(NamedTuple):
    """A chunk that has words of a query: its number, that of its document, and its BM25 score."""

    chunk: int
    document: int
    score: float


class WordIndex:
    """The index as of its last commit. Its methods block, so call them in threads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._index: tantivy.Index | None = None
        self._version: tuple[int, int] | None = None
        self._opening = threading.RLock()
        self.name = ""
        """A new index has a new name, so that everyone knows that it is empty."""

    @property
    def directory(self) -> Path:
        return self._directory

    def open(self) -> None:
        """Open the index, or make an empty one if there is none or it is damaged. Raises `OSError`."""
        with self._opening:
            name = name_of(self._directory)
            if name is not None:
                with suppress(ValueError, OSError):  # damaged
                    self._use(name)
                    return
            self._make()

    def refresh(self) -> None:
        """Take notice of what was committed, by this process or another one."""
        with self._opening:
            if self._index is None or name_of(self._directory) != self.name:
                self.open()
            elif (version := self._current()) != self._version:
                self._index.reload()
                self._version = version

    def frequencies(self, terms: Iterable[str]) -> dict[str, float]:
        """The weight of each term, its inverse document frequency: the rarer, the higher."""
        searcher = self._open_index().searcher()
        total = searcher.num_docs
        found = {}
        for term in terms:
            count = min(searcher.doc_freq("body", term), total)  # it counts deleted ones too
            found[term] = math.log(1 + (total - count + 0.5) / (count + 0.5))
        return found

    def search(
        self,
        weights: dict[str, float],
        stores: Collection[str],
        documents: Collection[int] | None,
        limit: int,
    ) -> list[Found]:
        """The best chunks for some terms, by BM25, best first.

        Only chunks of the stores are found, and only of the documents if any are named.
        """
        index = self._open_index()
        if not weights or not stores or (documents is not None and not documents):
            return []
        schema = index.schema
        rarest = sorted(weights, key=weights.__getitem__, reverse=True)[:_MAX_TERMS]
        words = [
            (
                Occur.Should,
                Query.disjunction_max_query(
                    [Query.term_query(schema, field, term, "freq") for field in ("body", "title")], _TIE
                ),
            )
            for term in rarest
        ]
        conditions = [Query.term_set_query(schema, "store", list(stores))]
        if documents is not None:
            conditions.append(Query.term_set_query(schema, "document", list(documents)))
        query = Query.boolean_query(
            [
                (Occur.Must, Query.boolean_query(words)),
                *((Occur.Must, Query.const_score_query(condition, 0.0)) for condition in conditions),
            ]
        )
        searcher = index.searcher()
        hits = searcher.search(query, limit, count=False).hits
        addresses = [address for _, address in hits]
        chunks = searcher.fast_field_values("chunk", addresses)
        owners = searcher.fast_field_values("document", addresses)
        return [
            Found(int(chunk or 0), int(owner or 0), score)
            for chunk, owner, (score, _) in zip(chunks, owners, hits, strict=True)
        ]

    def chunk_count(self) -> int:
        """How many chunks it has, of documents that exist and of others."""
        return self._open_index().searcher().num_docs

    def documents(self) -> set[int]:
        """The documents that it has, existing or not."""
        searcher = self._open_index().searcher()
        if not searcher.num_docs:
            return set()
        hits = searcher.search(Query.all_query(), searcher.num_docs, count=False).hits
        owners = searcher.fast_field_values("document", [address for _, address in hits])
        return {int(owner or 0) for owner in owners}

    def _open_index(self) -> tantivy.Index:
        if self._index is None:
            self.open()
            assert self._index is not None
        return self._index

    def _use(self, name: str) -> None:
        version = self._current()
        index = tantivy.Index.open(str(self._directory))
        index.config_reader("manual", 0)
        index.reload()
        self._index, self._version, self.name = index, version, name

    def _current(self) -> tuple[int, int] | None:
        with suppress(OSError):
            status = (self._directory / "meta.json").stat()
            return status.st_mtime_ns, status.st_ino
        return None

    def _make(self) -> None:
        """An empty index, complete before it has its place: two processes may be doing this at once."""
        new = self._directory.with_name(f"{self._directory.name}-{secrets.token_hex(4)}")
        new.mkdir(mode=0o700, parents=True)
        for private in (_NAME, ".tantivy-meta.lock"):  # the library makes all but its lock private
            (new / private).touch(mode=0o600)
        tantivy.Index(schema(), str(new))
        name = f"{FORMAT}-{secrets.token_hex(8)}"
        (new / _NAME).write_text(name, encoding="ascii")
        old = new.with_name(f"{new.name}-old")
        with suppress(FileNotFoundError):
            self._directory.rename(old)
        try:
            new.rename(self._directory)
        except OSError:  # the other process was faster
            shutil.rmtree(new)
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)
        found = name_of(self._directory)
        if found is None:
            raise OSError(f"The word index at {self._directory} cannot be made.")
        self._use(found)
