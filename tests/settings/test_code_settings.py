"""What config.toml may say about the code interpreter."""

from pathlib import Path

import pytest

from assistants_tui.engine.tools.code_interpreter import Limits
from assistants_tui.engine.tools.code_interpreter.interface import MIB, UNCONFINED
from assistants_tui.engine.tools.code_interpreter.launchers import CHOICES
from assistants_tui.settings.code_settings import LIMITS, SANDBOXES, CodeSettings
from assistants_tui.settings.config import create_config, load_config


def load(folder: Path, text: str) -> tuple[CodeSettings, list[str]]:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    loaded = load_config(path)
    return loaded.config.code, [str(problem).removeprefix(f"{path}: ") for problem in loaded.problems]


def test_everything_that_can_be_set_is_read(tmp_path: Path) -> None:
    text = (
        '[code]\nsandbox = "landlock"\ntimeout = 5\nidle = 60.5\n'
        "memory = 512\nprocesses = 32\ndisk = 10\noutput = 5000"
    )
    assert load(tmp_path, text) == (CodeSettings("landlock", 5, 60.5, 512, 32, 10, 5000), [])


def test_the_defaults_are_those_of_the_engine() -> None:
    ours, theirs = CodeSettings(), Limits()
    assert (ours.timeout, ours.idle, ours.processes, ours.output) == (
        theirs.seconds,
        theirs.idle_seconds,
        theirs.processes,
        theirs.output_chars,
    )
    assert (ours.memory * MIB, ours.disk * MIB) == (theirs.memory, theirs.disk)


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_kept_within_bounds(tmp_path: Path, name: str) -> None:
    least, most, allowed = LIMITS[name]
    for value in (least, most):
        code, problems = load(tmp_path, f"[code]\n{name} = {value}")
        assert getattr(code, name) == value
        assert problems == []
    for wrong in (least - 1, most + 1, '"many"', "true"):
        code, problems = load(tmp_path, f"[code]\n{name} = {wrong}")
        assert code == CodeSettings()
        assert [problem.partition("; ")[2] for problem in problems] == [f"it must be {allowed}"]


def test_the_engine_knows_what_can_be_chosen() -> None:
    """The two share no module, and the engine has one choice more: only its user may make it."""
    assert [*SANDBOXES, UNCONFINED] == [*CHOICES]


def test_what_is_unknown_is_named(tmp_path: Path) -> None:
    _, problems = load(tmp_path, '[code]\nsandbox = "unconfined"\nram = 1')
    assert problems == [
        "code.sandbox is 'unconfined'; it must be one of " + ", ".join(f'"{name}"' for name in SANDBOXES),
        "code.ram is 1; unknown; allowed are sandbox, disk, idle, memory, output, processes, timeout",
    ]
    _, problems = load(tmp_path, "code = 3")
    assert problems == ["code is 3; it must be a table: [code]"]


def test_the_created_file_explains_each_of_them_with_its_default(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    create_config(path)
    begin, _, rest = path.read_text().partition("# [code]\n")
    assert begin
    lines = [line.removeprefix("# ") for line in rest.split("\n\n")[0].splitlines()]
    assert load(tmp_path, "[code]\n" + "\n".join(lines)) == (CodeSettings(), [])
    assert {line.split(" = ")[0] for line in lines} == {"sandbox", *LIMITS}
