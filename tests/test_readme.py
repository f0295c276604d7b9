"""The README tells the truth: its commands run, its settings are read, its links lead somewhere."""

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assistants_tui.cli import build_parser
from assistants_tui.cli.defaults import DEFAULT_HOST, DEFAULT_PORT
from assistants_tui.settings.config_reader import load_config
from assistants_tui.tui.themes import read_theme
from settings_table import renewed
from support.serve_command import serve_command

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
_BLOCK = re.compile(r"(?:<!-- (?P<kind>[\w-]+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)


def blocks(language: str, kind: str | None = None) -> list[str]:
    """The texts of the code blocks with this comment above them."""
    return [
        found["text"]
        for found in _BLOCK.finditer(README)
        if found["language"] == language and found["kind"] == kind
    ]


def test_every_shell_block_is_run_by_somebody() -> None:
    kinds = {found["kind"] for found in _BLOCK.finditer(README) if found["language"] == "sh"}
    # `tests` by .ci/run; `open` is the same but for the last word; `long` takes long; the others below
    assert kinds == {"open", "tests", "install", "tour", "serve", "requests", "long"}


def test_the_tour(tmp_path: Path) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    running = [  # all at once: they wait for processes of their own most of the time
        subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", block], cwd=tmp_path, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for block in blocks("sh", "tour")
    ]  # fmt: skip
    shown = [process.communicate(timeout=240) for process in running]
    assert [process.returncode for process in running] == [0] * len(running), shown
    output = "".join(said for said, _ in shown)
    for said in ("x = 1", "The chart shows sales", "hours.md", "closes at six", "144", "Code interpreter"):
        assert said in output
    assert "complete" in (tmp_path / "completion.sh").read_text()


def test_the_table_of_settings_is_the_one_of_now() -> None:
    assert renewed(README) == README, "python tests/settings_table.py writes it anew"


async def test_requests_are_answered(tmp_path: Path) -> None:
    (block,) = blocks("sh", "requests")
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    async with serve_command(tmp_path) as server:
        request = shlex.split(block.replace("http://127.0.0.1:8123", server.url))
        process = await asyncio.create_subprocess_exec(*request, "--silent", stdout=asyncio.subprocess.PIPE)
        answer, _ = await process.communicate()
    assert {one["name"] for one in json.loads(answer)["data"]} >= {"Math Tutor", "HR Helper"}


def test_the_commands_for_servers_and_installations() -> None:
    (serve,) = blocks("sh", "serve")
    build_parser().parse_args(shlex.split(serve, comments=True)[1:])
    assert f"http://{DEFAULT_HOST}:{DEFAULT_PORT}/v1" in serve
    (install,) = blocks("sh", "install")
    commands = [shlex.split(line) for line in install.splitlines()]
    assert {command[-1] for command in commands} == {".[code]"}, "the extra that a test of packaging knows"
    (long,) = blocks("sh", "long")
    assert [path for path in re.findall(r"tests/\S+\.py", long) if not (ROOT / path).is_file()] == []
    (opening,) = blocks("sh", "open")
    (testing,) = blocks("sh", "tests")
    assert opening.split(" && ")[0] == testing.split(" && ")[0]


@pytest.mark.parametrize("text", blocks("toml"))
def test_settings_are_read_as_they_stand(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    loaded = load_config(path)
    assert loaded.problems == ()
    assert {f"[profiles.{name}]" in text for name in loaded.config.profiles} == {True}


def test_the_theme_is_one(tmp_path: Path) -> None:
    (text,) = blocks("toml", "theme")
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert read_theme(path).name == "Mine"


def test_files_that_are_named_are_there() -> None:
    named = re.findall(r"\]\((?!https?:|#)([^)]+)\)", README)
    named += [
        "src/assistants_tui/" + path for path in re.findall(r"`((?:tui|engine|service)/[\w/.]+)`", README)
    ]
    assert "screenshots/conversation.svg" in named
    assert [path for path in named if not (ROOT / path).exists()] == []
    for found in re.findall(r"\]\(#([\w-]+)\)", README):
        headings = [head.casefold().replace(" ", "-") for head in re.findall(r"(?m)^#+ (.*)", README)]
        assert found in headings
