"""The program of a reader process: bytes and a file name come in, chunks go out."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from assistants_tui.engine.search.chunking import Chunking, chunks
from assistants_tui.engine.search.documents.reading import read
from assistants_tui.engine.search.errors import IngestError
from assistants_tui.engine.search.workers import confinement, pipe_messages

_BATCH_CHARACTERS = 500_000  # of chunks that travel, and are stored, together


def main() -> None:
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    requests, answers = sys.stdin.buffer, pipe_messages.own_standard_output()
    confinement.limit(memory)
    isolated = confinement.isolate()
    pipe_messages.write(answers, {"ready": True, "isolated": isolated})
    while (request := pipe_messages.read(requests)) is not None:
        confinement.limit_time(seconds)
        try:
            for answer in _answers(request, requests.read(request["size"])):
                pipe_messages.write(answers, answer)
        except IngestError as error:
            pipe_messages.write(answers, {"error": error.code, "sentence": error.sentence})
        except MemoryError:
            # What is left cannot be trusted to be enough for the next file: the engine starts a new worker.
            pipe_messages.write(answers, {"error": "memory"})
            return


def _answers(request: pipe_messages.Message, data: bytes) -> Iterator[pipe_messages.Message]:
    document = read(data, request["filename"])
    del data
    batch: list[dict[str, Any]] = []
    length = 0
    chunking = Chunking(request["max_tokens"], request["overlap_tokens"])
    for chunk in chunks(document, chunking):
        batch.append(asdict(chunk))
        length += len(chunk.text)
        if length >= _BATCH_CHARACTERS:
            yield {"chunks": batch}
            batch, length = [], 0
    yield {"chunks": batch, "done": True, "note": document.note}


if __name__ == "__main__":
    main()
