"""How vector stores, their files, and what a query finds in them are drawn."""

from collections.abc import Sequence

from textual.content import Content

from assistants_tui.protocol.objects import Json, VectorStore, VectorStoreFile
from assistants_tui.service.client.vector_stores import SearchAnswer, StoreProgress
from assistants_tui.service.files.citations import Passage, results_of
from assistants_tui.service.local_paths import size_words
from assistants_tui.service.times import when
from assistants_tui.tui.text.plain_text import as_markdown
from assistants_tui.tui.text.safety import clean

_BY_WORDS = "With an embedding model in the profile, file search finds by meaning, too."
_BAR = 10
"""Cells of the bar that shows how many files have been read."""
_STATES = {"completed": ("✓", "$text-success"), "failed": ("✗", "$text-error"), "cancelled": ("■", "$muted")}


def file_row(name: str, file: VectorStoreFile, *, noted: bool) -> Content:
    """A file; `noted` if there is something to know of it although it was read."""
    mark, style = _STATES.get(file["status"], ("●", "$text-accent"))
    if noted and file["status"] == "completed":
        mark, style = "!", "$text-warning"
    return Content.assemble(("    ", ""), (f"{mark} ", style), clean(name).replace("\n", " "))


def store_name(store: VectorStore) -> str:
    name = store.get("name") or store["id"]
    if not store.get("name") and store.get("expires_after"):
        name = f"Attachments …{store['id'][-6:]}"  # made by the server for the files of a thread
    return clean(name).replace("\n", " ")


def store_counts(store: VectorStore) -> Content:
    """How many files, and a bar while some of them are being read."""
    counts = store["file_counts"]
    total, reading, failed = counts["total"], counts["in_progress"], counts["failed"]
    parts: list[Content] = []
    if reading and total:
        done = (total - reading) * _BAR // total
        parts.append(Content.styled(f"{'━' * done}{'·' * (_BAR - done)} ", "$text-accent"))
        parts.append(Content.styled(f"{total - reading:,} of {total:,} files", "$muted"))
    else:
        parts.append(Content.styled(f"{total:,} file{'s' if total != 1 else ''}", "$muted"))
    if failed:
        parts.append(Content.styled(f"  {failed:,} failed", "$text-error"))
    if store.get("status") == "expired":
        parts.append(Content.styled("  expired", "$text-warning"))
    return Content.assemble(*parts)


def store_facts(store: VectorStore, progress: StoreProgress | None) -> str:
    counts = store["file_counts"]
    read, waiting, failed = counts["completed"], counts["in_progress"], counts["failed"]
    facts = [
        f"- files: `{read:,} read, {waiting:,} waiting, {failed:,} failed`",
        f"- size of what was read: `{size_words(store.get('usage_bytes') or 0)}`",
        f"- status: `{store.get('status')}`",
        f"- created: `{when(store.get('created_at'))}`",
    ]
    if progress is not None and progress.embedding_model is not None:
        refused = f", {progress.refused:,} refused" if progress.refused else ""
        vectors = f"{progress.with_vectors:,} of {progress.pieces:,} pieces{refused}"
        facts.insert(2, f"- found by meaning: `{vectors}`")
    if progress is not None and progress.fault is not None:
        facts.insert(0, f"{as_markdown(progress.fault)}\n\nFiles are found by their words until it works.\n")
    if expires := store.get("expires_at"):
        facts.append(f"- expires: `{when(expires)}`, if nobody searches it until then")
    return "\n".join([*facts, f"- store: `{store['id']}`"])


def file_facts(file: VectorStoreFile, note: str | None) -> str:
    facts = [
        f"- status: `{file['status'].replace('_', ' ')}`",
        f"- size of what was read: `{size_words(file.get('usage_bytes') or 0)}`",
        f"- file: `{file['id']}`",
    ]
    if (error := file.get("last_error")) is not None:
        facts.insert(0, f"{as_markdown(error['message'])}\n")
    elif note is not None:
        facts.insert(0, f"{as_markdown(note)}\n")
    if file["status"] == "completed":
        facts.append("\nEnter shows the pieces that file search sees.")
    return "\n".join(facts)


def piece_parts(key: str, pieces: Sequence[Json]) -> list[tuple[str, str, str]]:
    """The pieces that were read from a file, as `ListScreen.show_parts` takes them."""
    return [
        (
            f"{key}/{number}",
            f"Piece {number} of {len(pieces)}{_place_in_file(piece)}",
            as_markdown(piece["text"]),
        )
        for number, piece in enumerate(pieces, 1)
        if isinstance(piece.get("text"), str)
    ]


def answer_parts(query: str, answer: SearchAnswer) -> list[tuple[str, str, str]]:
    """What a store finds, as `ListScreen.show_parts` takes it."""
    passages = results_of({"file_search": {"results": answer.results}})
    parts = [
        (f"hit-{number}", _heading(passage), as_markdown(passage.text))
        for number, passage in enumerate(passages)
    ]
    parts = parts or [("none", "Nothing found", f"No piece of this store fits `{clean(query)}`.")]
    if answer.by_words_alone:
        parts.append(("words", "Found by words alone", _BY_WORDS))
    return parts


def _heading(passage: Passage) -> str:
    score = f"{passage.score:.2f}" if passage.score is not None else ""
    return " · ".join(part for part in (score, passage.file_name, passage.place) if part)


def _place_in_file(piece: object) -> str:
    """Where in its file a piece stands, as far as the server says it."""
    if not isinstance(piece, dict):
        return ""
    parts = [f"{name} {piece[name]}" for name in ("page", "line") if isinstance(piece.get(name), int)]
    return f" · {', '.join(parts)}" if parts else ""
