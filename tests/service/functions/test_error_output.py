"""However much a program says on standard error, the end of it is kept, and no more."""

import subprocess
import sys

from assistants_tui.service.functions.error_output import KEPT, LastWords


def test_the_last_line_of_much_is_kept() -> None:
    words = LastWords()
    program = "import sys; [print('y' * 999, file=sys.stderr) for _ in range(2000)]; sys.stderr.write('bye')"
    subprocess.run([sys.executable, "-c", program], stderr=words.file, check=True)
    assert words.line() == "bye"
    assert len(words._kept) <= KEPT


def test_a_program_that_lives_on_is_not_waited_for() -> None:
    words = LastWords()
    program = "import sys; print('ready', file=sys.stderr, flush=True); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=words.file,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdout.readline()
        assert words.line() == "ready"
        process.stdin.close()
