"""What systems and window managers do to a program in a terminal."""

import fcntl
import os
import random
import signal
import struct
import termios

from support.terminal import Terminal

RESTORED = (b"\x1b[?1049l", b"\x1b[?25h")  # the screen from before, and the cursor


def test_resize_storms_stops_and_the_end_of_the_system() -> None:
    chance = random.Random(1)
    with Terminal(env=os.environ, columns=120, lines=30) as terminal:
        terminal.wait_for("is ready")
        terminal.send("A draft")
        terminal.wait_for("A draft")
        for _ in range(30):
            resize(terminal, chance.randint(1, 200), chance.randint(1, 80))
            terminal.watch(0.005)
        resize(terminal, 120, 30)
        os.kill(terminal.pid, signal.SIGTSTP)
        wait_for_stop(terminal)
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.send(" that grows")
        terminal.wait_for("A draft that grows")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait_for_exit() == 128 + signal.SIGTERM
        assert all(sequence in terminal.raw for sequence in RESTORED)
    with Terminal(env=os.environ, columns=120, lines=30) as terminal:
        terminal.wait_for("A draft that grows")  # nothing was lost
        os.kill(terminal.pid, signal.SIGHUP)
        assert terminal.wait_for_exit() == 128 + signal.SIGHUP


def wait_for_stop(terminal: Terminal) -> None:
    """Read on, as a terminal does: a program that cannot write what is left cannot stop either."""
    pid = 0
    while not pid:
        terminal.watch(0.02)
        pid, status = os.waitpid(terminal.pid, os.WUNTRACED | os.WNOHANG)
    assert os.WIFSTOPPED(status)


def resize(terminal: Terminal, columns: int, lines: int) -> None:
    fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
