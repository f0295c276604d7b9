"""How pieces of documents are shown to clients of the API, and to models."""

from typing import Any

from assistants_tui.engine.tools.file_search.interface import Hit
from assistants_tui.engine.tools.file_search.texts import StoredChunk

Json = dict[str, Any]


def content(piece: Hit | StoredChunk) -> Json:
    """A part of a search result's `content`: text, and beyond the API where in its file the text is.

    `start` and `end` are offsets in the text of the whole file, in characters. `page` (or slide) and `line`
    count from 1, and are there for kinds of files that have them; `heading` is there below a heading.
    """
    place: Json = {"start": piece.start, "end": piece.end}
    if piece.page is not None:
        place["page"] = piece.page
    if piece.line is not None:
        place["line"] = piece.line
    if piece.heading:
        place["heading"] = piece.heading
    return {"type": "text", "text": piece.text, **place}
