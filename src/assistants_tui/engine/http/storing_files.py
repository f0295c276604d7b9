"""Putting files into vector stores, for all endpoints that do so."""

from collections.abc import Collection, Sequence

from assistants_tui.engine.http.context import Work
from assistants_tui.engine.http.errors import bad_request, enumerated
from assistants_tui.engine.http.requests.tools import ChunkingStrategy
from assistants_tui.engine.http.requests.vector_stores import FileInStore
from assistants_tui.engine.store import files, vector_store_files
from assistants_tui.engine.store.files import StoredFile
from assistants_tui.engine.store.vector_store_files import NewFile
from assistants_tui.engine.store.vector_stores import StoredVectorStore
from assistants_tui.protocol import file_kinds, limits
from assistants_tui.protocol.objects import Json

_USABLE = ("assistants", "assistants_output", "user_data", "vision")
_AUTO: Json = {
    "type": "static",
    "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
}


async def check_files(work: Work, file_ids: Sequence[str], path: str) -> dict[str, StoredFile]:
    """Refuse files that do not exist or are not for tools. `path` is the field that names them."""
    found = await files.several(work.connection, work.owner, file_ids, work.engine.now())
    missing = [file_id for file_id in file_ids if file_id not in found]
    if missing:
        raise bad_request(f"No such File object: {enumerated(missing)}", param=path)
    for file_id in file_ids:
        purpose = found[file_id]["purpose"]
        if purpose not in _USABLE:
            raise bad_request(
                f"Invalid '{path}': the file {file_id} has the purpose '{purpose}'. "
                "Upload it with the purpose 'assistants' to use it here.",
                param=path,
                code="invalid_value",
            )
    return found


async def put_in_store(
    work: Work,
    store: StoredVectorStore,
    entries: Sequence[FileInStore],
    path: str,
    *,
    batch_id: str | None = None,
    fail_unsupported: bool = False,
) -> None:
    """Attach files to a store, to be indexed once this is committed.

    Of several files, those that cannot be searched may fail alone: `fail_unsupported`. Raises `ApiError` if a
    file does not exist or, without that, cannot be searched, or if the store is full or expired.
    """
    if store["status"] == "expired":
        raise bad_request(f"Vector store {store['id']} has expired. Make a new one.")
    by_id = {entry.file_id: entry for entry in entries}
    found = await check_files(work, list(by_id), path)
    unsupported = {
        file_id: file_kinds.extension(file["filename"])
        for file_id, file in found.items()
        if not file_kinds.kind_of(file["filename"]).searchable
    }
    if unsupported and not fail_unsupported:
        raise bad_request(_not_supported(unsupported.values()), param=path, code="unsupported_file")
    others = await vector_store_files.count(work.connection, store["id"], other_than=list(by_id))
    if others + len(by_id) > limits.MAX_STORE_FILES:
        raise bad_request(
            f"Vector store {store['id']} would have {others + len(by_id)} files, but "
            f"{limits.MAX_STORE_FILES} is the most it can have.",
            param=path,
        )
    new = [
        NewFile(
            entry.file_id,
            entry.attributes or {},
            _strategy(entry.chunking_strategy),
            fault=_not_supported([unsupported[file_id]]) if file_id in unsupported else None,
        )
        for file_id, entry in by_id.items()
    ]
    now = work.engine.now()
    await vector_store_files.attach(work.connection, work.owner, store["id"], now, new, batch_id=batch_id)
    work.afterwards(work.engine.ingest.attached)


def _not_supported(extensions: Collection[str]) -> str:
    named = sorted({extension or "no extension" for extension in extensions})
    return (
        f"Files with extensions [{', '.join(named)}] are not supported for retrieval. "
        f"Supported are: {', '.join(file_kinds.SEARCHABLE)}."
    )


def _strategy(asked: ChunkingStrategy | None) -> Json:
    """What objects show: always the numbers in force."""
    if asked is None or asked.static is None:
        return _AUTO
    return asked.model_dump()
