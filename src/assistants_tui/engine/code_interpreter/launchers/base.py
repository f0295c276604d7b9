"""What every way of confining the kernel shares: the Python it runs, its environment, its orders."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from assistants_tui.engine.code_interpreter.execution import GIB, Limits
from assistants_tui.process_memory import NO_CORE_DUMP

GUEST = Path(__file__).resolve().parent.parent / "guest"

_START = "import sys; sys.path.insert(0, sys.argv[1]); from guest.boot import main; main(sys.argv[2:])"


class LauncherError(Exception):
    """This way of confining code cannot work here; the text says why, for the user."""


@dataclass(frozen=True, slots=True)
class SandboxPaths:
    """Folders of one process in the sandbox, as the host sees them.

    `run` holds its sockets, `data` is the thread's /mnt/data, `home` is a scratch folder for a sandbox that
    has no file system of its own for that, `fonts` holds matplotlib's list of fonts if there is one yet.
    """

    run: Path
    data: Path
    home: Path
    fonts: Path | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """What to start. `descriptors` are inherited by the process and closed by whoever starts it."""

    argv: list[str]
    environment: dict[str, str]
    descriptors: tuple[int, ...] = ()


class Launcher(Protocol):
    """One way of confining a process."""

    @property
    def name(self) -> str: ...

    @property
    def sentence(self) -> str:
        """What it keeps from code, told to the user."""

    @property
    def user(self) -> int | None:
        """The number of the user that code runs as; None: as the user of this process."""

    def data_inside(self, paths: SandboxPaths) -> str:
        """Where code finds the thread's files."""

    def run_inside(self, paths: SandboxPaths) -> str:
        """Where code finds the folder of its sockets."""

    def command(self, paths: SandboxPaths, limits: Limits, order: Mapping[str, Any]) -> Command:
        """How to start a process with an order for `guest.boot`. Raises LauncherError."""


def python(folder: str, order: Mapping[str, Any]) -> list[str]:
    """The command line of a process that carries out an order; `folder` is where `guest` lies inside."""
    order = {"paths": package_paths(), "home_of_this": folder, **order}
    return [os.path.normpath(sys.executable), "-I", "-c", _START, folder, json.dumps(order)]


def resources(limits: Limits) -> dict[str, int]:
    """Limits that the system enforces on each process (setrlimit(2))."""
    return {
        # address space that is never touched costs nothing and is plenty: threads' stacks, OpenBLAS, numpy
        "AS": limits.memory + GIB,
        "FSIZE": limits.file_bytes,
        "NOFILE": limits.open_files,
        "CORE": NO_CORE_DUMP,
        # counted for all programs of a user together
        "SIGPENDING": 256,
        "MSGQUEUE": 0,
        # who works with sound may take the processors for good
        "RTPRIO": 0,
        "NICE": 0,
    }


def environment(home: str, **more: str) -> dict[str, str]:
    """The whole environment of the process: nothing of the user's own."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "sandbox",
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        # each thread of a numeric library reserves address space
        "OPENBLAS_NUM_THREADS": "2",
        "OMP_NUM_THREADS": "2",
        "MKL_NUM_THREADS": "2",
        "MALLOC_ARENA_MAX": "2",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        **more,
    }


def variables() -> list[str]:
    """Every name that may be in the environment of the process, those that it sets itself included."""
    return [*environment(""), "TMPDIR", "JPY_PARENT_PID", "PWD", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"]


def package_paths() -> list[str]:
    """Folders of packages that isolated Python does not find by itself, such as the user's own."""
    spec = importlib.util.find_spec("ipykernel")
    if spec is None or spec.origin is None:
        raise LauncherError("ipykernel is not installed")
    folder = Path(spec.origin).parent.parent
    return [] if any(folder.is_relative_to(prefix) for prefix in _prefixes()) else [str(folder)]


def python_folders() -> list[str]:
    """The folders to be readable so that Python and its packages run; /usr is taken for granted.

    Raises LauncherError when such a folder is or holds the home folder: reading it would be no confinement.
    """
    wanted = {*_prefixes(), *map(Path, package_paths())}
    wanted |= {path.resolve() for path in wanted}
    home = Path.home().resolve()
    for path in wanted:
        if home.is_relative_to(path):
            raise LauncherError(f"Python is installed in {path}, together with your own files")
    wanted = {path for path in wanted if path.is_dir() and not path.is_relative_to("/usr")}
    return sorted(
        str(path)
        for path in wanted
        if not any(path != other and path.is_relative_to(other) for other in wanted)
    )


def _prefixes() -> set[Path]:
    executable = Path(sys.executable).resolve()
    return {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), executable.parent.parent}


def as_root() -> str:
    """What a launcher says of itself in addition when code in it runs as root; empty if it does not."""
    return " Code runs as root, without root's rights." if os.geteuid() == 0 else ""


def existing(*paths: str) -> list[str]:
    return [path for path in paths if Path(path).exists()]
