"""The installed command on streams that are closed, full or not in UTF-8."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from assistants_tui.cli.streams import InputError, argument_text
from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.threads import ThreadIndex
from support.terminal import COMMAND

HAS_FULL_DEVICE = Path("/dev/full").exists()
ARGUMENTS = "bytes of an argument need a POSIX system that passes them on"


def shell(
    line: str, *arguments: bytes | str, text: bytes = b"", **variables: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run a line in which `$A` is the command and `$1` the first argument."""
    return subprocess.run(
        ["sh", "-c", line, "sh", *arguments],
        input=text,
        capture_output=True,
        env={**os.environ, "A": str(COMMAND), **variables},
        timeout=120,
        check=False,
    )


def rows(table: str) -> int:
    """The rows of a table of the local engine; 0 where it has never been started."""
    database = user_paths().engine_dir("local") / "engine.sqlite3"
    if not database.exists():
        return 0
    connection = sqlite3.connect(database)
    try:
        return int(connection.execute(f"select count(*) from {table}").fetchone()[0])
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("line", "text", "code", "says"),
    [
        ('"$A" ask "$1"', b"", 2, "'caf\\udce9' is not a text in UTF-8"),
        (
            '"$A" ask',
            b"caf\xe9",
            2,
            "not a text in UTF-8: byte 4 is 0xe9. Convert it first",
        ),
        ('"$A" ask hi', b"\x7fELF\x02\0\0\0", 2, "Standard input is not a text. Send it as a file: --attach"),
        ('"$A" ask', b"x" * 1_100_000, 2, "more than 1,024,000 bytes"),
        ('"$A" ask', b"x" * 256_001, 2, "the message has 256,001 characters; 256,000 are allowed"),
        ('"$A" ask hi <&-  >&-', b"", 1, "Standard output is closed"),
        (
            '"$A" ask "" 2>&1 >&- <&- | sed s/^/said:/',
            b"",
            0,
            "said:assistants-tui ask: there is no",
        ),
        ('touch a b; echo x >a; "$A" ask hi --attach a --attach b', b"", 1, "b is empty"),
        ('"$A" ask hi --thread thread_nowhere', b"", 1, "thread_nowhere"),
    ],
    ids=[*("argument", "stdin", "binary", "endless", "long", "no-output", "no-streams", "attach", "thread")],
)
def test_what_cannot_be_asked_leaves_no_thread_and_no_file(
    line: str, text: bytes, code: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = shell(line, b"caf\xe9", text=text)
    said = (shown.stderr + shown.stdout).decode()
    assert (shown.returncode, says in said, "Traceback" in said) == (code, True, False), said
    assert ThreadIndex(user_paths().threads_file).list("local") == []
    assert (rows("threads"), rows("files")) == (0, 0)


def test_text_in_other_encodings_and_names_that_are_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = b"caf\xe9.md"
    try:
        Path(os.fsdecode(name)).write_text("The library closes at six.")
    except OSError:
        pytest.skip("this file system takes only names that are text")
    # a locale that says nothing about the encoding: Python then takes ASCII for arguments and output
    shown = shell(
        '"$A" ask --json --assistant "HR Helper" --attach "$1" "When does the library close → ?"',
        name,
        text="Grüße".encode("utf-16"),
        LC_ALL="POSIX",
        PYTHONUTF8="0",
        PYTHONCOERCECLOCALE="0",
    )
    assert shown.returncode == 0, shown.stderr.decode()
    run = json.loads(shown.stdout)["run"]
    assert run["status"] == "completed"
    (reference,) = ThreadIndex(user_paths().threads_file).list("local")
    assert reference.title == "When does the library close → ?"
    database = sqlite3.connect(user_paths().engine_dir("local") / "engine.sqlite3")
    question = "select count(*) from messages where content like '%close → ?%Grüße%'"
    assert database.execute(question).fetchone() == (1,)
    assert database.execute("select filename from files").fetchall() == [("caf\N{REPLACEMENT CHARACTER}.md",)]
    database.close()


def test_an_answer_is_written_as_far_as_the_encoding_goes() -> None:
    plain = shell('"$A" ask "Solve x^2 = 2"', PYTHONIOENCODING="ascii")
    assert (plain.returncode, plain.stderr) == (0, b"")
    assert b"?" in plain.stdout
    assert plain.stdout.isascii()
    unset = shell(
        '"$A" ask "Solve x^2 = 2"', LC_ALL="POSIX", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", LANG="C"
    )
    assert "≈" in unset.stdout.decode()


@pytest.mark.skipif(not HAS_FULL_DEVICE, reason="the system has no /dev/full")
def test_an_answer_that_cannot_be_written_is_kept() -> None:
    for options in ("", "--linear", "--json"):
        shown = shell(f'"$A" ask {options} "Solve 3x + 11 = 14" >/dev/full')
        said = shown.stderr.decode()
        assert shown.returncode == 1
        assert "No space left on device. The thread keeps the answer: assistants-tui --thread thread_" in said
        assert "Traceback" not in said and "Exception ignored" not in said
    thread_id = said.split()[-1]
    again = shell('"$A" ask --json --thread "$1" "2 + 2"', thread_id)
    assert json.loads(again.stdout)["run"]["status"] == "completed"
    database = sqlite3.connect(user_paths().engine_dir("local") / "engine.sqlite3")
    answers = database.execute(
        "select count(*) from messages where role = 'assistant' and status = 'completed'"
    )
    assert answers.fetchone() == (4,)
    database.close()


def test_nothing_that_is_printed_gets_into_a_file_that_took_the_number_of_a_closed_stream() -> None:
    shown = shell('"$A" ask --assistant Nobody hi 2>&- <&-')
    assert (shown.returncode, shown.stdout) == (1, b"")
    shown = shell('"$A" ask "Solve 3x + 11 = 14" <&- 2>&-')
    assert shown.returncode == 0
    assert b"x = 1" in shown.stdout
    assert rows("threads") == 1  # the database is one


@pytest.mark.parametrize(
    "command", ["--help", "--version", "ask --help", "completion bash", "completion fish"]
)
def test_short_outputs_that_cannot_be_written(command: str) -> None:
    streams = [(">&-", "Standard output cannot be written: it is closed.")]
    if HAS_FULL_DEVICE:
        streams.append((">/dev/full", "Standard output cannot be written: No space left on device."))
    for stream, says in streams:
        shown = shell(f'"$A" {command} {stream}')
        assert (shown.returncode, shown.stderr.decode()) == (1, f"assistants-tui: {says}\n")
        assert shell(f'"$A" {command} {stream} 2>&-').returncode == 1


@pytest.mark.skipif(not HAS_FULL_DEVICE, reason="the system has no /dev/full")
def test_errors_that_cannot_be_written_leave_the_exit_code() -> None:
    for line, code in (
        ('"$A" ask "" 2>/dev/full', 2),
        ('"$A" fly 2>/dev/full', 2),
        ('"$A" doctor >/dev/full', 1),
    ):
        shown = shell(line)
        assert (shown.returncode, shown.stdout) == (code, b"")
        assert b"Traceback" not in shown.stderr


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    for command in ("ask 'Solve 3x + 11 = 14'", "doctor", "completion bash"):
        shown = shell(f'{{ "$A" {command}; echo "code $?" >&2; }} | true')
        assert shown.stderr.decode() == "code 141\n"


@pytest.mark.skipif(sys.platform == "win32", reason=ARGUMENTS)
def test_an_argument_is_read_by_its_bytes() -> None:
    assert argument_text("Grüße") == "Grüße"
    assert argument_text("Grüße".encode().decode("ascii", "surrogateescape")) == "Grüße"
    for wrong in ("caf\udce9", "half a character: \ud83d"):
        with pytest.raises(InputError, match=re.escape(ascii(wrong)[1:-1])):
            argument_text(wrong)


@pytest.mark.parametrize(
    "streams",
    [
        "<&- >&- 2>&-",
        pytest.param(
            ">/dev/full 2>/dev/full",
            marks=pytest.mark.skipif(not HAS_FULL_DEVICE, reason="no /dev/full here"),
        ),
    ],
)
def test_a_server_serves_when_nobody_can_read_what_it_says(streams: str, tmp_path: Path) -> None:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    line = f'exec "$A" serve --port {port} --data-dir "$1" {streams}'
    server = subprocess.Popen(["sh", "-c", line, "sh", tmp_path], env={**os.environ, "A": str(COMMAND)})
    try:
        until = time.monotonic() + 90
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=60) as answer:
                    assert json.load(answer)["data"]
                break
            except urllib.error.URLError:
                assert server.poll() is None and time.monotonic() < until
                time.sleep(0.05)
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 130
    finally:
        server.kill()
        server.wait()


def test_a_pipe_that_does_not_wait_is_waited_for() -> None:
    program = """
import os
from assistants_tui.cli.streams import piped_text, prepare
prepare()
print([os.get_blocking(number) for number in (0, 1, 2)], piped_text())
"""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=read_end, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        os.close(read_end)
        with os.fdopen(write_end, "wb") as pipe:
            pipe.write(b"text")
        assert process.communicate(timeout=60) == (b"[True, True, True] text\n", b"")
