"""macOS: a profile for `sandbox-exec`, in the manner of the ones that browsers and build tools use.

Apple calls the program deprecated and has no other for command-line tools. This profile has not been run on a
Mac by its authors; the probe decides on each machine whether it holds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistants_tui.engine.code_interpreter.execution import Limits

from .bare import environment_without_mounts, orders_without_mounts
from .base import GUEST, Command, LauncherError, SandboxPaths, python, python_folders, resources

_PROGRAM = "/usr/bin/sandbox-exec"

_PROFILE = """(version 1)
(deny default)
(allow process-exec {python})
; no process-fork: there is no limit of processes per sandbox, and a child could outlive it
(allow signal (target self))
(allow process-info* (target self))
(allow sysctl-read
  (sysctl-name-prefix "hw.") (sysctl-name-prefix "kern.os") (sysctl-name "kern.argmax") (sysctl-name
  "kern.hostname") (sysctl-name "kern.maxfilesperproc") (sysctl-name "kern.maxproc") (sysctl-name
  "kern.secure_kernel") (sysctl-name "kern.usrstack64") (sysctl-name "kern.version") (sysctl-name
  "machdep.cpu.brand_string") (sysctl-name "sysctl.proc_cputype") (sysctl-name "vm.loadavg"))
(allow file-read-metadata)
(allow file-read* (literal "/") (literal "/dev/null") (literal "/dev/zero") (literal "/dev/random")
  (literal "/dev/urandom") (literal "/private/etc/localtime") (subpath "/System/Library") (subpath "/usr/lib")
  (subpath "/usr/share") (subpath "/Library/Fonts") (subpath "/private/var/db/timezone")
  (subpath "/private/var/db/dyld") {guest} {python})
(allow file-map-executable (subpath "/System/Library") (subpath "/usr/lib") {python})
(allow file-write-data (require-all (literal "/dev/null") (vnode-type CHARACTER-DEVICE)))
(allow file-read* file-write* {writable})
(allow ipc-posix-sem)
(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))
; the only sockets are the kernel's own, and it only listens
(allow system-socket (socket-domain AF_UNIX))
(allow network-bind (local unix-socket {run}))
(allow network-inbound (local unix-socket {run}))
"""


@dataclass(frozen=True, slots=True)
class Seatbelt:
    name: str = "sandbox-exec"
    user: None = None

    @property
    def sentence(self) -> str:
        root = " Code runs as root." if os.geteuid() == 0 else ""
        return (
            "Sandboxed (reduced, not yet proven on macOS): code should not be able to read or change your "
            "files, use the network or start programs. It can see the name of this computer, and of a file "
            "or folder whose path it guesses whether it exists, its size, times, owner, rights and link "
            f"target.{root}"
        )

    @staticmethod
    def profile(paths: SandboxPaths) -> str:
        """The rules, in the language of sandbox profiles. Raises LauncherError."""
        return _PROFILE.format(
            python=" ".join(map(_subpath, python_folders())),
            guest=_subpath(str(GUEST)),
            writable=" ".join(_subpath(str(path)) for path in (paths.data, paths.run, paths.home)),
            run=_subpath(str(paths.run)),
        )

    def data_inside(self, paths: SandboxPaths) -> str:
        return str(paths.data.resolve())

    def run_inside(self, paths: SandboxPaths) -> str:
        return str(paths.run.resolve())

    def command(self, paths: SandboxPaths, limits: Limits, order: Mapping[str, Any]) -> Command:
        if not Path(_PROGRAM).exists():
            raise LauncherError(f"{_PROGRAM} does not exist")
        orders = {
            "limits": resources(limits),
            **orders_without_mounts(paths),
            "data": self.data_inside(paths),
            **order,
        }
        argv = [_PROGRAM, "-p", self.profile(paths), "--", *python(str(GUEST.parent), orders)]
        return Command(argv, environment_without_mounts(paths))


def _subpath(path: str) -> str:
    """A path in the profile's language. /tmp and /var are links on macOS, and rules are about real paths."""
    escaped = str(Path(path).resolve()).replace("\\", "\\\\").replace('"', '\\"')
    return f'(subpath "{escaped}")'
