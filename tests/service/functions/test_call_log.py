"""The log of function calls: a line each, readable by the user alone, without secrets."""

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistants_tui.service.functions.call_log import CallRecord, without_secrets, write_record

RECORD = CallRecord(
    profile="local",
    thread_id="thread_1",
    run_id="run_1",
    call_id="call_1",
    function="tide",
    place="tides.py",
    decision="once",
    outcome="ok",
    seconds=0.25,
    arguments={"port": "Oulu", "api_key": "abc", "note": "\x1b]0;x\x07\nline"},
)


def test_each_call_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "state" / "function-calls.log"
    write_record(path, RECORD, datetime(2026, 11, 20, 12, tzinfo=UTC))
    write_record(path, replace(RECORD, decision="refused", outcome="declined"))
    lines = path.read_text().splitlines()
    assert len(lines) == 2
    assert "\x1b" not in lines[0]
    first = json.loads(lines[0])
    assert first["time"] == "2026-11-20T12:00:00+00:00"
    assert (first["function"], first["decision"], first["outcome"]) == ("tide", "once", "ok")
    assert first["arguments"] == {"port": "Oulu", "api_key": "***", "note": "\x1b]0;x\x07\nline"}
    assert json.loads(lines[1])["decision"] == "refused"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (
            {"password": "x", "nested": [{"Authorization": "Bearer x"}]},
            {"password": "***", "nested": [{"Authorization": "***"}]},
        ),
        ("use sk-abcdefghijklmnop now", "use *** now"),
        ("the value of-the-environment", "the value ***"),
        (3, 3),
        (None, None),
        ("x" * 300, "x" * 200 + "… (300 characters)"),
    ],
)
def test_secrets_are_left_out(value: object, kept: object) -> None:
    assert without_secrets(value, {"SOME_TOKEN": "of-the-environment", "PATH": "the value"}) == kept
