"""The whole product as its user meets it: the installed command in a terminal, on an empty machine."""

import os

from support.terminal import Terminal

EQUATION = "I need to solve the equation `3x + 11 = 14`. Can you help me?"


def test_typing_the_question_on_a_first_launch_gives_the_worked_answer() -> None:
    with Terminal(env=os.environ) as terminal:
        terminal.wait_for("Type a message")  # the first frame; no key is lost although nothing is behind it
        terminal.send(EQUATION)
        terminal.wait_for("Math Tutor is ready")
        terminal.send("\r")
        terminal.wait_for("completed")
        screen = terminal.text
        assert "x = 1" in screen
        assert "code interpreter" in screen
        assert "3x + 11 = 14" in screen
        terminal.send("And what is 12 * 12?\r")
        terminal.wait_for("144")
        terminal.wait_for("completed")
        terminal.send("\x11")
        assert terminal.wait_for_exit() == 0

    with Terminal(env=os.environ) as terminal:
        terminal.wait_for("I need to solve the equation")
        terminal.send("\x1b[Z\x1b[Z")
        terminal.send("\x11")
        assert terminal.wait_for_exit() == 0
