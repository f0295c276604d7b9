"""Writing the user's files so that a crash, a full disk or a second window never costs what was in them."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

LOCK_TIMEOUT = 10.0
"""Seconds to wait for another window to finish its write."""


class SettingsError(Exception):
    """A file of the user could not be read or written. `str` says which, why, and what to do."""


def private_directory(path: Path) -> None:
    """Create `path` and its missing parents, open to the user alone (0700). What exists stays as it is."""
    if path.is_dir():
        return
    private_directory(path.parent)
    with contextlib.suppress(FileExistsError):  # another window was faster
        path.mkdir(mode=0o700)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that guards `path` against other windows and threads, for one read-modify-write.

    The lock is a file beside `path`, and the system releases it when its holder dies. Raises `SettingsError`
    when the directory cannot be written, or when the lock is not free within `LOCK_TIMEOUT` seconds.
    """
    import filelock  # 80 ms that the first frame must not wait for

    with writing(path):
        private_directory(path.parent)
        lock = filelock.FileLock(path.with_name(f".{path.name}.lock"), timeout=LOCK_TIMEOUT, mode=0o600)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise SettingsError(
                f"{path} is being written by another window and stayed locked for {LOCK_TIMEOUT:.0f} s. "
                "Close the other window, or try again."
            ) from None
    try:
        yield
    finally:
        lock.release()


def write_atomic(path: Path, data: bytes, *, backup: Path | None = None) -> None:
    """Replace the content of `path`: afterwards it holds all of `data` or all of what it held before.

    The file is readable by the user alone (0600). `backup` keeps the version that is replaced. The caller
    holds `locked(path)`. Raises `SettingsError` when the disk refuses, and when `path` is a symbolic link:
    replacing the link would part it from the file that the user keeps elsewhere, and writing through it could
    be a trap.
    """
    with writing(path):
        for target in (path, backup):
            if target is not None and target.is_symlink():
                raise SettingsError(
                    f"{target} is a symbolic link, so it was not written. Put a regular file in its place."
                )
        private_directory(path.parent)
        temporary = _written(path, data)
        if backup is not None and path.exists():
            _keep(path, backup)
        temporary.replace(path)
        _sync_directory(path.parent)


def _written(path: Path, data: bytes) -> Path:
    """A file with `data` beside `path`, on the disk and not just in the cache."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)  # left by a window that was killed
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _keep(path: Path, backup: Path) -> None:
    """Make `backup` the present version of `path`, which stays in place for whoever reads it now."""
    link = backup.with_name(f".{backup.name}.tmp")
    link.unlink(missing_ok=True)
    try:
        link.hardlink_to(path)
    except OSError:  # a file system without hard links
        link = _written(backup, path.read_bytes())
    link.replace(backup)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise `SettingsError` for what the disk refuses within the block."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError(f"{path} cannot be written: {reason}.") from error
