"""What a run's tools have made and found, on its way into the run's messages."""

from assistants_tui.protocol.objects import Json


class RunArtifacts:
    """Files that code has made and passages that were found so far, and what of it no message shows yet."""

    def __init__(self) -> None:
        self.markers: dict[str, Json] = {}
        """By the text that a model writes to link or to cite something: what its annotation says of it."""
        self.new_images: list[str] = []
        self._new_files: list[str] = []

    def add_image(self, file_id: str) -> None:
        """An image that the next message shows."""
        self.new_images.append(file_id)

    def add_file(self, name: str, file_id: str) -> None:
        """A file below /mnt/data, which the next message has as an attachment, and links if it names it."""
        self.markers[f"sandbox:/mnt/data/{name}"] = {"type": "file_path", "file_path": {"file_id": file_id}}
        self._new_files.append(file_id)

    def add_passage(self, marker: str, file_id: str) -> None:
        """A passage of a file, which messages cite by its marker."""
        self.markers[marker] = {"type": "file_citation", "file_citation": {"file_id": file_id}}

    def kept(self) -> Json:
        """All of it as JSON, for a run that waits; `resume` takes it up again."""
        return {"markers": self.markers, "new_images": self.new_images, "new_files": self._new_files}

    def resume(self, kept: Json) -> None:
        """Go on with what `kept` gave."""
        self.markers.update(kept["markers"])
        self.new_images += kept["new_images"]
        self._new_files += kept["new_files"]

    def take_new(self) -> tuple[list[str], list[Json]]:
        """Images and attachments for the message that begins."""
        images, self.new_images = self.new_images, []
        files, self._new_files = self._new_files, []
        tools = [{"type": "code_interpreter"}]
        return images, [{"file_id": file_id, "tools": tools} for file_id in dict.fromkeys(files)]
