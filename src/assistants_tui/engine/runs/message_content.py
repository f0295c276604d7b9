"""The content of a message while a run writes it: its parts so far, and the deltas that announce them."""

from assistants_tui.protocol.objects import Json


class MessageContent:
    """Images first, then one part of text, then one of refusal: each present once it has something."""

    def __init__(self, image_ids: list[str]) -> None:
        self._images = image_ids
        self._text: list[str] = []
        self._length = 0
        self._annotations: list[Json] = []
        self._refusal: list[str] = []

    def image_deltas(self) -> list[Json]:
        """One delta for each image."""
        return [{"index": index, **_image(file_id)} for index, file_id in enumerate(self._images)]

    def add_text(self, text: str) -> Json:
        """Append text; its delta."""
        value: Json = {"value": text} if self._text else {"value": text, "annotations": []}
        self._append(text)
        return {"index": self._text_index, "type": "text", "text": value}

    def discard_text(self) -> None:
        """Begin the text anew."""
        self._text, self._length, self._annotations = [], 0, []

    def add_marker(self, marker: str, meaning: Json) -> Json:
        """Append a marker with the annotation that says which file it links or cites; both in one delta.

        Citations have an empty `quote` in the delta and none in the message: so does the service.
        """
        annotation = {
            "text": marker,
            "start_index": self._length,
            "end_index": self._length + len(marker),
            **meaning,
        }
        self._append(marker)
        self._annotations.append(annotation)
        announced = {"index": len(self._annotations) - 1, **annotation}
        if "file_citation" in announced:
            announced["file_citation"] = {**announced["file_citation"], "quote": ""}
        return {
            "index": self._text_index,
            "type": "text",
            "text": {"value": marker, "annotations": [announced]},
        }

    def add_refusal(self, text: str) -> Json:
        """Append to the refusal; its delta."""
        self._refusal.append(text)
        return {"index": self._text_index + bool(self._text), "type": "refusal", "refusal": text}

    def parts(self) -> list[Json]:
        """The content so far, as in the message object."""
        parts = [_image(file_id) for file_id in self._images]
        if self._text:
            self._text = ["".join(self._text)]
            text = {"value": self._text[0], "annotations": list(self._annotations)}
            parts.append({"type": "text", "text": text})
        if self._refusal:
            parts.append({"type": "refusal", "refusal": "".join(self._refusal)})
        return parts

    @property
    def _text_index(self) -> int:
        return len(self._images)

    def _append(self, text: str) -> None:
        self._text.append(text)
        self._length += len(text)


def _image(file_id: str) -> Json:
    return {"type": "image_file", "image_file": {"file_id": file_id, "detail": "auto"}}
