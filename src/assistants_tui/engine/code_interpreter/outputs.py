"""From the kernel's messages to logs and images, within the limits of one call."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .execution import DATA, MIB, Image, Limits, Logs, Output
from .media import is_image
from .overwritten_text import OverwrittenText

_IMAGE_TYPES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/svg+xml": "svg"}
SHOWN = [*_IMAGE_TYPES, "text/plain"]
"""The media types of which something is shown."""

LOST = "lost"
"""The kind of a message that stands for some that did not come."""
NOT_READ = "not_read"
"""The kind of a message that stands for one that has too many values."""

_OVERWRITTEN = 20  # times the limit of characters: what lines that overwrite themselves may have on the way
_TRACEBACK_CHARS = 10_000  # kept besides the limit, so that a flood does not hide the error that ended it
_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_UNSTORABLE = re.compile("[\\0\\ud800-\\udfff]")
_MISSING = re.compile(r"No module named '([A-Za-z0-9_]+)")


class OutputReader:
    """Reads the messages of one call. `folder` is where code really finds /mnt/data.

    `module_advice` says what to do about modules that are missing.
    """

    def __init__(self, limits: Limits, folder: str, module_advice: Mapping[str, str]) -> None:
        self.error: str | None = None
        """The traceback of the exception that ended the code."""
        self._limits = limits
        self._folder = folder
        self._module_advice = module_advice
        self._chars = 0
        self._unread = _OVERWRITTEN * limits.output_chars
        self._images = 0
        self._images_dropped = False
        self._shown: set[bytes] = set()  # hashes of images: a figure is displayed, and its cell returns it
        longest = limits.output_chars + 1  # one more than is shown, so that the cut is noticed
        self._streams = {name: OverwrittenText(longest) for name in ("stdout", "stderr")}

    def read(self, kind: str, content: Mapping[str, Any]) -> Iterator[Output]:
        """What a message about the running code says to the user. Unknown kinds say nothing."""
        match kind:
            case "stream":
                name = "stderr" if content.get("name") == "stderr" else "stdout"
                text = _string(content.get("text"))[: self._unread]
                self._unread -= len(text)
                yield from self._text(self._streams[name].write(text))
            case "execute_result" | "display_data" | "update_display_data":
                data = content.get("data")
                if isinstance(data, dict):
                    yield from self.rest()
                    yield from self._display(data)
            case "error":
                yield from self.rest()
                yield from self._error(content)
            case "lost":
                yield Logs("[Some output was lost.]\n")
            case "not_read":
                yield from self._text("[Output of very many values was not read.]\n")

    def rest(self) -> Iterator[Output]:
        """Lines that were still being overwritten, as they stand: at the end of the code."""
        for stream in self._streams.values():
            yield from self._text(stream.rest())

    def _text(self, text: str) -> Iterator[Logs]:
        left = self._limits.output_chars - self._chars
        if left < 0 or not text:
            return
        text = text.replace(self._folder, DATA)
        self._chars += len(text)
        if left:
            yield Logs(_clean(text[:left]))
        if len(text) > left:
            self._chars = self._limits.output_chars + 1
            yield Logs(f"\n[Output was cut at {self._limits.output_chars:,} characters.]\n")

    def _display(self, data: Mapping[str, Any]) -> Iterator[Output]:
        too_large = False
        for media_type, suffix in _IMAGE_TYPES.items():
            if media_type not in data:
                continue
            image = self._image(media_type, data[media_type])
            if image is None or len(image) > self._limits.image_bytes:
                too_large = True
            elif is_image(media_type, image[:512]):
                digest = hashlib.sha256(image).digest()
                if digest in self._shown:
                    return
                self._shown.add(digest)
                self._images += 1
                if self._images <= self._limits.images:
                    yield Image(f"image-{self._images}.{suffix}", media_type, image)
                elif not self._images_dropped:
                    self._images_dropped = True
                    yield Logs(f"[Only {self._limits.images} images of one call are shown.]\n")
                return
        if too_large:
            yield from self._text(
                f"[A picture was too large to be shown. One may have {self._limits.image_bytes // MIB} MiB, "
                f"all of one call {self._limits.all_images_bytes // MIB} MiB.]\n"
            )
        if text := _string(data.get("text/plain")):
            yield from self._text(f"{text}\n")

    def _image(self, media_type: str, value: Any) -> bytes | None:
        """The bytes of a picture, None for one that the kernel has left out because it is too large."""
        if value is None:
            return None
        if media_type == "image/svg+xml":
            return _string(value).encode("utf-8", "replace")
        try:
            return base64.b64decode(_string(value))
        except ValueError:
            return b""

    def _error(self, content: Mapping[str, Any]) -> Iterator[Logs]:
        name, value = _string(content.get("ename")), _string(content.get("evalue"))
        if name == "SystemExit" and value in ("", "0", "None"):
            return
        lines = content.get("traceback")
        text = "\n".join(map(_string, lines)) if isinstance(lines, list) else ""
        text = _ends(text or f"{name}: {value}", 10 * _TRACEBACK_CHARS)
        text = _ends(_ESCAPE.sub("", text).replace(self._folder, DATA), _TRACEBACK_CHARS)
        if name == "ModuleNotFoundError":
            text += f"\n{self._missing_module(value)}"
        self.error = _clean(text)
        yield Logs(f"{self.error}\n")

    def _missing_module(self, message: str) -> str:
        """What to do about a module that Python did not find, given the text of its exception."""
        found = _MISSING.search(message)
        name = found[1] if found else "This module"
        if advice := self._module_advice.get(name):
            return f"{name} is not installed on the computer that runs this code. {advice}"
        return f"{name} is not available in the code interpreter, which has no network to install it from."


def _ends(text: str, chars: int) -> str:
    """The beginning and the end of a long text."""
    return text if len(text) <= chars else f"{text[: chars // 5]}\n[...]\n{text[-chars * 4 // 5 :]}"


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _clean(text: str) -> str:
    """Text that can be encoded and stored: JSON can hold halves of characters, and databases want no NUL."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
