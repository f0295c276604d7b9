"""Which files of its folder a Python file can import: what it is, is also what they are."""

import ast
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from assistants_tui.service.functions.source import SourceError

MAX_FILES = 500
"""Files that one file of functions may import from its folder."""
MAX_BYTES = 20_000_000
"""Their bytes altogether."""
_CODE = frozenset({".py", ".pyc", ".pyd", ".so"})
_ANYTHING = frozenset({"importlib", "runpy", "pkgutil", "imp", "__import__", "exec", "eval", "compile"})
"""Names with which a file can import what nobody sees in it."""


class Folder:
    """The modules of a folder at one moment. Blocks on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._modules: dict[str, list[Path]] = {}
        for entry in path.iterdir():
            if entry.is_dir():
                if entry.name.isidentifier() and entry.name != "__pycache__":
                    self._modules[entry.name] = []
            elif entry.suffix in _CODE:
                self._modules.setdefault(entry.name.partition(".")[0], []).append(entry)

    def imported(self, file: Path, source: str) -> dict[str, str]:
        """The SHA-256 of each file that `file` can import, also through others, by its path in the folder.

        A file that imports by names which it works out can import all of them. Raises `SourceError` when
        there are too many.
        """
        digests: dict[str, str] = {}
        total = 0
        sources, done = [source], {file.stem}
        while sources:
            wanted = _names(sources.pop())
            for name in (
                self._modules.keys() - done if wanted is None else wanted & self._modules.keys() - done
            ):
                done.add(name)
                for path in self._files(name):
                    data = _bytes(path)
                    total += len(data)
                    digests[path.relative_to(self._path).as_posix()] = hashlib.sha256(data).hexdigest()
                    if len(digests) > MAX_FILES or total > MAX_BYTES:
                        raise SourceError(
                            f"It imports more than {MAX_FILES} files or {MAX_BYTES // 1_000_000} MB of this "
                            "folder. Install them as a package, or move them out of it."
                        )
                    if path.suffix == ".py":
                        sources.append(data.decode(errors="replace"))
        return dict(sorted(digests.items()))

    def _files(self, name: str) -> Iterable[Path]:
        yield from self._modules[name]
        inside = self._path / name
        if inside.is_dir():
            yield from (path for path in inside.rglob("*") if path.suffix in _CODE and path.is_file())


def fingerprint(source: str, imported: Mapping[str, str]) -> str:
    """Differs when a file, or one that it imports, has become another one."""
    digest = hashlib.sha256(source.encode())
    for name, content in imported.items():
        digest.update(f"\0{name}\0{content}".encode())
    return digest.hexdigest()


def _names(source: str) -> set[str] | None:
    """The top-level modules that a source imports; None: perhaps any."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Name) and node.id in _ANYTHING:
            return None
    return None if names & _ANYTHING else names


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
