import os
import threading

from assistants_tui.tui.terminal.output import Output

SECONDS = 60
FRAME = "x" * 100_000


class Pipe:
    """A terminal that reads when it is told to."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.read_end, self.write_end = os.pipe()
        self.lost, self.caught_up = threading.Event(), threading.Event()
        self.output = Output(self.write_end, encoding, lost=self.lost.set, caught_up=self.caught_up.set)
        self.output.start()

    def read_all(self) -> None:
        while os.read(self.read_end, 65536):
            pass

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += os.read(self.read_end, size - len(data))
        return data


def test_nobody_waits_for_a_terminal_that_does_not_read() -> None:
    pipe = Pipe()
    for _ in range(1_000):
        pipe.output.write(FRAME)  # a hundred megabytes, most of which are dropped
    reader = threading.Thread(target=pipe.read_all)
    reader.start()
    assert pipe.caught_up.wait(SECONDS)
    assert not pipe.lost.is_set()
    pipe.output.stop(SECONDS)
    os.close(pipe.write_end)
    reader.join(SECONDS)


def test_what_was_written_comes_in_its_order_and_before_the_end() -> None:
    pipe = Pipe()
    for number in range(100):
        pipe.output.write(f"{number} é\udc80\n")  # no character is refused
    pipe.output.stop(SECONDS)
    wanted = "".join(f"{number} é?\n" for number in range(100)).encode()
    assert pipe.read(len(wanted)) == wanted


def test_a_character_that_the_encoding_lacks_keeps_its_width() -> None:
    pipe = Pipe("iso-8859-1")
    pipe.output.write("│ é │")
    pipe.output.stop(SECONDS)
    assert pipe.read(5) == b"? \xe9 ?"


def test_a_terminal_that_reads_again_after_it_was_lent_gets_everything_from_one_thread() -> None:
    pipe = Pipe()
    pipe.output.write(FRAME)  # more than the pipe holds
    pipe.output.stop(0.01)
    pipe.output.start()
    pipe.output.write("after")
    running = [thread for thread in threading.enumerate() if thread.name == "terminal-output"]
    assert len(running) == 1
    assert pipe.read(len(FRAME) + 5) == FRAME.encode() + b"after"
    pipe.output.stop(SECONDS)


def test_what_is_written_last_goes_out_before_frames_that_wait() -> None:
    pipe = Pipe()
    for _ in range(5):
        pipe.output.write(FRAME)
    pipe.output.skip()
    pipe.output.write("restored")
    pipe.output.stop(0.01)
    got = b""
    while not got.endswith(b"restored"):
        got += os.read(pipe.read_end, 65536)
    assert len(got) <= len(FRAME) + len("restored")


def test_a_terminal_that_is_gone_is_told_once_and_hears_nothing_more() -> None:
    pipe = Pipe()
    os.close(pipe.read_end)
    pipe.output.write("anybody?")
    assert pipe.lost.wait(SECONDS)
    pipe.lost.clear()
    pipe.output.write("hello?")
    pipe.output.stop(SECONDS)
    assert pipe.output.gone
    assert not pipe.lost.is_set()


def test_a_terminal_that_never_reads_is_given_up() -> None:
    pipe = Pipe()
    pipe.output.write(FRAME)
    pipe.output.stop(0.05)
    pipe.output.give_up()
    os.close(pipe.read_end)


def clipboard(number: int) -> str:
    return f"\x1b]52;c;{number}\a"


def test_bells_and_clipboards_outlive_frames_that_are_dropped() -> None:
    pipe = Pipe()
    for number in range(20):
        pipe.output.write(FRAME)
        pipe.output.write("\a")
        if number in {3, 19}:
            pipe.output.write(clipboard(number))
    pipe.output.write("\x1b]52;c;" + "x" * 1_000 + "\a")
    read: list[bytes] = []

    def read_to_the_end() -> None:
        while data := os.read(pipe.read_end, 65536):
            read.append(data)

    reader = threading.Thread(target=read_to_the_end)
    reader.start()
    assert pipe.caught_up.wait(SECONDS)
    pipe.output.stop(SECONDS)
    os.close(pipe.write_end)
    reader.join(SECONDS)
    got = b"".join(read)
    assert got.count(b"x" * 100_000) < 20, "frames were dropped"
    ends = [got.index(text) for text in (clipboard(3).encode(), clipboard(19).encode(), b";xxx")]
    assert ends == sorted(ends) and b"\a" in got.replace(clipboard(3).encode(), b"")


def test_what_is_kept_is_bounded_and_the_last_is_in_it() -> None:
    pipe = Pipe()
    for number in range(1_000):
        pipe.output.write(FRAME)
        pipe.output.write(f"\x1b]52;c;{number:04}{'y' * 10_000}\a")
    assert sum(map(len, pipe.output._kept)) <= 256 * 1024
    pipe.output.skip()  # as when the app leaves
    pipe.output.write("restored")
    got = b""
    while b"restored" not in got or b";0999" not in got:
        got += os.read(pipe.read_end, 65536)
    pipe.output.stop(SECONDS)
