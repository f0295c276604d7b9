"""The command that adds an extra fits how the program was installed."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from assistants_tui import installation
from assistants_tui.installation import install_command, missing_modules


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    return tmp_path


def installed_from(monkeypatch: pytest.MonkeyPatch, origin: dict[str, Any] | None) -> None:
    class Distribution:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return None if origin is None else json.dumps(origin)

    monkeypatch.setattr(installation, "distribution", lambda name: Distribution())


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("pipx_metadata.json", "pipx install --force 'assistants-tui[code]'"),
        ("uv-receipt.toml", "uv tool install --force 'assistants-tui[code]'"),
    ],
)
def test_tools_that_keep_programs(environment: Path, file: str, command: str) -> None:
    (environment / file).touch()
    assert install_command("code") == command


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (None, ["assistants-tui[code]"]),
        ({"url": "https://x.org/a.whl", "archive_info": {}}, ["assistants-tui[code]"]),
        (
            {"url": "file:///home/an%20a/code", "dir_info": {"editable": True}},
            ["--editable", "/home/an a/code[code]"],
        ),
    ],
)
def test_pip(
    environment: Path, monkeypatch: pytest.MonkeyPatch, origin: dict[str, Any] | None, words: list[str]
) -> None:
    installed_from(monkeypatch, origin)
    assert shlex.split(install_command("code")) == [sys.executable, "-m", "pip", "install", *words]


def test_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"numpy", "sympy", "pypdf"}
    monkeypatch.setattr(installation, "find_spec", lambda name: name if name in there else None)
    assert missing_modules("code") == ["pandas", "matplotlib", "openpyxl"]
