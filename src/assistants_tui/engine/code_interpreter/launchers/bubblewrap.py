"""Linux namespaces through bubblewrap: a file system, process list and network of its own."""

from __future__ import annotations

import os
import platform
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from assistants_tui.engine.code_interpreter.execution import DATA, Limits
from assistants_tui.engine.code_interpreter.guest import seccomp

from . import bundled
from .base import (
    GUEST,
    Command,
    LauncherError,
    SandboxPaths,
    as_root,
    environment,
    existing,
    python,
    python_folders,
    resources,
)

_HOME = "/tmp/home"  # noqa: S108 - inside the sandbox
_RUN = "/run/kernel"
_GUEST = "/opt"
_FACTS = ("/proc/cpuinfo", "/proc/loadavg", "/proc/meminfo", "/proc/stat", "/proc/uptime")


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """`program` is the path of a `bwrap` of version 0.8 or newer.

    Root may name another `user` for code. Bubblewrap then needs no user namespace, in which root could only
    be given another number, but stay the owner of the host's files.
    """

    program: str
    user: int | None = None
    name: str = "bubblewrap"

    @property
    def sentence(self) -> str:
        if self.user is None:
            return f"Sandboxed: no network, no access to your files.{as_root()}"
        return f"Sandboxed: no network, no access to your files. Code runs as the user nobody ({self.user})."

    def data_inside(self, paths: SandboxPaths) -> str:
        return DATA

    def run_inside(self, paths: SandboxPaths) -> str:
        return _RUN

    def command(self, paths: SandboxPaths, limits: Limits, order: Mapping[str, Any]) -> Command:
        if self.program == bundled.program():
            bundled.verify(self.program)
        # a setuid bwrap has had holes of its own (CVE-2026-41163)
        if Path(self.program).stat().st_mode & stat.S_ISUID:
            raise LauncherError(f"{self.program} is setuid root")
        if platform.machine() not in seccomp.ARCHITECTURES:
            raise LauncherError(f"there is no filter of system calls for {platform.machine()}")
        folders = python_folders()  # before the pipe, which would be left open if there are none to be had
        read_end, write_end = os.pipe()
        with os.fdopen(write_end, "wb") as pipe:  # the program fits into any pipe
            pipe.write(seccomp.program(platform.machine()))
        variables = environment(_HOME, TMPDIR="/tmp")  # noqa: S108 - inside the sandbox
        limits_inside = {**resources(limits), "NPROC": self._processes(limits)}
        argv = [
            self.program,
            *self._namespaces(),
            *("--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"),
            *(word for item in variables.items() for word in ("--setenv", *item)),
            *_system(),
            *_facts(),
            *("--dev", "/dev"),
            *("--perms", "1777", "--size", str(limits.shared_memory), "--tmpfs", "/dev/shm"),  # noqa: S108
            *("--perms", "1777", "--size", str(limits.scratch), "--tmpfs", "/tmp"),  # noqa: S108
            *("--perms", "0777", "--dir", _HOME, "--perms", "0777", "--dir", f"{_HOME}/matplotlib"),
            *(word for path in folders for word in _mount("--ro-bind", path, path)),
            *_mount("--ro-bind", str(GUEST), f"{_GUEST}/{GUEST.name}"),
            *_fonts(paths),
            # nothing may be mounted below these two: code could plant a symbolic link for bwrap to follow
            # out of the sandbox when it starts the next time (CVE-2026-87766)
            *_mount("--bind", str(paths.data), DATA),
            *_mount("--bind", str(paths.run), _RUN),
            # these are writable memory without a limit otherwise
            *("--remount-ro", "/dev", "--remount-ro", "/"),
            *("--chdir", "/", "--seccomp", str(read_end), "--"),
            *python(_GUEST, {"limits": limits_inside, "user": self.user, "work_in": DATA, **order}),
        ]
        return Command(argv, {}, (read_end,))

    def _namespaces(self) -> list[str]:
        if self.user is None:
            words = ["--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"]
            return [*words, "--uid", "1000", "--gid", "1000"]
        words = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        # the first thing that `guest` does is to change the user, and with that to lose these
        return [*words, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]

    def _processes(self, limits: Limits) -> int:
        """A user namespace counts its own processes; without one, those of all sessions count together."""
        return limits.processes if self.user is None else limits.processes * limits.sessions


def _facts() -> list[str]:
    """Arguments for a /proc that has only the numbers of processors and memory.

    A real one has settings of the whole machine that root may change (with kernel.core_pattern, code had a
    program run on the host), shows paths of the host in each process's mountinfo and in bwrap's own command
    line, and cannot be mounted at all in many containers.
    """
    words = ["--size", "4096", "--tmpfs", "/proc"]
    for path in existing(*_FACTS):
        words += ["--ro-bind", path, path]
    return [*words, "--remount-ro", "/proc"]


def _system() -> list[str]:
    """Arguments for the parts of the system that programs need, read-only."""
    words = ["--ro-bind", "/usr", "/usr"]
    for folder in existing("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        if Path(folder).is_symlink():
            words += ["--symlink", str(Path(folder).readlink()), folder]
        else:
            words += ["--ro-bind", folder, folder]
    for path in existing(
        "/etc/ld.so.cache",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d",
        "/etc/alternatives",
        "/etc/fonts",
        "/etc/localtime",
        "/etc/mime.types",
        "/nix/store",
        "/gnu/store",
    ):
        words += _mount("--ro-bind", path, path)
    return words


def _mount(how: str, source: str, target: str) -> list[str]:
    """Arguments that mount a folder or file; the folders above it are made for every user to pass."""
    above = [path for path in reversed(PurePosixPath(target).parents) if path != PurePosixPath("/")]
    words = [word for path in above for word in ("--perms", "0755", "--dir", str(path))]
    return [*words, how, source, target]


def _fonts(paths: SandboxPaths) -> list[str]:
    lists = sorted(paths.fonts.glob("fontlist-*.json")) if paths.fonts else []
    return [word for path in lists for word in ("--ro-bind", str(path), f"{_HOME}/matplotlib/{path.name}")]
