"""The user's own editor and pager get the terminal, and the app gets it back."""

import os
import stat
from pathlib import Path

from assistants_tui.settings.paths import user_paths
from support.code_interpreter import NO_SANDBOX_HERE
from support.terminal import Terminal

EDITOR = """\
#!/bin/sh
case "$1" in
  *.py) echo 'print("seen by the editor")' >> "$1" ;;
  *) echo 'Solve 3x + 11 = 14' > "$1" ;;
esac
"""
PAGER = """\
#!/bin/sh
cp "$1" "$SEEN"
"""
ITS_SCREEN = b"\x1b[?1049h"


def script(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(stat.S_IRWXU)
    return str(path)


def test_a_question_and_code_are_edited_and_an_answer_is_paged(tmp_path: Path) -> None:
    config = user_paths().config_file
    config.parent.mkdir(parents=True)
    config.write_text(f'[code]\nsandbox = "{NO_SANDBOX_HERE}"\n')
    seen = tmp_path / "seen"
    seen.mkdir()
    env = {
        **os.environ,
        "VISUAL": script(tmp_path / "editor", EDITOR),
        "PAGER": script(tmp_path / "pager", PAGER),
        "SEEN": str(seen),
    }
    with Terminal(env=env) as terminal:
        terminal.wait_for("Math Tutor is ready")
        terminal.send("\x05")
        terminal.wait_for("Solve 3x + 11 = 14")
        terminal.send("\r")
        terminal.wait_for("Run this code without a sandbox?")
        terminal.wait_for(lambda text: "Reject" in text.splitlines()[-1])
        terminal.send("\x05")
        # the field is there before the editor is done with its text: only then there are two lines below
        terminal.wait_for(lambda text: "Run this" in text.splitlines()[-1] and "2 more lines" in text)
        terminal.send("\x1b[6~\x1b[6~")
        terminal.wait_for(
            lambda text: '16  print("seen by the editor")' in text and "then it can run" not in text
        )
        terminal.send("\x13")
        terminal.wait_for("x = 1")
        terminal.wait_for("completed")
        terminal.send("\x1b[Z")
        terminal.wait_for(lambda text: "Regenerate" in text.splitlines()[-1])
        since = len(terminal.raw)
        terminal.send("v")
        while not (seen / "message.md").exists():
            assert terminal.read(60)
        # the screen still holds what was there before; the app has the terminal once it paints anew
        terminal.wait_for(lambda _: b"Regenerate" in terminal.raw[since:].partition(ITS_SCREEN)[2])
        terminal.send("\x11")
        assert terminal.wait_for_exit() == 0
    assert "x = 1" in (seen / "message.md").read_text()
