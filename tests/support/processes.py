"""The processes that a test has started, any of which can end while they are being looked at."""

import psutil

from support.patience import until


def running(text: str = "", *, below: int | None = None) -> list[psutil.Process]:
    """What `below` (this process, unless told) has started, whose command line contains the text."""
    found = []
    for process in psutil.Process(below).children(recursive=True):
        try:
            if process.status() != psutil.STATUS_ZOMBIE and text in command_line(process):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def command_line(process: psutil.Process) -> str:
    """Its words; none if it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def status(process: psutil.Process) -> str:
    """One of psutil's; "zombie" also if nothing is left of it."""
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


async def until_ended(pid: int) -> None:
    """Wait until a process has ended, which may be nobody's child any more."""

    def ended() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    await until(f"process {pid} has ended", ended)
