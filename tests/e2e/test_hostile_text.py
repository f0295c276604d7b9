"""Texts that are made to do harm, on their way through the installed command to the terminal and to pipes."""

import asyncio
import io
import json
import sys
from pathlib import Path

import pytest

from assistants_tui.cli import ask, main
from assistants_tui.service.safe_text import UNSAFE
from support.app import use_model
from support.hostile import strings
from support.model_endpoint import ModelEndpoint, calls, refuses, says
from torture import hostile_text

COUNT = 200  # 10,000 with tests/torture/hostile_text.py, which takes minutes


def test_nothing_that_a_terminal_obeys_reaches_it(empty_machine: Path) -> None:
    hostile_text.check(hostile_text.show(COUNT, 1, empty_machine, quiet=0.04))


async def test_nor_a_pipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setattr(ask, "log_to_file", lambda _: None)  # the log of this process is pytest's
    texts = strings(500)
    async with ModelEndpoint(
        says(*texts, finish="length"),
        refuses(400, {"message": "".join(texts[:20])}),
        calls(("getNickname", json.dumps({texts[0]: texts[1]}))),
        says(*texts[:100]),
    ) as endpoint:
        use_model(endpoint.url)
        for question in (
            ["ask", texts[2]],
            ["ask", "Hi"],
            ["ask", "--assistant", "Weather Bot", "Hi"],
            ["ask", "--json", "Hi"],
            ["ask", "--assistant", texts[3], "Hi"],
            ["ask", "--profile", texts[4], "Hi"],
        ):
            await asyncio.to_thread(main, question)
    shown = capsys.readouterr()
    for printed in (shown.out, shown.err):
        assert len(printed) > 500
        assert not UNSAFE.findall(printed)
