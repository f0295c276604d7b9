"""Which launcher holds on this machine: each is tried with canary in the places that code must not reach."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from . import process_usage
from .execution import Limits, Sandbox
from .folder_owner import change_owner
from .launchers import Launcher, LauncherError, SandboxPaths, variables
from .process import ProcessEndedError, SandboxProcess

_SECONDS = 30.0
_OFF = "Code interpreter is off: this computer has no usable sandbox."


async def choose(
    launchers: Iterable[Launcher], paths: SandboxPaths, canary: Path, limits: Limits
) -> tuple[Launcher | None, Sandbox]:
    """The first launcher that holds, and what to tell the user.

    `paths` is for trying them out, `canary` a file of the user's that code must not get at.
    """
    failures = []
    for launcher in launchers:
        if failure := await _try(launcher, paths, canary, limits):
            failures.append(f"{launcher.name}: {failure}")
        else:
            return launcher, Sandbox(True, launcher.name, launcher.sentence)
    reason = "; ".join(dict.fromkeys(failures)) or f"There is no sandbox for {sys.platform}"
    return None, Sandbox(False, "none", _OFF, f"{reason}. {_advice()}".strip())


async def _try(launcher: Launcher, paths: SandboxPaths, file: Path, limits: Limits) -> str | None:
    """What went wrong, or None."""
    try:
        change_owner(paths, launcher.user)
    except OSError as error:
        return f"its folders cannot be given to the user {launcher.user}: {error.strerror}"
    end = secrets.token_hex(8)
    with _bait(paths, file, launcher) as canary:
        order = {
            "task": "probe",
            "canary": canary,
            "written": f"{launcher.data_inside(paths)}/probe",
            "environment": variables(),
            "end": end,
        }
        try:
            process = await SandboxProcess.start(launcher, paths, limits, order)
        except (OSError, LauncherError) as error:
            return str(error)
        try:
            async with asyncio.timeout(_SECONDS):
                await process.wait_for(end)
            failure = _judge(process, end, paths, launcher.user)
            return failure or await asyncio.to_thread(_out_of_control, process, limits)
        except TimeoutError:
            return f"no answer within {_SECONDS:.0f} seconds"
        except ProcessEndedError as error:
            return str(error)[-300:] or "no answer"
        finally:
            process.kill()
            await process.wait()


def _out_of_control(process: SandboxProcess, limits: Limits) -> str | None:
    """What we cannot do to the processes of the sandbox: root may lack the right to those of other users."""
    import psutil

    tree = process.tree()
    if process_usage.measure(tree, (), limits, exact=True).unseen:
        return "what code takes cannot be measured"
    for one in tree:
        try:
            one.suspend()
            one.resume()
        except psutil.AccessDenied:
            return "code cannot be stopped and let go on"
        except psutil.NoSuchProcess:
            continue
    return None


def _judge(process: SandboxProcess, end: str, paths: SandboxPaths, user: int | None) -> str | None:
    text = process.written.partition(end)[0].strip()
    answer: dict[str, Any] = json.loads(text.rpartition("\n")[2])
    possible = answer["possible"]
    if answer["process"] == process.pid:  # else the numbers name processes of the sandbox itself
        possible += answer["possible_by_number"]
    if possible:
        return f"code can still {', '.join(possible)}"
    try:
        owner = (paths.data / "probe").stat().st_uid
    except OSError:
        return "code cannot write to its own folder"
    if user is not None and owner != user:
        return f"code runs as the user {owner}"
    return None


@contextlib.contextmanager
def _bait(paths: SandboxPaths, file: Path, launcher: Launcher) -> Iterator[dict[str, Any]]:
    """What code must not get at: files, the packages, local services, this process.

    Where code runs as another user than root, one of the files lies in a folder that it can reach.
    """
    new = file.with_name(f"{file.name}-{secrets.token_hex(4)}")
    packages = Path(sys.prefix, f"canary-{secrets.token_hex(4)}")
    abstract = f"assistants-{secrets.token_hex(8)}"
    local = paths.home / "canary"
    of_root = paths.run / "canary"
    with contextlib.ExitStack() as stack:
        for made_by_code in (new, packages):
            stack.callback(made_by_code.unlink, missing_ok=True)
        stack.callback(local.unlink)
        if launcher.user is not None:
            of_root.touch(mode=0o600)
            stack.callback(of_root.unlink, missing_ok=True)
        port = _listen(stack, socket.AF_INET, ("127.0.0.1", 0)).getsockname()[1]
        _listen(stack, socket.AF_UNIX, str(local))
        if sys.platform == "linux":
            _listen(stack, socket.AF_UNIX, "\0" + abstract)
        yield {
            "file": str(file),
            "new": str(new),
            "packages": str(packages),
            "root's": f"{launcher.run_inside(paths)}/canary",
            "port": port,
            "socket": str(local),
            "abstract": abstract,
            "process": os.getpid(),
        }


def _listen(stack: contextlib.ExitStack, family: int, address: Any) -> socket.socket:
    server = stack.enter_context(socket.socket(family))
    server.bind(address)
    server.listen()
    return server


def _advice() -> str:
    """The one thing to do that most likely helps."""
    if sys.platform != "linux":
        return ""
    if _setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        return "Installing the system's bubblewrap helps: sudo apt install bubblewrap."
    if _setting("/proc/sys/user/max_user_namespaces") == "0":
        return "Allowing user namespaces helps: sudo sysctl user.max_user_namespaces=10000."
    if _setting("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        return "Allowing user namespaces helps: sudo sysctl kernel.unprivileged_userns_clone=1."
    return "Linux 6.2 or newer has what is needed, unless a container takes it away."


def _setting(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""
