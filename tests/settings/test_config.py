"""The table of settings agrees with those who use its values, and each of its bounds is kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.code_interpreter import Limits
from assistants_tui.engine.code_interpreter.execution import MIB, UNCONFINED
from assistants_tui.engine.code_interpreter.launchers import CHOICES
from assistants_tui.settings.config import SANDBOXES, SECTIONS, CodeSettings, RunSettings
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.setting_fields import Declaration, declared
from assistants_tui.settings.value_types import Environment, Number, ValueType, Words

ALL = [(section, setting) for section in SECTIONS for setting in declared(section.settings).values()]


def test_the_defaults_are_those_of_the_engine() -> None:
    ours, theirs = CodeSettings(), Limits()
    assert (ours.timeout, ours.idle, ours.processes, ours.output) == (
        theirs.seconds,
        theirs.idle_seconds,
        theirs.processes,
        theirs.output_chars,
    )
    assert (ours.memory * MIB, ours.disk * MIB) == (theirs.memory, theirs.disk)


def test_the_engine_knows_what_can_be_chosen() -> None:
    """The two share no module, and the engine has one choice more: only its user may make it."""
    assert [*SANDBOXES, UNCONFINED] == [*CHOICES]


@pytest.mark.parametrize(("setting"), [one for _, one in ALL], ids=[f"{s.name}.{one.name}" for s, one in ALL])
def test_a_declaration_is_whole_and_keeps_to_its_own_type(setting: Declaration) -> None:
    assert setting.help[0].isupper() and setting.help.endswith(".") and setting.type.allowed
    if setting.example is not None:
        assert setting.type.wrong(setting.example) == ""
    if setting.default not in (None, ()):
        assert setting.type.wrong(setting.default) == ""
        assert setting.type.read(setting.type.parse(setting.type.text(setting.default))) == setting.default
    for wrong in (object(), [[]], {"a": object()}):
        assert setting.type.wrong(wrong)


def numbers() -> Iterator[tuple[str, str, Declaration]]:
    for table in (RunSettings, CodeSettings):
        for setting in declared(table).values():
            if isinstance(setting.type, Number):
                yield ("runs" if table is RunSettings else "code"), setting.name, setting


@pytest.mark.parametrize(("table", "name", "setting"), numbers())
def test_numbers_are_kept_within_bounds(tmp_path: Path, table: str, name: str, setting: Declaration) -> None:
    kind = setting.type
    assert isinstance(kind, Number)

    def load(value: object) -> tuple[Any, list[str]]:
        path = tmp_path / "config.toml"
        path.write_text(f"[{table}]\n{name} = {value}", encoding="utf-8")
        loaded = load_config(path)
        settings = loaded.config.code if table == "code" else loaded.config.profiles["local"].runs
        return getattr(settings, name), [problem.allowed for problem in loaded.problems]

    most = kind.most if kind.most < 1e12 else 10**12
    for value in (kind.least, most, *([kind.unlimited] if kind.unlimited else [])):
        assert load(value) == (value, [])
    past = [] if kind.most > most else [most + 1]
    for wrong in (
        kind.least - (3 if kind.unlimited else 1),
        *past,
        '"many"',
        "true",
        "nan",
        "inf",
        "9" * 400,
    ):
        assert load(wrong) == (setting.default, [f"it must be {kind.allowed}"])


@pytest.mark.parametrize("kind", [Words(), Environment()])
def test_a_quote_that_is_not_closed_is_told(kind: ValueType) -> None:
    with pytest.raises(ValueError, match="text in which each quote is closed"):
        kind.parse('A="b')


@given(st.sampled_from([one for _, one in ALL]), st.just("9" * 400) | st.text(max_size=12))
def test_what_is_typed_is_good_or_told(setting: Declaration, text: str) -> None:
    try:
        value = setting.type.parse(text)
    except ValueError as error:
        assert str(error)
    else:
        assert setting.type.wrong(value) == ""
        assert setting.type.parse(setting.type.text(setting.type.read(value))) == value
