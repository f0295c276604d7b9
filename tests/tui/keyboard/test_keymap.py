"""The user's own keys are checked: names, keys, and two actions for one key."""

import pytest

from assistants_tui.tui.keyboard.keymap import known_actions, problems_of


def test_the_actions_of_all_screens_are_known() -> None:
    known = known_actions()
    assert {"app.quit", "threads.rename", "messages.copy", "profiles.new", "editor.save"} <= known.keys()
    assert known["threads.delete"].keys == ("d", "delete")
    assert known["threads.delete"].what == "Delete here or everywhere"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"thread.pin": "x"}, ["keys.thread.pin: there is no such action; did you mean threads.pin?"]),
        ({"qqq": "x"}, ["keys.qqq: there is no such action; the settings (F5) list all actions."]),
        ({"threads.pin": "ctrl+foo"}, ["'ctrl+foo' is no key"]),
        ({"threads.pin": "f4"}, ["f4 is also the key of inspector.toggle"]),
        ({"threads.pin": "d,w"}, ["d is also the key of threads.delete"]),
        ({"threads.pin": "r", "threads.rename": "p"}, []),
        ({"threads.pin": "+", "threads.add": "alt+left,slash"}, ["slash is also the key of threads.filter"]),
        ({"app.quit": "ctrl+q,f10", "threads.pin": "?"}, []),
    ],
)
def test_mistakes_are_told_in_a_sentence(keys: dict[str, str], said: list[str]) -> None:
    found = [problem for problem in problems_of(keys) if "pane.left" not in problem]
    assert len(found) == len(said), found
    for problem, words in zip(found, said, strict=True):
        assert words in problem
