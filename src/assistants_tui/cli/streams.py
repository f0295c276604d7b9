"""Standard input, output and error, whatever they are connected to: closed, full, or not in UTF-8."""

import codecs
import contextlib
import errno
import fcntl
import io
import os
import sys
from typing import TextIO

MAX_INPUT = 1_024_000
"""Bytes of standard input that are read; no message of the API is longer."""

_MARKS = (  # UTF-32 first: its mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_ATTACH = "Send it as a file: --attach FILE"
_CONVERT = "Convert it first, for example with: iconv -f ISO-8859-1 -t UTF-8"


class OutputError(Exception):
    """Standard output cannot be written. `str` is a sentence."""


class InputError(Exception):
    """Standard input or an argument cannot be used as text. `str` is a sentence."""


def prepare() -> None:
    """Make the three streams usable for the rest of the process.

    Reading and writing wait, also where another program on the same terminal or pipe has set it otherwise.
    A closed stream gets the null device in its place, so that no file that is opened later takes its number,
    and with it what is printed. Standard output then refuses to be written. Characters that the encoding of
    a terminal does not have become question marks.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # not a file
            os.set_blocking(stream.fileno(), True)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # plain ASCII is what Python takes where no locale is set: that says nothing about the reader
            unset = stream.encoding in {"ascii", "ANSI_X3.4-1968"} and "PYTHONIOENCODING" not in os.environ
            stream.reconfigure(encoding="utf-8" if unset else None, errors="replace")


def check_output() -> None:
    """Raise `OutputError` if standard output is closed, before there is anything that would be lost."""
    try:
        mode = fcntl.fcntl(sys.stdout.fileno(), fcntl.F_GETFL)
    except (OSError, ValueError):  # not a file
        return
    if mode & os.O_ACCMODE == os.O_RDONLY:
        raise OutputError("Standard output is closed. Use >/dev/null if nobody is to read it.")


def out(text: str, end: str = "\n") -> None:
    """Write to standard output at once. Raises `OutputError`; `BrokenPipeError` where the reader has gone."""
    try:
        sys.stdout.write(text + end)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = "it is closed" if error.errno == errno.EBADF else error.strerror or str(error)
        raise OutputError(f"Standard output cannot be written: {reason}.") from error


def note(text: str, end: str = "\n") -> None:
    """Write to standard error at once. Where that is not possible, nobody reads it."""
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Send what a stream still holds, and all that follows, to the null device: Python flushes at its end."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
        stream.flush()


def piped_text() -> str:
    """The text of standard input; empty if it is a terminal or closed. Raises `InputError`."""
    if sys.stdin.isatty():
        return ""
    try:
        data = sys.stdin.buffer.read(MAX_INPUT + 1)
    except OSError as error:
        if error.errno == errno.EBADF:  # open, but only to be written
            return ""
        raise InputError(f"Standard input cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_INPUT:
        raise InputError(
            f"Standard input has more than {MAX_INPUT:,} bytes; no message is that long. {_ATTACH}"
        )
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in data:
            raise InputError(f"Standard input is not a text. {_ATTACH}") from None
        where = f"byte {error.start + 1:,} is {data[error.start]:#04x}"
        raise InputError(f"Standard input is not a text in UTF-8: {where}. {_CONVERT}") from None
    if "\0" in text:
        raise InputError(f"Standard input is not a text. {_ATTACH}")
    return text.strip()


def argument_text(value: str) -> str:
    """An argument as text, also where the locale does not say how it is encoded. Raises `InputError`."""
    try:
        return os.fsencode(value).decode("utf-8") if _is_undecoded(value) else value
    except UnicodeError:
        raise InputError(f"{value!r} is not a text in UTF-8. {_CONVERT}") from None


def _is_undecoded(value: str) -> bool:
    """Whether Python could not decode all bytes of it, and holds them as surrogates."""
    return any("\ud800" <= character <= "\udfff" for character in value)
