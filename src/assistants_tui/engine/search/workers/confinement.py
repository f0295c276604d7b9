"""What a worker gives up before it touches a file."""

import contextlib
import platform
import resource
import site
import sys
import sysconfig
from pathlib import Path

import assistants_tui
from assistants_tui.process_memory import NO_CORE_DUMP


def limit(memory: int) -> None:
    """Cap the memory, in bytes, and everything that a reader never needs.

    macOS knows no limit of the address space; there, what a process may use is up to the system.
    """
    limits = {"AS": memory, "FSIZE": 0, "CORE": NO_CORE_DUMP}
    for name, value in limits.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def limit_time(seconds: int) -> None:
    """Let the process use that much processor time from now on, then be ended by the system (SIGXCPU)."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, hard))


def isolate() -> bool:
    """Give up the network and all files but the program's own, where the kernel can hold us to it.

    That is Linux 6.2 or newer. Returns whether it does; elsewhere a hook in the interpreter refuses sockets,
    which binds honest code only.
    """
    sys.addaudithook(_no_sockets)
    if sys.platform != "linux":
        return False
    from assistants_tui.engine.code_interpreter.guest import confine, landlock, seccomp

    if platform.machine() not in seccomp.ARCHITECTURES:
        return False
    try:
        if landlock.version() < landlock.OLDEST:
            return False
        confine.restrict(readable=_program(), writable=[], devices=[])
    except OSError:
        return False
    return True


def _no_sockets(event: str, _: object) -> None:
    if event.startswith("socket."):
        raise PermissionError("A document reader has no business with the network.")


def _program() -> list[str]:
    """Where the interpreter, its libraries and our package are, to import from later on."""
    roots = [
        sys.prefix,
        sys.base_prefix,
        sysconfig.get_path("stdlib"),
        *site.getsitepackages(),
        str(Path(assistants_tui.__file__).parent),
        *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache"),
    ]
    return sorted({root for root in roots if Path(root).exists()})
