"""Landlock, by which a process gives up access to files, TCP ports and other processes (landlock(7)).

Three system calls, numbered alike on every architecture. What a kernel newer than this file can restrict
besides is left as it is.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from enum import IntFlag

OLDEST = 3
"""The first version to rely on (Linux 6.2): before it, a file that may be read may also be emptied."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1


class Access(IntFlag):
    """What may be done to the files of a path, or to everything below a folder."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


READ = Access.READ_FILE | Access.READ_DIR | Access.EXECUTE
WRITE = (
    Access.READ_FILE
    | Access.READ_DIR
    | Access.WRITE_FILE
    | Access.TRUNCATE
    | Access.MAKE_REG
    | Access.MAKE_DIR
    | Access.MAKE_SOCK
    | Access.REMOVE_FILE
    | Access.REMOVE_DIR
    | Access.REFER
)
DEVICE = Access.READ_FILE | Access.WRITE_FILE
_OF_FILES = Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE | Access.IOCTL_DEV

# What each version can restrict: rights to files, to TCP ports, to abstract sockets and signals.
_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_PORTS = {1: 0, 4: 0b11}
_SCOPES = {1: 0, 6: 0b11}


def version() -> int:
    """The version that this system has; 0 if it has none."""
    try:
        return _call(_CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError:
        return 0


def restrict(allowed: Iterable[tuple[str, Access]]) -> None:
    """Give up, for good, everything that Landlock knows of but what is allowed below these paths.

    Binds the calling thread, which must have given up new privileges, and what it starts later. Raises
    OSError, such as where the system has no Landlock.
    """
    here = version()
    known = _of(_FILES, here)
    # an older system takes the longer structure if what it does not know is 0
    ruleset = struct.pack("=QQQ", known, _of(_PORTS, here), _of(_SCOPES, here))
    rules = _call(_CREATE_RULESET, ruleset, len(ruleset), 0)
    try:
        for path, access in allowed:
            _allow(rules, path, access & known)
        _call(_RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: str, access: int) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            access &= _OF_FILES
        _call(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", access, opened), 0)
    finally:
        os.close(opened)


def _of(table: dict[int, int], here: int) -> int:
    """What this version can restrict, or the first one, which an older system refuses."""
    return table[max(first for first in table if first <= max(here, 1))]


def _call(number: int, *arguments: object) -> int:
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result: int = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *wide)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
