"""Interpreters that leave nothing behind."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from assistants_tui.engine.code_interpreter import CodeInterpreter, Limits, fonts
from support.code_interpreter import OpenInterpreter, Thread


@pytest.fixture
async def open_interpreter(tmp_path: Path) -> AsyncIterator[OpenInterpreter]:
    """Opens interpreters with given limits; skips the test when the sandbox does not work on this machine."""
    opened = []
    if (list_of_fonts := fonts.folder(tmp_path / "data")) is not None:
        list_of_fonts.mkdir(parents=True)  # so that no test but its own has it made, which takes a second

    async def open_one(launcher: str = "auto", **limits: Any) -> CodeInterpreter:
        interpreter = CodeInterpreter(tmp_path / "data", limits=Limits(**limits), launcher=launcher)
        opened.append(interpreter)
        sandbox = await interpreter.sandbox()
        if not sandbox.available:
            pytest.skip(f"no sandbox here: {sandbox.reason}")
        return interpreter

    yield open_one
    for interpreter in opened:
        await interpreter.close()


@pytest.fixture
async def thread(open_interpreter: OpenInterpreter) -> Thread:
    """A thread in the strongest sandbox of the machine."""
    return Thread(await open_interpreter())
