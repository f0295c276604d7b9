"""What goes into the code interpreter and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MIB = 1 << 20
GIB = 1 << 30

UNCONFINED = "unconfined"
"""The name of the sandbox that is none."""

WithoutSandbox = Literal["refuse", "ask", "run"]
"""What becomes of code where no sandbox holds: it is refused, the user is asked about each block of it, or it
runs all the same."""

DATA = "/mnt/data"
"""Where code finds the thread's files, as in the hosted code interpreter."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the code of one thread may use. Reaching a limit ends in a plain sentence, never in a hang."""

    seconds: float = 120.0
    """Time of one call. The code is interrupted then, and killed when it ignores that."""
    grace_seconds: float = 3.0
    """Time that interrupted code has to end before its process is killed."""
    idle_seconds: float = 3600.0
    """A session that was not used for so long is closed: variables are lost, files stay."""
    sessions: int = 8
    """Sessions alive at once. One more closes an idle one, or waits for one."""
    sessions_per_owner: int | None = None
    """Sessions alive at once of one owner; None for all of them."""
    memory: int = 2 * GIB
    """Bytes of memory, all processes of a session together."""
    processes: int = 64
    """Processes and threads of a session."""
    open_files: int = 512
    """Open files of one process."""
    file_bytes: int = 512 * MIB
    """Bytes of one file; the hosted API has the same limit for an uploaded file."""
    disk: int = GIB
    """Bytes in /mnt/data, deleted files that are still open included."""
    files: int = 5000
    """Files and folders in /mnt/data."""
    scratch: int = 256 * MIB
    """Bytes of temporary files."""
    shared_memory: int = 64 * MIB
    """Bytes in /dev/shm, where that is a file system of its own."""
    output_chars: int = 200_000
    """Characters of text that one call may write; the rest is dropped with a note."""
    images: int = 20
    """Pictures that one call may show; the rest is dropped with a note."""
    image_bytes: int = 16 * MIB
    """Bytes of one picture. One that has more is left out with a note."""
    all_images_bytes: int = 32 * MIB
    """Bytes of all pictures of one call."""
    created_files: int = 100
    """Files that one call may hand back; the rest stays in /mnt/data, with a note."""


@dataclass(frozen=True, slots=True)
class Logs:
    """Text: stdout, stderr, the value of the last expression, a traceback, or a note of ours."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that code showed, such as a matplotlib figure. `data` is untrusted bytes."""

    name: str
    media_type: str
    data: bytes


Output = Logs | Image


@dataclass(frozen=True, slots=True)
class CreatedFile:
    """A file that a call created or changed.

    `name` is the path below /mnt/data, every part of it made safe to show and to store. `path` is a copy of
    the bytes under an opaque name: it belongs to the caller, who moves it away before the thread's next call
    deletes it.
    """

    name: str
    path: Path
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Execution:
    """How a call ended.

    `ok`: the code ran. `error`: it raised an exception, or could not be started. `timeout`: it was stopped at
    the time limit. `killed`: it was stopped at another limit, on request, or its process ended. `error` is
    the traceback or a plain sentence, and has been sent as the last `Logs` too; it is None after `ok`.
    """

    status: Literal["ok", "error", "timeout", "killed"]
    error: str | None = None
    files: tuple[CreatedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How code is kept from the rest of the computer, after trying it out.

    `sentence` is for the user. `reason`, when not available, says what failed and what would help.
    """

    available: bool
    name: str
    sentence: str
    reason: str = ""

    @property
    def confines(self) -> bool:
        """Whether it keeps code from anything: `unconfined` code can do what its user can."""
        return self.available and self.name != UNCONFINED
