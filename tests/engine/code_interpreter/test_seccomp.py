"""The filter of system calls, run instruction by instruction for both architectures."""

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.code_interpreter.guest import seccomp

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
PID = 4242
MACHINES = ("x86_64", "aarch64")
# name: (x86_64, aarch64), from the kernel's tables
CALLS = {
    "read": (0, 63),
    "openat": (257, 56),
    "clone": (56, 220),
    "clone3": (435, 435),
    "execve": (59, 221),
    "futex": (202, 98),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "ioctl": (16, 29),
    "prctl": (157, 167),
    "kill": (62, 129),
    "tgkill": (234, 131),
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "ptrace": (101, 117),
    "mount": (165, 40),
    "memfd_create": (319, 279),
    "bpf": (321, 280),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "fchmodat": (268, 53),
    "unlinkat": (263, 35),
    "readlinkat": (267, 78),
    "getxattr": (191, 8),
    "fgetxattr": (193, 10),
    "msgrcv": (70, 188),
    "mq_unlink": (241, 181),
    "fcntl": (72, 25),
    "inotify_init1": (294, 26),
    "bind": (49, 200),
    "listen": (50, 201),
    "mmap": (9, 222),
    "setsockopt": (54, 208),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "fsetxattr": (190, 7),
}
THREAD = 0x00010F00
FORK = 17


def run(program: bytes, machine: str, number: int, *arguments: int) -> int:
    """What the kernel would decide (the classic BPF machine, reduced to what the filter uses)."""
    architecture = seccomp.ARCHITECTURES[machine]
    data = struct.pack("=IIQ6Q", number, architecture, 0, *(*arguments, *[0] * (6 - len(arguments))))
    instructions = list(struct.iter_unpack("=HBBI", program))
    accumulator = at = 0
    while True:
        code, if_true, if_false, operand = instructions[at]
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, operand)
            case 0x54:
                accumulator &= operand
            case 0x06:
                return int(operand)
            case 0x15:
                at += if_true if accumulator == operand else if_false
            case 0x35:
                at += if_true if accumulator >= operand else if_false
            case 0x45:
                at += if_true if accumulator & operand else if_false
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


def decide(machine: str, alone: int | None, name: str, *arguments: int) -> int | str:
    number = CALLS[name][MACHINES.index(machine)]
    decision = run(seccomp.program(machine, alone), machine, number, *arguments)
    return {ALLOW: "allow", KILL: "kill"}.get(decision, decision - ERRNO)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("alone", [None, PID])
def test_what_both_filters_decide(machine: str, alone: int | None) -> None:
    for name in ("read", "openat", "futex", "execve", "unlinkat"):
        assert decide(machine, alone, name) == "allow"
    for name in (
        "ptrace",
        "mount",
        "memfd_create",
        "bpf",
        "statmount",
        "listmount",
        "msgrcv",
        "mq_unlink",
        "inotify_init1",
    ):
        assert decide(machine, alone, name) == errno.EPERM
    assert decide(machine, alone, "clone3") == errno.ENOSYS
    assert decide(machine, alone, "clone", THREAD) == "allow"
    for namespace in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert decide(machine, alone, "clone", THREAD | namespace) == errno.EPERM
    assert decide(machine, alone, "socket", 1, 1) == "allow"
    assert decide(machine, alone, "socket", 1, 1 | 0x80000 | 0x800) == "allow"  # close-on-exec, non-blocking
    assert decide(machine, alone, "clone", THREAD & ~0x400) == errno.EPERM  # open files of its own
    for call in ("socket", "socketpair"):
        for kind in (2, 3, 5):
            assert decide(machine, alone, call, 1, kind) == errno.EOPNOTSUPP
    for call in ("sendmsg", "sendmmsg", "fsetxattr"):
        assert decide(machine, alone, call) == errno.EPERM
    for flags, shared in ((0x21, True), (0x23, True), (0x4021, True), (0x22, False), (0x01, False)):
        assert decide(machine, alone, "mmap", 0, 4096, 3, flags) == (errno.EPERM if shared else "allow")
    assert decide(machine, alone, "setsockopt", 3, 1, 7) == 0
    for level, option in ((1, 8), (1, 2), (6, 7)):
        assert decide(machine, alone, "setsockopt", 3, level, option) == "allow"
    for family in (0, 2, 10, 16, 17, 38, 40):
        for call in ("socket", "socketpair"):
            assert decide(machine, alone, call, family, 1) == errno.EOPNOTSUPP
    assert decide(machine, alone, "ioctl", 0, 0x5412) == errno.EPERM
    assert decide(machine, alone, "ioctl", 0, 0xFFFFFFFF00005412) == errno.EPERM  # the kernel takes 32 bits
    assert decide(machine, alone, "ioctl", 0, 0x5413) == "allow"
    for command, decision in ((8, errno.EPERM), (10, errno.EPERM), (1024, errno.EPERM), (2, "allow")):
        assert decide(machine, alone, "fcntl", 3, command) == decision
    for option, decision in ((1, errno.EPERM), (4, errno.EPERM), (15, "allow"), (38, "allow")):
        assert decide(machine, alone, "prctl", option) == decision


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_refused_once_the_kernel_listens(machine: str) -> None:
    column = MACHINES.index(machine)
    for name, decision in (("bind", ERRNO | errno.EPERM), ("listen", ERRNO | errno.EPERM), ("read", ALLOW)):
        assert decide(machine, PID, name) == "allow"
        assert run(seccomp.no_more_services(machine), machine, CALLS[name][column]) == decision


@pytest.mark.parametrize("machine", MACHINES)
def test_what_only_the_stricter_one_refuses(machine: str) -> None:
    for name, arguments, decision in (
        ("connect", (3,), errno.EPERM),
        ("clone", (FORK,), errno.EPERM),
        ("kill", (PID, 9), "allow"),
        ("kill", (-PID & 0xFFFFFFFF, 9), "allow"),
        ("kill", (0, 9), "allow"),
        ("kill", (PID + 1, 9), errno.EPERM),
        ("kill", (0xFFFFFFFF, 9), errno.EPERM),
        ("kill", (1, 0), errno.EPERM),
        ("tgkill", (PID, PID, 9), "allow"),
        ("tgkill", (PID + 1, PID + 1, 9), errno.EPERM),
        ("prlimit64", (0,), "allow"),
        ("prlimit64", (PID + 1,), errno.EPERM),
        ("sched_setaffinity", (PID + 7,), 0),
        ("sched_setaffinity", (0,), "allow"),
        ("fchmodat", (), 0),
        ("readlinkat", (), errno.EINVAL),
        ("getxattr", (), errno.EOPNOTSUPP),
    ):
        assert decide(machine, PID, name, *arguments) == decision, (name, arguments)
        if name not in ("kill", "tgkill", "prlimit64", "sched_setaffinity"):
            assert decide(machine, None, name, *arguments) == "allow", (name, arguments)


@pytest.mark.parametrize("alone", [None, PID])
def test_other_architectures_are_killed(alone: int | None) -> None:
    x86 = seccomp.program("x86_64", alone)
    assert run(x86, "aarch64", 0) == KILL
    assert run(x86, "x86_64", 0x40000000) == KILL  # x32
    assert run(seccomp.program("aarch64", alone), "x86_64", 0) == KILL
    with pytest.raises(KeyError):
        seccomp.program("riscv64", alone)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("alone", [None, PID])
def test_calls_that_nobody_has_judged_do_not_exist(machine: str, alone: int | None) -> None:
    program = seccomp.program(machine, alone)
    for number in (470, 471, 547, 1000, 0x3FFFFFFF):
        assert run(program, machine, number) == ERRNO | errno.ENOSYS
    assert run(program, machine, 462) == ALLOW  # mseal


@given(
    machine=st.sampled_from(MACHINES),
    alone=st.sampled_from([None, PID]),
    number=st.integers(0, 2**32 - 1),
    arguments=st.lists(st.integers(0, 2**64 - 1), min_size=6, max_size=6),
)
def test_every_call_gets_a_decision(
    machine: str, alone: int | None, number: int, arguments: list[int]
) -> None:
    decision = run(seccomp.program(machine, alone), machine, number, *arguments)
    assert decision in (ALLOW, KILL) or decision & 0xFFFF0000 == ERRNO


@pytest.mark.parametrize("machine", MACHINES)
def test_jumps_fit(machine: str) -> None:
    """A jump has eight bits, and a program 4096 instructions (linux/bpf_common.h)."""
    for alone in (None, PID):
        assert len(seccomp.program(machine, alone)) // 8 < 4096
