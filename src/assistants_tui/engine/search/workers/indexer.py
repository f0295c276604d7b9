"""The program of the indexer process: it alone writes to the word index, one commit per batch."""

import sys
import time
from pathlib import Path
from typing import Any

import tantivy

from assistants_tui.engine.search import word_index
from assistants_tui.engine.search.analysis import terms
from assistants_tui.engine.search.workers import pipe_messages

_HEAP = 48 << 20
_LOCK_SECONDS = 120  # how long to wait for the indexer of another engine on the same data


def main() -> None:
    requests, answers = sys.stdin.buffer, pipe_messages.own_standard_output()
    pipe_messages.write(answers, {"ready": True})
    batch: _Batch | None = None
    while (request := pipe_messages.read(requests)) is not None:
        try:
            if "open" in request:
                batch = _Batch(Path(request["open"]), request["name"])
            elif batch is None:
                continue  # the rest of a batch that has failed
            elif "remove" in request:
                batch.remove(request["remove"])
            elif "add" in request:
                batch.add(request["add"])
            else:
                batch.commit()
                batch = None
                pipe_messages.write(answers, {"committed": True})
        except (ValueError, OSError) as error:
            batch = None
            pipe_messages.write(answers, {"error": str(error)})


class _Batch:
    """Changes that become visible together, or not at all."""

    def __init__(self, directory: Path, name: str) -> None:
        if word_index.name_of(directory) != name:
            raise OSError("the word index is not there any more")
        self._index = tantivy.Index.open(str(directory))
        self._writer = self._locked()

    def remove(self, documents: list[int]) -> None:
        for document in documents:
            self._writer.delete_documents_by_term("document", document)

    def add(self, chunks: list[dict[str, Any]]) -> None:
        for chunk in chunks:
            self._writer.add_document(
                tantivy.Document(
                    chunk=chunk["seq"],
                    document=chunk["document"],
                    store=chunk["store"],
                    title=" ".join(terms(chunk["title"])),
                    body=" ".join(terms(chunk["text"])),
                )
            )

    def commit(self) -> None:
        self._writer.commit()
        self._writer.wait_merging_threads()

    def _locked(self) -> tantivy.IndexWriter:
        """The writer. There is one at a time, of all processes."""
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                return self._index.writer(heap_size=_HEAP, num_threads=1)
            except ValueError as error:
                if "lock" not in str(error).lower() or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


if __name__ == "__main__":
    main()
