"""What hostile code tries, and must not get: secrets, the network, other processes, other files, the machine.

Every attack prints BREACH with what it got, and TRIED at its end, so that one that could not even start does
not pass for one that failed.
"""

import contextlib
import ctypes
import json
import os
import secrets
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from assistants_tui.engine.code_interpreter import CodeInterpreter, Limits, Logs, Output, fonts

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the attacks are made for Linux"),
    pytest.mark.asyncio(loop_scope="module"),
]

PRELUDE = """
import ctypes, errno, glob, os, socket, stat, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
data = "/mnt/data"
def attempt(what, action):
    try:
        result = action()
    except Exception:
        return
    print("BREACH", what, repr(result)[:200])
def call(name, *numbers_and_arguments):
    number = {"x86_64": 0, "aarch64": 1}[os.uname().machine]
    result = libc.syscall(numbers_and_arguments[0][number], *numbers_and_arguments[1:])
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result
def connect(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as s:
        s.settimeout(1)
        s.connect(address)
def send_datagram(path):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    return a.sendto(b"hello", path)
def changes(action):
    action()
    now = os.stat(host["file"])
    if [now.st_mode, now.st_mtime_ns] == host["file_state"]:
        raise OSError("nothing changed")
"""

ATTACKS = {
    # secrets
    "read a private file": "attempt('read', lambda: open(host['file']).read())",
    "read another thread's file": "attempt('read', lambda: open(host['other_thread']).read())",
    "see the application's environment": "'SECRET' in str(dict(os.environ)) and print('BREACH', os.environ)",
    "read environments of processes": """
for path in glob.glob('/proc/[0-9]*/environ'):
    attempt(path, lambda: b'VICTIM_SECRET' in open(path, 'rb').read() or 1 / 0)
""",
    "go through another process's root": """
for path in glob.glob('/proc/[0-9]*/root') + glob.glob('/proc/[0-9]*/cwd'):
    attempt(path, lambda: open(path + host['file']).read())
""",
    "find the host's processes": """
for path in glob.glob('/proc/[0-9]*/cmdline'):
    attempt(path, lambda: b'victim-marker' in open(path, 'rb').read() or 1 / 0)
""",
    "list the private folder": "attempt('list', lambda: os.listdir(host['folder']))",
    "read a link's target": "attempt('readlink', lambda: os.readlink(host['link']))",
    "read a file's extended attributes": """
attempt('get', lambda: os.getxattr(host['file'], 'user.origin'))
attempt('list', lambda: os.listxattr(host['file']) or 1 / 0)
attempt('list of a link', lambda: os.listxattr(host['file'], follow_symlinks=False) or 1 / 0)
room, path = ctypes.create_string_buffer(80), host['file'].encode()
value = struct.pack('=QII', ctypes.addressof(room), 80, 0)
attempt('getxattrat', lambda: call('getxattrat', (464, 464), -100, path, 0, b'user.origin', value, 16))
attempt('listxattrat', lambda: call('listxattrat', (465, 465), -100, path, 0, room, 80))
attempt('file_getattr', lambda: call('file_getattr', (468, 468), -100, path, room, 24, 0))
""",
    "list the temporary folder": "attempt('list', lambda: host['temporary'] in os.listdir('/tmp') or 1 / 0)",
    "read the machine's files": """
for path in ('/etc/passwd', '/etc/shadow', '/etc/hostname', '/etc/machine-id', '/etc/hosts'):
    attempt(path, lambda: open(path).read())
""",
    "use inherited descriptors": """
def is_of_host(number):
    status = os.fstat(number)
    if [status.st_dev, status.st_ino] not in host['inodes']:
        raise OSError
for number in range(3, 256):
    attempt(number, lambda: is_of_host(number))
""",
    # network
    "connect to a local port": "attempt('tcp', lambda: connect(socket.AF_INET, ('127.0.0.1', host['port'])))",
    "connect to the outside": """
for address in ('1.1.1.1', '192.168.1.1', '10.0.0.1', '169.254.169.254'):
    attempt(address, lambda: connect(socket.AF_INET, (address, 443)))
""",
    "send datagrams": """
here = ('127.0.0.1', host['port'])
attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', here))
attempt('udp6', lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
""",
    "connect to an abstract socket": """
attempt('abstract', lambda: connect(socket.AF_UNIX, '\\0' + host['abstract']))
""",
    "connect to a socket file": "attempt('file', lambda: connect(socket.AF_UNIX, host['socket']))",
    "send to a datagram socket file": "attempt('sendto', lambda: send_datagram(host['datagram']))",
    "open unusual sockets": """
for family in (socket.AF_NETLINK, socket.AF_PACKET, socket.AF_VSOCK, socket.AF_ALG, 30, 38):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        attempt((family, kind), lambda: socket.socket(family, kind))
        attempt((family, kind, 'pair'), lambda: socket.socketpair(family, kind))
attempt('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
""",
    "download": """
import urllib.request
attempt('http', lambda: urllib.request.urlopen(f"http://127.0.0.1:{host['port']}/", timeout=1))
""",
    # other files
    "append to a private file": "attempt('append', lambda: open(host['file'], 'a').write('x'))",
    "create a file beside a private one": "attempt('create', lambda: open(host['folder'] + '/new', 'x'))",
    "poison installed packages": """
import IPython
for folder in {os.path.dirname(IPython.__file__), sys.prefix, sys.base_prefix, '/usr/bin', '/opt'}:
    attempt(folder, lambda: open(folder + '/poison.py', 'x'))
""",
    "change a file in the host's temporary folder": """
attempt('tmp', lambda: open(host['temporary_file'], 'r+').write('x'))
""",
    "change a file's mode, times and attributes": """
for action in (
    lambda: os.chmod(host['file'], 0o777),
    lambda: os.utime(host['file'], (1, 1)),
    lambda: os.setxattr(host['file'], 'user.attack', b'x'),
    lambda: os.chown(host['file'], 65534, 65534),
):
    attempt('metadata', lambda: changes(action))
readable = os.open(sys.executable, os.O_RDONLY)
def state():
    now = os.fstat(readable)
    return now.st_mode, now.st_mtime_ns, now.st_ctime_ns
before = state()
def changes_readable(action):
    action()
    if state() == before:
        raise OSError("nothing changed")
for action in (
    lambda: os.fchmod(readable, 0o777),
    lambda: os.utime(readable, (1, 1)),
    lambda: os.setxattr(readable, 'user.attack', b'x'),
):
    attempt('by descriptor', lambda: changes_readable(action))
""",
    "empty a file": """
attempt('truncate', lambda: os.truncate(host['file'], 0))
attempt('open', lambda: os.open(host['file'], os.O_RDONLY | os.O_TRUNC))
attempt('package', lambda: os.open(os.__file__, os.O_RDONLY | os.O_TRUNC))
""",
    "move, delete and link files": """
attempt('rename', lambda: os.rename(host['file'], host['folder'] + '/moved'))
attempt('unlink', lambda: os.unlink(host['file']))
attempt('link', lambda: os.link(host['file'], data + '/link'))
attempt('link of a readable file', lambda: os.link(os.__file__, data + '/link'))
attempt('steal', lambda: os.rename(host['file'], data + '/stolen'))
""",
    "swap its own folder": """
attempt('rename', lambda: os.rename(data, data + '-gone'))
attempt('rmdir', lambda: os.rmdir(data))
""",
    # other processes and the machine
    "kill processes": """
for pid in (host['victim'], host['application']):
    attempt(pid, lambda: os.kill(pid, 0))
attempt('queue', lambda: call('rt_sigqueueinfo', (129, 138), host['victim'], 0, 0))
attempt('pidfd', lambda: call('pidfd_open', (434, 434), host['victim'], 0))
""",
    "trace processes": """
for pid in (host['victim'], host['application']):
    attempt('attach', lambda: call('ptrace', (101, 117), 16, pid, 0, 0))
    attempt('read', lambda: call('process_vm_readv', (310, 270), pid, 0, 0, 0, 0, 0))
    attempt('memory', lambda: open(f'/proc/{pid}/mem', 'rb'))
""",
    "limit other processes": """
import resource
attempt('prlimit', lambda: resource.prlimit(host['victim'], resource.RLIMIT_NOFILE, (10, 10)))
attempt('priority', lambda: os.setpriority(os.PRIO_PROCESS, host['victim'], 19))
""",
    "have a signal sent to another process": """
import fcntl
ours, theirs = socket.socketpair()
for target in (host['victim'], -host['victim']):
    attempt('F_SETOWN', lambda: fcntl.fcntl(ours, fcntl.F_SETOWN, target))
    attempt('F_SETOWN_EX', lambda: fcntl.fcntl(ours, 15, struct.pack('=ii', 1, host['victim'])))
    attempt('FIOSETOWN', lambda: fcntl.ioctl(ours, 0x8901, struct.pack('=i', target)))
    attempt('SIOCSPGRP', lambda: fcntl.ioctl(ours, 0x8902, struct.pack('=i', target)))
""",
    "make others wait who open a file": """
import fcntl
with open(data + '/mine', 'w') as file:
    pass
for path in (data + '/mine', os.__file__, sys.executable):
    file = open(path)
    attempt(path, lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK))
    attempt(path, lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK))
""",
    "take more than its share of the processors": """
attempt('real time', lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
attempt('real time', lambda: os.sched_getscheduler(0) == os.SCHED_FIFO or 1 / 0)
attempt('priority', lambda: os.nice(-10))
import resource
for kind in (resource.RLIMIT_RTPRIO, resource.RLIMIT_NICE):  # of a user who works with sound, not 0 outside
    if resource.getrlimit(kind) != (0, 0):
        print('BREACH', kind, resource.getrlimit(kind))
""",
    "use up what all programs of a user share": """
import resource
for kind, most in ((resource.RLIMIT_SIGPENDING, 256), (resource.RLIMIT_MSGQUEUE, 0)):
    if resource.getrlimit(kind)[1] not in range(most + 1):
        print('BREACH', kind, resource.getrlimit(kind))
attempt('inotify', lambda: call('inotify_init1', (294, 26), 0))
""",
    "type into a terminal": """
import fcntl
for fd in (0, 1, 2):
    attempt('TIOCSTI', lambda: fcntl.ioctl(fd, 0x5412, b'x'))
attempt('tty', lambda: open('/dev/tty', 'w'))
""",
    "gain rights": """
if os.getuid():  # an application that runs as root has that number in some sandboxes, and none of its rights
    attempt('setuid', lambda: os.setuid(0))
attempt('chroot', lambda: os.chroot('/tmp'))
attempt('device', lambda: os.mknod(data + '/device', stat.S_IFBLK | 0o600, os.makedev(8, 0)))
header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
call('capget', (125, 90), header, sets)
if any(sets[:2] + sets[3:5]):
    print('BREACH', 'capabilities', list(sets))
if libc.prctl(39, 0, 0, 0, 0) != 1:
    print('BREACH', 'new privileges are possible')
""",
    "make namespaces": """
for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x8000000):
    attempt('unshare', lambda: call('unshare', (272, 97), flag))
    attempt('clone', lambda: call('clone', (56, 220), flag | 17, 0, 0, 0, 0) or os._exit(0))
attempt('clone3', lambda: call('clone3', (435, 435), ctypes.byref(ctypes.create_string_buffer(88)), 88))
""",
    "mount": """
for target in ('/', '/usr', '/mnt/data', '/dev'):
    attempt('remount', lambda: call('mount', (165, 40), b'none', target.encode(), None, 0x20 | 0x1000, None))
attempt('umount', lambda: call('umount2', (166, 39), b'/usr', 2))
attempt('fsopen', lambda: call('fsopen', (430, 430), b'tmpfs', 0))
attempt('open_tree', lambda: call('open_tree', (428, 428), -100, b'/', 1))
""",
    "make dangerous system calls": """
for name, number in {
    'bpf': (321, 280), 'perf_event_open': (298, 241), 'userfaultfd': (323, 282), 'io_uring_setup': (425, 425),
    'keyctl': (250, 219), 'add_key': (248, 217), 'memfd_create': (319, 279), 'shmget': (29, 194),
    'msgget': (68, 186), 'semget': (64, 190), 'personality': (135, 92), 'syslog': (103, 116),
}.items():
    attempt(name, lambda: call(name, number, 0, 4096, 0o1600, 0, 0))
    if ctypes.get_errno() != errno.EPERM:
        print('BREACH', name, 'is not refused but', errno.errorcode.get(ctypes.get_errno()))
""",
    "use another program's System V messages": """
status = ctypes.create_string_buffer(4096)
attempt('look', lambda: call('msgctl', (71, 187), host['queue'], 2, status))
attempt('enumerate', lambda: call('msgctl', (71, 187), 0, 11, status))
attempt('take', lambda: call('msgrcv', (70, 188), host['queue'], status, 4000, 0, 0o4000))
forged = struct.pack('=q8s', 1, b'forged')
attempt('send', lambda: call('msgsnd', (69, 189), host['queue'], forged, 8, 0o4000))
attempt('delete', lambda: call('msgctl', (71, 187), host['queue'], 0, None))
others = {'shmctl': (31, 195), 'semctl': (66, 191), 'semop': (65, 193), 'mq_unlink': (241, 181)}
for name, number in others.items():
    attempt(name, lambda: call(name, number, 0, 0, 0, 0))
    if ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
        print('BREACH', name, 'is not refused but', errno.errorcode.get(ctypes.get_errno()))
""",
    "change settings of the system": """
settings = [os.path.join(folder, name) for folder, _, names in os.walk('/proc/sys') for name in names]
others = ['/proc/self/oom_score_adj', '/proc/self/coredump_filter', '/proc/1/oom_score_adj']
of_root = ['/proc/sysrq-trigger', '/proc/mtrr', '/proc/irq/default_smp_affinity', '/sys/kernel/uevent_helper']
devices = ['/dev/mem', '/dev/kmsg', '/dev/port', '/dev/vda', '/dev/sda', '/dev/loop-control', '/dev/fuse']
for path in [*settings, '/proc/sys/kernel/core_pattern', *others, *of_root, *devices]:
    attempt(path, lambda: os.close(os.open(path, os.O_WRONLY)))
""",
    "see where things are on the host": """
names = ('mountinfo', 'mounts', 'mountstats', 'cmdline', 'environ', 'maps', 'cgroup', 'cwd', 'root')
def has_path(text):
    return host['user'] in text or host['data'] in text or 1 / 0
processes = ['self', 'thread-self', '1', '2', str(os.getpid())]
attempt('list processes', lambda: processes.extend(os.listdir('/proc')) or 1 / 0)
for process in processes:
    for name in names:
        path = f'/proc/{process}/{name}'
        attempt(path, lambda: has_path(open(path, errors='replace').read()))
        attempt(path, lambda: has_path(os.readlink(path)))
request = struct.pack('=IIQQQ', 24, 0, 0xFFFFFFFFFFFFFFFF, 0, 0)  # the root mount, as far as we see
attempt('listmount', lambda: call('listmount', (458, 458), request, ctypes.create_string_buffer(80), 10, 0))
if ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
    print('BREACH', 'listmount is not refused but', errno.errorcode.get(ctypes.get_errno()))
attempt('statmount', lambda: call('statmount', (457, 457), request, ctypes.create_string_buffer(80), 80, 0))
if ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
    print('BREACH', 'statmount is not refused but', errno.errorcode.get(ctypes.get_errno()))
""",
    "see the machine's memory and settings": """
for name in ('kcore', 'kallsyms', 'sys/kernel/core_pattern', 'keys', 'timer_list'):
    attempt(name, lambda: open('/proc/' + name, 'rb').read(1) or 1 / 0)
""",
    "hide from the watchdog and outlive the application": """
for option in (1, 4):
    attempt('prctl', lambda: call('prctl', (157, 167), option, 0, 0, 0, 0))
""",
    "raise its own limits": """
import resource
for kind in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
    attempt('limit', lambda: resource.setrlimit(kind, (-1, -1)))
""",
}

# Without a file system of one's own, looking whether a name exists cannot be forbidden. The sentence says so.
NAME_ATTACKS = {
    "test for a file": "attempt('stat', lambda: os.stat(host['file']))",
    "enter a folder": "attempt('chdir', lambda: os.chdir(host['folder']))",
    "see a file's size, times, owner and rights": """
def known(status):
    return status.st_size == 6 and status.st_mtime_ns == host['file_state'][1] and status.st_mode or 1 / 0
attempt('status', lambda: known(os.stat(host['file'])))
""",
    "see the computer's name": "attempt('name', lambda: os.uname().nodename == host['name'] or 1 / 0)",
}
SAID = {
    "test for a file": "whether it exists",
    "enter a folder": "a file or folder whose path it guesses",
    "see a file's size, times, owner and rights": "its size, times, owner and rights",
    "see the computer's name": "the name of this computer",
}


# An attack that fails everywhere shows nothing. These harm nobody, so they are seen to get through once.
HARMLESS = (
    "read a private file",
    "read another thread's file",
    "read environments of processes",
    "go through another process's root",
    "find the host's processes",
    "list the private folder",
    "list the temporary folder",
    "read the machine's files",
    "connect to a local port",
    "send datagrams",
    "connect to an abstract socket",
    "connect to a socket file",
    "send to a datagram socket file",
    "open unusual sockets",
    "create a file beside a private one",
    "kill processes",
    "have a signal sent to another process",
    "make others wait who open a file",
    "use up what all programs of a user share",
    "see where things are on the host",
    "read a link's target",
    "read a file's extended attributes",
    "make namespaces",
    "make dangerous system calls",
)


@contextlib.contextmanager
def listening(family: int, address: Any, kind: int = socket.SOCK_STREAM) -> Iterator[socket.socket]:
    with socket.socket(family, kind) as server:
        server.bind(address)
        if kind == socket.SOCK_STREAM:
            server.listen()
        yield server


@contextlib.contextmanager
def message_queue() -> Iterator[int]:
    """A System V message queue with one message in it."""
    libc = ctypes.CDLL(None, use_errno=True)
    queue: int = libc.msgget(0, 0o1600)
    if queue < 0:
        pytest.skip("no System V messages here")
    try:
        assert libc.msgsnd(queue, struct.pack("=q8s", 1, b"SECRET"), 8, 0) == 0
        yield queue
        message = ctypes.create_string_buffer(16)
        assert libc.msgrcv(queue, message, 8, 0, 0o4000) == 8
        assert b"SECRET" in message.raw
        assert libc.msgrcv(queue, message, 8, 0, 0o4000) < 0
    finally:
        libc.msgctl(queue, 0, None)


@pytest.fixture(scope="module")
def host() -> Iterator[dict[str, Any]]:
    """A user's computer: files, processes and services that code has no business with."""
    with (
        tempfile.TemporaryDirectory(prefix="user-") as name,
        listening(socket.AF_INET, ("127.0.0.1", 0)) as port,
        listening(socket.AF_UNIX, f"{name}/socket") as _,
        listening(socket.AF_UNIX, f"{name}/datagram", socket.SOCK_DGRAM) as _,
        listening(socket.AF_UNIX, f"\0{name}") as _,
        subprocess.Popen(
            [sys.executable, "-c", "input()  # victim-marker"],
            stdin=subprocess.PIPE,
            env={"VICTIM_SECRET": "1"},
        ) as victim,
        tempfile.NamedTemporaryFile(prefix="others-") as temporary,
        Path(name, "private").open("x+", encoding="utf-8") as private_open,
        contextlib.ExitStack() as stack,
    ):
        private = Path(name, "private")
        private.write_text("SECRET", encoding="utf-8")
        os.setxattr(private, "user.origin", b"SECRET")
        Path(name, "link").symlink_to("SECRET")
        status = private.stat()
        yield {
            "folder": name,
            "file": str(private),
            "file_state": [status.st_mode, status.st_mtime_ns],
            "inodes": inodes(private_open, port, victim.stdin),
            "other_thread": str(private),
            "temporary": Path(temporary.name).name,
            "temporary_file": temporary.name,
            "port": port.getsockname()[1],
            "name": os.uname().nodename,
            "link": f"{name}/link",
            "queue": stack.enter_context(message_queue()),
            "socket": f"{name}/socket",
            "datagram": f"{name}/datagram",
            "abstract": name,
            "victim": victim.pid,
            "application": os.getpid(),
            "user": str(Path.home()),
        }
        assert victim.poll() is None, "an attack has ended the victim"
        victim.communicate(b"\n")
        assert private.read_text(encoding="utf-8") == "SECRET"


def inodes(*files: Any) -> list[list[int]]:
    """What open files are, wherever a descriptor of them may turn up."""
    return [[status.st_dev, status.st_ino] for status in (os.fstat(file.fileno()) for file in files)]


class Attacker:
    def __init__(self, interpreter: CodeInterpreter, host: dict[str, Any]) -> None:
        self.interpreter, self.host = interpreter, host

    async def run(self, code: str) -> str:
        written = []

        async def keep(output: Output) -> None:
            assert isinstance(output, Logs)
            written.append(output.text)

        facts = f"import json; host = json.loads({json.dumps(self.host)!r})\n"
        await self.interpreter.run("attacker", f"{PRELUDE}{facts}{code}\nprint('TRIED')", {}, keep)
        return "".join(written)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["bubblewrap", "landlock"])
async def attacker(
    request: pytest.FixtureRequest, host: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Attacker]:
    launcher = request.param
    data = tmp_path_factory.mktemp("data")
    if (list_of_fonts := fonts.folder(data)) is not None:
        list_of_fonts.mkdir(parents=True)
    interpreter = CodeInterpreter(data, limits=Limits(seconds=20), launcher=launcher)
    sandbox = await interpreter.sandbox()
    if not sandbox.available:
        pytest.skip(f"no sandbox here: {sandbox.reason}")
    other = data / "threads" / "other" / "data" / "file"
    other.parent.mkdir(parents=True)
    other.write_text("SECRET", encoding="utf-8")
    yield Attacker(interpreter, {**host, "other_thread": str(other), "data": str(data)})
    await interpreter.close()
    assert other.read_text(encoding="utf-8") == "SECRET"


@pytest.mark.parametrize("name", ATTACKS)
async def test_attack_gets_nothing(attacker: Attacker, name: str) -> None:
    written = await attacker.run(ATTACKS[name])
    assert "TRIED" in written, written
    assert "BREACH" not in written, written


@pytest.mark.parametrize("name", NAME_ATTACKS)
async def test_names_are_hidden_where_the_sentence_says_so(attacker: Attacker, name: str) -> None:
    written = await attacker.run(NAME_ATTACKS[name])
    assert "TRIED" in written, written
    sandbox = await attacker.interpreter.sandbox()
    assert ("BREACH" in written) == (SAID[name] in sandbox.sentence), written


async def test_code_cannot_answer_for_a_local_service(attacker: Attacker) -> None:
    """A program of the user's that looks for a service by its abstract name would talk to code."""
    name = f"\0service-{secrets.token_hex(8)}"
    await attacker.run(f"""
service = socket.socket(socket.AF_UNIX)
service.bind({name!r})
service.listen()
""")
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
        client.connect(name)


async def test_attacks_get_through_without_a_sandbox(
    host: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("data")
    interpreter = CodeInterpreter(data, launcher="unconfined")
    other = data / "file"
    other.write_text("SECRET", encoding="utf-8")
    attacker = Attacker(interpreter, {**host, "other_thread": str(other), "data": str(data)})
    try:
        failed = [name for name in HARMLESS if "BREACH" not in await attacker.run(ATTACKS[name])]
    finally:
        await interpreter.close()
    Path(host["folder"], "new").unlink()
    assert not failed
