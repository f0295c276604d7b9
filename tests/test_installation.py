"""The command that adds an extra fits how the program was installed."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from assistants_tui import installation
from assistants_tui.installation import MODULES, install_command, missing_modules, module_advice


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment into which the program came from an index, without extras."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(installation, "find_spec", lambda name: None)
    installed_from(monkeypatch, None)
    return tmp_path


def installed_from(monkeypatch: pytest.MonkeyPatch, origin: dict[str, Any] | None) -> None:
    class Distribution:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return None if origin is None else json.dumps(origin)

    monkeypatch.setattr(installation, "distribution", lambda name: Distribution())


TOOLS = {
    "pipx_metadata.json": ["pipx", "install", "--force"],
    "uv-receipt.toml": ["uv", "tool", "install", "--force"],
    "pyvenv.cfg": [sys.executable, "-m", "pip", "install"],
}
GIT = {"vcs": "git", "requested_revision": "main", "commit_id": "c0ffee"}


@pytest.mark.parametrize("file", TOOLS)
@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (None, ["assistants-tui[code]"]),
        (
            {"url": "https://x.org/a.whl", "archive_info": {}},
            ["assistants-tui[code] @ https://x.org/a.whl"],
        ),
        (
            {"url": "file:///home/an%20a/code", "dir_info": {}},
            ["assistants-tui[code] @ file:///home/an%20a/code"],
        ),
        (
            {"url": "https://x.org/a.git", "vcs_info": GIT, "subdirectory": "sub"},
            ["assistants-tui[code] @ git+https://x.org/a.git@c0ffee#subdirectory=sub"],
        ),
        (
            {"url": "file:///home/an%20a/code", "dir_info": {"editable": True}},
            ["--editable", "/home/an a/code[code]"],
        ),
    ],
)
def test_it_comes_from_where_it_came(
    environment: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    origin: dict[str, Any] | None,
    words: list[str],
) -> None:
    installed_from(monkeypatch, origin)
    (environment / file).touch()
    assert shlex.split(install_command("code")) == [*TOOLS[file], *words]


def test_extras_that_are_there_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "find_spec", lambda name: name if name in ("PIL", "numpy") else None)
    assert shlex.split(install_command("code"))[-1] == "assistants-tui[code,images]"
    assert shlex.split(install_command("mcp"))[-1] == "assistants-tui[images,mcp]"


def test_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"numpy", "sympy", "pypdf"}
    monkeypatch.setattr(installation, "find_spec", lambda name: name if name in there else None)
    assert missing_modules("code") == ["pandas", "matplotlib", "openpyxl"]


def test_code_that_misses_a_module_of_an_extra_is_told_so() -> None:
    advice = module_advice()
    assert list(advice) == list(MODULES["code"])
    assert "`assistants-tui doctor` shows" in advice["pandas"]
