"""Code that hides what it takes, from walks over its folder, lists of open files and counts of memory.

Each once got past the limits. It is ended or refused, and the next call of the thread finds the files
that were there before, and a kernel that works.
"""

import os
import tempfile
from pathlib import Path

import pytest

from support.code_interpreter import OpenInterpreter, Thread

MIB = 1 << 20
TIGHT = {
    "seconds": 20,
    "memory": 300 * MIB,
    "disk": 48 * MIB,
    "file_bytes": 32 * MIB,
    "files": 200,
    "processes": 32,
    "open_files": 128,
    "scratch": 16 * MIB,
    "shared_memory": 8 * MIB,
}
DISK = "more than 48 MiB to /mnt/data"
MEMORY = "more than 300 MiB of memory"

PRELUDE = """
import ctypes, itertools, mmap, os, shutil, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def fill(folder, count=9):
    for n in range(count):
        with open(f'{folder}/{n}', 'wb') as file: file.write(b'x' * (8 << 20))
"""

# what code does: what the user and the model are told
ANYWHERE = {
    "a folder that nobody may list": ("os.mkdir('/mnt/data/d', 0o300); fill('/mnt/data/d')", DISK),
    "a folder that nobody may enter": (
        "for n in range(4):\n"
        "  os.mkdir(f'/mnt/data/{n}'); fill(f'/mnt/data/{n}', 2); os.chmod(f'/mnt/data/{n}', 0o400)\n"
        "  time.sleep(0.2)",
        DISK,
    ),
    "a path longer than the system takes": (
        "os.chdir('/mnt/data')\nfor _ in range(20): os.mkdir('x' * 250); os.chdir('x' * 250)\nfill('.')",
        DISK,
    ),
    "locks on parts of files": (
        "import fcntl\nfiles = [open(f'/mnt/data/{n}', 'w+b') for n in range(60)]\n"
        "for n in range(300):\n  for file in files: fcntl.lockf(file, fcntl.LOCK_EX, 1, 2 * n)",
        "it locked more than 10,000 parts of files",
    ),
    "a deep tree": (
        "os.chdir('/mnt/data')\nfor _ in range(150): os.mkdir('d'); os.chdir('d')",
        "folders more than 64 deep",
    ),
    "deleted files that are mapped": (
        "libc.mmap.restype = ctypes.c_void_p\n"
        "libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]\n"
        "for n in range(9):\n"
        "  with open(f'/mnt/data/{n}', 'w+b') as file:\n"
        "    file.write(b'x' * (8 << 20)); file.flush(); libc.mmap(None, 4096, 1, 2, file.fileno(), 0)\n"
        "  os.unlink(f'/mnt/data/{n}')",
        DISK,
    ),
    "shared memory of /dev/zero": (
        "maps = []\n"
        "with open('/dev/zero', 'r+b') as zero:\n"
        "  for _ in range(100):\n"
        "    m = mmap.mmap(zero.fileno(), 8 << 20); maps.append(m)\n"
        "    m.write(b'x' * (8 << 20)); m.madvise(mmap.MADV_DONTNEED)",
        MEMORY,
    ),
}

# what needs child processes, permissions or sockets that only a sandbox of its own file system has
CONTAINED = {
    "empty files in /tmp": (
        "for n in itertools.count(): open(f'/tmp/{n}', 'w').close(); time.sleep(0.001)",
        "more than 200 temporary files",
    ),
    "sockets that nobody accepts": (
        "server = socket.socket(socket.AF_UNIX); server.bind('/tmp/s'); server.listen(4000)\n"
        "for _ in range(4000):\n"
        "  with socket.socket(socket.AF_UNIX) as client:\n"
        "    client.connect('/tmp/s'); client.setblocking(False)\n"
        "    try:\n      while True: client.send(bytes(65536))\n"
        "    except BlockingIOError: pass",
        MEMORY,
    ),
    "a process whose first thread has ended": (
        "def take():\n  time.sleep(0.5); block = b'x' * (120 << 20); time.sleep(60)\n"
        "for _ in range(3):\n"
        "  if os.fork() == 0:\n"
        "    threading.Thread(target=take).start()\n"
        "    libc.syscall({'x86_64': 60, 'aarch64': 93}[os.uname().machine], 0)",
        MEMORY,
    ),
    "a folder whose name changes all the time": (
        "os.mkdir('/mnt/data/0'); folder = os.open('/mnt/data/0', os.O_RDONLY)\n"
        "if os.fork() == 0:\n"
        "  for n in itertools.count(): os.rename(f'/mnt/data/{n}', f'/mnt/data/{n + 1}')\n"
        "for n in range(9):\n"
        "  file = os.open(str(n), os.O_CREAT | os.O_WRONLY, dir_fd=folder)\n"
        "  os.write(file, b'x' * (8 << 20)); os.close(file)",
        "deleted",
    ),
    "a program that nobody may read": (
        "shutil.copy('/bin/sleep', '/mnt/data/program'); os.chmod('/mnt/data/program', 0o111)\n"
        "files = []\n"
        "for n in range(9):\n"
        "  file = open(f'/mnt/data/{n}', 'wb'); file.write(b'x' * (8 << 20)); file.flush()\n"
        "  os.unlink(file.name); files.append(file)\n"
        "  if n == 4:\n"
        "    subprocess.Popen(['/mnt/data/program', '60'], pass_fds=[file.fileno() for file in files])\n"
        "    for file in files: file.close()\n"
        "    files.clear()",
        "a process that cannot be measured" if os.getuid() else DISK,
    ),
}


async def ends(thread: Thread, code: str, told: str) -> None:
    assert (await thread.run("open('/mnt/data/kept.txt', 'w').write('kept')")).status == "ok"
    execution = await thread.run(f"{PRELUDE}{code}\ntime.sleep(20)")
    assert execution.status == "killed", (execution.status, thread.logs[-500:])
    assert told in str(execution.error)
    await thread.run("print(open('/mnt/data/kept.txt').read())")
    assert thread.logs == "kept\n"


@pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])
@pytest.mark.parametrize("name", ANYWHERE)
async def test_what_is_hidden_counts(open_interpreter: OpenInterpreter, sandbox: str, name: str) -> None:
    await ends(Thread(await open_interpreter(sandbox, **TIGHT)), *ANYWHERE[name])


@pytest.mark.parametrize("name", CONTAINED)
async def test_what_is_hidden_in_namespaces_counts(open_interpreter: OpenInterpreter, name: str) -> None:
    await ends(Thread(await open_interpreter("bubblewrap", **TIGHT)), *CONTAINED[name])


@pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])
async def test_deleted_files_on_another_disk_count(
    open_interpreter: OpenInterpreter, sandbox: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    with tempfile.TemporaryDirectory(dir=memory) as other:
        monkeypatch.setattr(tempfile, "tempdir", other)
        interpreter = await open_interpreter(sandbox, **TIGHT)
        await ends(
            Thread(interpreter),
            "from ipykernel.kernelapp import IPKernelApp\n"
            "folder = os.path.dirname(IPKernelApp.instance().abs_connection_file)\n"
            "files = []\n"
            "for n in range(9):\n"
            "  file = open(f'{folder}/{n}', 'wb'); file.write(b'x' * (8 << 20)); file.flush()\n"
            "  os.unlink(file.name); files.append(file)",
            DISK,
        )
        await interpreter.close()


# what no count could reach is refused, as an exception that code and model can see
REFUSED = {
    "descriptors in flight": (
        "a, b = socket.socketpair()\nsocket.send_fds(a, [b'x'], [os.open('/mnt/data', os.O_RDONLY)])"
    ),
    "locks that belong to no process": (
        "import fcntl, struct\n"
        "fcntl.fcntl(open('/mnt/data/f', 'wb'), 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 1, 0))"
    ),
    "shared memory without a file": "mmap.mmap(-1, 8 << 20)",
    "datagrams that wait": "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "attributes of files": "open('/mnt/data/f', 'w').close(); os.setxattr('/mnt/data/f', 'user.x', b'x')",
    "a thread with open files of its own": (
        "stack = ctypes.create_string_buffer(1 << 16)\n"
        "top = ctypes.c_void_p(ctypes.addressof(stack) + (1 << 16) - 64)\n"
        "if libc.clone(libc.pause, top, 0x100 | 0x200 | 0x800 | 0x10000, None) == -1:\n"
        "  raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))"
    ),
}


@pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])
async def test_what_cannot_be_counted_is_refused(open_interpreter: OpenInterpreter, sandbox: str) -> None:
    thread = Thread(await open_interpreter(sandbox, **TIGHT))
    for name, code in REFUSED.items():
        execution = await thread.run(f"{PRELUDE}{code}")
        assert execution.status == "error", (name, thread.logs)
        assert "not permitted" in thread.logs or "not supported" in thread.logs, (name, thread.logs)


@pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])
async def test_buffers_of_sockets_stay_as_they_are(open_interpreter: OpenInterpreter, sandbox: str) -> None:
    thread = Thread(await open_interpreter(sandbox, **TIGHT))
    size = "b.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)"
    await thread.run(
        f"{PRELUDE}a, b = socket.socketpair(); before = {size}\n"
        f"b.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22); print({size} == before)"
    )
    assert thread.logs == "True\n"
