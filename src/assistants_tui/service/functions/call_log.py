"""One line for each function call of an assistant: what was asked, who decided, what came of it.

The lines are JSON, so that they can be searched. Values that look like secrets are left out.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistants_tui.settings.files import private_directory

_MAX_VALUE = 200
"""Characters of an argument that are kept."""
_SECRET_NAME = re.compile(r"key|token|secret|passw|credential|authorization", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"\b(?:sk|pk|ghp|gho|github_pat|xox[abp]|AKIA|eyJ)[-_A-Za-z0-9.]{12,}")
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What is told of a call."""

    profile: str
    thread_id: str
    run_id: str
    call_id: str
    function: str
    place: str
    """Where the function comes from; empty where the user wrote the output."""
    decision: str
    """`once`, `always`, `refused`, `never` or `typed`."""
    outcome: str
    """`ok`, `failed` or `declined`."""
    seconds: float
    arguments: Any


def write_record(path: Path, record: CallRecord, now: datetime | None = None) -> None:
    """Append the line of a call to the log, a file that only the user can read. Blocks on the disk.

    Raises `OSError`.
    """
    line = {
        "time": (now or datetime.now(UTC)).isoformat(timespec="seconds"),
        "profile": record.profile,
        "thread": record.thread_id,
        "run": record.run_id,
        "call": record.call_id,
        "function": record.function,
        "from": record.place,
        "decision": record.decision,
        "outcome": record.outcome,
        "seconds": round(record.seconds, 3),
        "arguments": without_secrets(record.arguments),
    }
    private_directory(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write(json.dumps(line, ensure_ascii=True).encode() + b"\n")


def without_secrets(value: Any, environ: Mapping[str, str] | None = None) -> Any:
    """A JSON value without what looks like a secret, by its name, its form or the environment."""
    variables = os.environ if environ is None else environ
    known = [text for name, text in variables.items() if _SECRET_NAME.search(name) and len(text) >= 8]
    return _cleaned(value, known)


def _cleaned(value: Any, known: list[str]) -> Any:
    if isinstance(value, dict):
        return {
            _text(name, known): _HIDDEN if _SECRET_NAME.search(name) else _cleaned(inner, known)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_cleaned(inner, known) for inner in value]
    return _text(value, known) if isinstance(value, str) else value


def _text(text: str, known: list[str]) -> str:
    for secret in known:
        text = text.replace(secret, _HIDDEN)
    text = _SECRET_VALUE.sub(_HIDDEN, text)
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}… ({len(text):,} characters)"
