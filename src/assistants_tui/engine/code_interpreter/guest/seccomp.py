"""The filter of system calls, as a classic BPF program (seccomp(2), linux/filter.h).

Built here rather than with libseccomp, which many systems lack. It lists what is refused, so that programs
keep running: calls that reach outside the sandbox, calls whose memory no limit counts, and calls that have
been the way out of sandboxes before. Calls newer than this list do not exist, as on an older kernel.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_X32 = 0x40000000
_UNKNOWN = 470  # Linux 6.17 ends before it

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_AF_UNIX, _SOCK_STREAM, _SOCK_TYPE = 1, 1, 0xF
_CLONE_FILES, _CLONE_THREAD = 0x00000400, 0x00010000
_CLONE_NAMESPACES = 0x7E020000  # NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_IOCTLS = (
    0x5412,  # TIOCSTI and TIOCLINUX type into a terminal
    0x541C,
    0x8901,  # FIOSETOWN and SIOCSPGRP have signals sent to a process
    0x8902,
    0x40086602,  # FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR
    0x401C5820,
)
_FCNTLS = (
    8,  # F_SETOWN, F_SETSIG and F_SETOWN_EX have a signal of one's choice sent to any process of the user
    10,
    15,
    1024,  # F_SETLEASE makes others wait for 45 s who open a file that code only reads
    1026,  # F_NOTIFY
    37,  # F_OFD_SETLK and F_OFD_SETLKW: locks that belong to no process, so that nobody can count them
    38,
)
_SOL_SOCKET, _SO_SNDBUF = 1, 7
_MAP_SHARED, _MAP_ANONYMOUS = 0x01, 0x20
_PRCTLS = (1, 4, 35, 0x59616D61)  # SET_PDEATHSIG, SET_DUMPABLE (both hide from the host), SET_MM, SET_PTRACER

# name: (x86_64, aarch64); None where the architecture has no such call
_Table = dict[str, tuple[int | None, int | None]]

_REFUSED: _Table = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # large parts of the kernel with a history of holes
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "vmsplice": (278, 75),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    # file systems and namespaces
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "fanotify_init": (300, 262),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    # memory that neither the address-space limit nor the watchdog sees
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    # and the same of others, who are reached by a number or a name where there is no namespace
    "shmctl": (31, 195),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "semctl": (66, 191),
    "mq_unlink": (241, 181),
    # counted for all programs of a user together: their editors could watch no files any more
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # open files in flight, and space beside the blocks of a file, which no limit counts either
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    # the machine itself
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "iopl": (172, None),
    "ioperm": (173, None),
    "uselib": (134, None),
    "ustat": (136, None),
    "create_module": (174, None),
}

# Without namespaces the user's other processes and files are still there to be named.
_REFUSED_ALONE: _Table = {
    "connect": (42, 203),
    "fork": (57, None),
    "vfork": (58, None),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "process_mrelease": (448, 448),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "truncate": (76, 45),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
}
_UNSUPPORTED_ALONE: _Table = {  # what files have of these may be private; shutil.copy2() goes on without
    "getxattr": (191, 8),
    "lgetxattr": (192, 9),
    "getxattrat": (464, 464),
    "listxattr": (194, 11),
    "llistxattr": (195, 12),
    "listxattrat": (465, 465),
    "file_getattr": (468, 468),
}
_NO_LINKS_ALONE: _Table = {  # to code, nothing is a symbolic link: it cannot make any either
    "readlink": (89, None),
    "readlinkat": (267, 78),
}
_LISTENING: _Table = {"bind": (49, 200), "listen": (50, 201)}
_PRETENDED_ALONE: _Table = {  # shutil.copy() and the like must go on, so these do nothing and report success
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "file_setattr": (469, 469),
}
_ON_SELF_ALONE: _Table = {  # first argument: a process, which may only be the caller
    "kill": (62, 129),
    "tgkill": (234, 131),
    "prlimit64": (302, 261),
}
_SCHEDULING_ALONE: _Table = {  # likewise; success is pretended, as libraries name their own threads here
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_SOCKET, _SOCKETPAIR, _IOCTL, _PRCTL = (41, 198), (53, 199), (16, 29), (157, 167)
_FCNTL = (72, 25)
_SETSOCKOPT, _MMAP = (54, 208), (9, 222)


def program(machine: str, alone: int | None = None) -> bytes:
    """The filter for a machine (`x86_64` or `aarch64`, as `platform.machine()` names them).

    With `alone`, the process ID of the kernel, it is the stricter one for a sandbox without namespaces: no
    child processes, no connections, and no process but itself.

    Raises KeyError for another machine.
    """
    architecture = ARCHITECTURES[machine]
    column = list(ARCHITECTURES).index(machine)
    rules: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        rules += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    rules += [(_AT_LEAST, 0, 1, _UNKNOWN), _fail(errno.ENOSYS)]
    for number in _numbers(_REFUSED, column):
        rules += _when(number, [_fail(errno.EPERM)])
    # clone3 hides its flags in memory, where a filter cannot look; the C library falls back to clone
    rules += _when(_CLONE3[column], [_fail(errno.ENOSYS)])
    rules += _when(_IOCTL[column], _argument_not_in(1, _IOCTLS))
    rules += _when(_FCNTL[column], _argument_not_in(1, _FCNTLS))
    rules += _when(_PRCTL[column], _argument_not_in(0, _PRCTLS))
    rules += _when(_MMAP[column], _REFUSE_SHARED_MEMORY)
    rules += _when(_SETSOCKOPT[column], _KEEP_BUFFER)
    # streams only: datagrams of sockets that are closed may wait in one without being counted, and without a
    # network of one's own they reach the host's sockets without connecting
    for call in (_SOCKET, _SOCKETPAIR):
        rules += _when(call[column], [*_REFUSE_OTHER_FAMILIES, *_REFUSE_OTHER_TYPES, _PASS])
    rules += _when(_CLONE[column], [*_REFUSE_NAMESPACES, *_clones(alone is not None), _PASS])
    if alone is not None:
        rules += _rules_alone(alone, column)
    return _packed([*rules, _PASS])


def no_more_services(machine: str) -> bytes:
    """A second filter for when the kernel listens, where code has no network namespace of its own.

    A program outside that looks for a service by its abstract name would find code instead.
    """
    rules: list[Instruction] = [(_LOAD, 0, 0, _NUMBER)]
    for number in _numbers(_LISTENING, list(ARCHITECTURES).index(machine)):
        rules += _when(number, [_fail(errno.EPERM)])
    return _packed([*rules, _PASS])


def _packed(rules: list[Instruction]) -> bytes:
    return b"".join(struct.pack("=HBBI", *rule) for rule in rules)


def _rules_alone(pid: int, column: int) -> list[Instruction]:
    rules: list[Instruction] = []
    for number in _numbers(_REFUSED_ALONE, column):
        rules += _when(number, [_fail(errno.EPERM)])
    for number in _numbers(_UNSUPPORTED_ALONE, column):
        rules += _when(number, [_fail(errno.EOPNOTSUPP)])
    for number in _numbers(_NO_LINKS_ALONE, column):
        rules += _when(number, [_fail(errno.EINVAL)])
    for number in _numbers(_PRETENDED_ALONE, column):
        rules += _when(number, [_fail(0)])
    itself = (pid, -pid & 0xFFFFFFFF, 0)  # process, group, and the shorthand for both
    for number in _numbers(_ON_SELF_ALONE, column):
        rules += _when(number, _argument_in(0, itself, errno.EPERM))
    for number in _numbers(_SCHEDULING_ALONE, column):
        rules += _when(number, _argument_in(0, itself, 0))
    return rules


def _clones(threads_only: bool) -> list[Instruction]:
    """What a new thread or process may be; follows `_REFUSE_NAMESPACES`, which has loaded the flags.

    A thread with open files of its own would have them where nobody looks for them.
    """
    process = _fail(errno.EPERM) if threads_only else _PASS
    return [(_ANY_BIT, 1, 0, _CLONE_THREAD), process, (_ANY_BIT, 1, 0, _CLONE_FILES), _fail(errno.EPERM)]


def _numbers(table: _Table, column: int) -> list[int]:
    return [number for row in table.values() if (number := row[column]) is not None]


def _argument(index: int) -> int:
    """The offset of the low half of an argument; all that are looked at here have 32 bits in the kernel."""
    return _ARGUMENTS + 8 * index


def _fail(code: int) -> Instruction:
    """Return an error number to the caller; 0 is success without doing anything."""
    return (_RETURN, 0, 0, _ERRNO | code)


def _when(number: int, body: Iterable[Instruction]) -> list[Instruction]:
    """Decide one system call by a body that always returns; others jump over it."""
    body = list(body)
    return [(_EQUAL, 0, len(body), number), *body]


def _argument_in(index: int, values: tuple[int, ...], code: int) -> list[Instruction]:
    checks = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [(_LOAD, 0, 0, _argument(index)), *checks, _fail(code), _PASS]


def _argument_not_in(index: int, values: tuple[int, ...]) -> list[Instruction]:
    checks = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [(_LOAD, 0, 0, _argument(index)), *checks, _PASS, _fail(errno.EPERM)]


_PASS: Instruction = (_RETURN, 0, 0, _ALLOW)
_REFUSE_NAMESPACES: list[Instruction] = [
    (_LOAD, 0, 0, _argument(0)),
    (_ANY_BIT, 0, 1, _CLONE_NAMESPACES),
    _fail(errno.EPERM),
]
# EOPNOTSUPP, because libzmq ends the process on any other error of a probe for network interfaces
_REFUSE_OTHER_FAMILIES: list[Instruction] = [
    (_LOAD, 0, 0, _argument(0)),
    (_EQUAL, 1, 0, _AF_UNIX),
    _fail(errno.EOPNOTSUPP),
]
_REFUSE_OTHER_TYPES: list[Instruction] = [
    (_LOAD, 0, 0, _argument(1)),
    (_AND, 0, 0, _SOCK_TYPE),
    (_EQUAL, 1, 0, _SOCK_STREAM),
    _fail(errno.EOPNOTSUPP),
]
# Memory that stays when its pages are unmapped, so that no count of pages finds it.
_REFUSE_SHARED_MEMORY: list[Instruction] = [
    (_LOAD, 0, 0, _argument(3)),
    (_AND, 0, 0, _MAP_SHARED | _MAP_ANONYMOUS),
    (_EQUAL, 0, 1, _MAP_SHARED | _MAP_ANONYMOUS),
    _fail(errno.EPERM),
    _PASS,
]
# Success is pretended: a socket's buffer keeps the size that the watchdog counts for it.
_KEEP_BUFFER: list[Instruction] = [
    (_LOAD, 0, 0, _argument(1)),
    (_EQUAL, 0, 3, _SOL_SOCKET),
    (_LOAD, 0, 0, _argument(2)),
    (_EQUAL, 0, 1, _SO_SNDBUF),
    _fail(0),
    _PASS,
]
