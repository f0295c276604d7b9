"""What a program says on standard error: read as it comes, of which the end is kept."""

import os
import threading
from typing import IO

KEPT = 16_000
"""Bytes that are kept, however much it says."""
_REST = 0.5
"""Seconds to wait for the rest when the program has ended; one that it started may hold the pipe."""


class LastWords:
    """A pipe for one program, which gets its end `file`. Call `close` when it has been started."""

    def __init__(self) -> None:
        reading, writing = os.pipe()
        self.file: IO[bytes] = os.fdopen(writing, "wb", buffering=0)
        self._kept = bytearray()
        self._reader = threading.Thread(target=self._read, args=(reading,), daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Close our end of the pipe: the reading stops when the program has ended."""
        self.file.close()

    def line(self) -> str:
        """The last line that is not empty. Blocks until the program has ended, but not for long."""
        self.close()
        self._reader.join(_REST)
        lines = bytes(self._kept).decode(errors="replace").splitlines()
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")

    def _read(self, pipe: int) -> None:
        try:
            while piece := os.read(pipe, 1 << 16):
                self._kept = (self._kept + piece)[-KEPT:]
        finally:
            os.close(pipe)
