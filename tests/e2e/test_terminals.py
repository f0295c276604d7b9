"""What different terminals are sent: few colours, none, and word of a run that ended unseen."""

import os
import re
from pathlib import Path

from assistants_tui.settings.paths import user_paths
from support.terminal import COMMAND, Terminal


def test_a_terminal_with_256_colours_hears_of_a_run_that_ended_in_the_background() -> None:
    config = user_paths().config_file
    config.parent.mkdir(parents=True)
    config.write_text('notify = "osc9"\n')
    env = {name: value for name, value in os.environ.items() if name != "COLORTERM"}
    with Terminal(env=env) as terminal:
        terminal.wait_for("Math Tutor is ready")
        terminal.send("2 + 3\r")
        terminal.wait_for("Today")
        terminal.send("\x0e")
        terminal.wait_for(lambda _: b"\x1b]9;Run completed: 2 + 3\a" in terminal.raw)
        terminal.send("\x11")
        assert terminal.wait_for_exit() == 0
        assert b";5;" in terminal.raw
        assert not re.search(rb"[34]8;2;\d", terminal.raw)


def test_without_colours_nothing_but_grey_is_sent_and_errors_may_go_to_a_file(tmp_path: Path) -> None:
    said, drawn = tmp_path / "said", tmp_path / "drawn"
    script = f'"{COMMAND}" >"{drawn}"; echo "ended with $?"; exec "{COMMAND}" 2>"{said}"'
    env = {**os.environ, "COLORTERM": "truecolor", "NO_COLOR": "1"}
    with Terminal(["-c", script], command=Path("/bin/sh"), env=env) as terminal:
        terminal.wait_for("the app needs a terminal")
        terminal.wait_for("ended with 2")
        terminal.wait_for("Math Tutor is ready")
        terminal.send("\x11")
        assert terminal.wait_for_exit() == 0
        colours = re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", terminal.raw)
        assert colours
        assert {colour for colour in colours if len(set(colour)) > 1} == set()
        assert not re.search(rb"\x1b\[(?:\d;)*(?:3[1-7]|4[1-7]|9[1-7])(?:;\d)*m", terminal.raw)
    assert drawn.read_text() == ""
    assert said.read_text() == ""
