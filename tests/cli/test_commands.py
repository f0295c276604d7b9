"""The installed command without a terminal: in pipes, scripts and on a fresh machine."""

import asyncio
import gc
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from assistants_tui import __version__
from assistants_tui.cli import main
from assistants_tui.cli.exit_codes import FAILED, OK, USAGE
from assistants_tui.protocol.objects import Json
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.threads import ThreadIndex
from support.code_interpreter import NO_SANDBOX_HERE
from support.mcp_servers import use_servers
from support.odd_server import PROFILE, assistant, listed, message, odd_server
from support.terminal import COMMAND


def run(*arguments: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [COMMAND, *arguments],
        input=text,
        capture_output=True,
        text=True,
        env=dict(os.environ),
        timeout=120,
        check=False,
    )


def test_version_and_help() -> None:
    assert run("--version").stdout == f"assistants-tui {__version__}\n"
    for command in ([], ["ask"], ["serve"], ["doctor"]):
        shown = run(*command, "--help")
        assert shown.returncode == 0
        assert "usage: assistants-tui" in shown.stdout
        assert max(map(len, shown.stdout.splitlines())) <= 110


def test_the_collector_of_a_server_works_as_ever() -> None:
    before, usual = gc.get_threshold(), (700, 10, 10)
    gc.set_threshold(*usual)  # whatever command has run in this process
    try:
        assert main(["serve", "--host", "0.0.0.0"]) == USAGE
        assert gc.get_threshold() == usual
        assert main(["completion", "bash"]) == OK
        assert gc.get_threshold() != usual
    finally:
        gc.set_threshold(*before)


def test_the_app_without_a_terminal_says_what_to_use_instead() -> None:
    shown = run()
    assert shown.returncode == 2
    assert "assistants-tui ask" in shown.stderr
    assert shown.stdout == ""


def test_ask_streams_the_answer_and_keeps_the_thread() -> None:
    shown = run("ask", "Solve 3x + 11 = 14")
    assert shown.returncode == 0, shown.stderr
    assert "x = 1" in shown.stdout
    assert "\x1b" not in shown.stdout
    (reference,) = ThreadIndex(user_paths().threads_file).list("local")
    assert reference.title == "Solve 3x + 11 = 14"
    again = run("ask", "--thread", reference.id, "--json", text="2 + 3")
    assert again.returncode == 0, again.stderr
    answer = json.loads(again.stdout)
    assert answer["run"]["status"] == "completed"
    assert answer["run"]["thread_id"] == reference.id
    assert "5" in answer["messages"][0]["content"][0]["text"]["value"]
    assert [step["type"] for step in answer["steps"]] == ["tool_calls", "message_creation"]


def test_ask_says_when_a_function_has_to_be_answered() -> None:
    shown = run("ask", "--assistant", "Weather Bot", "What is the weather in Oulu?")
    assert shown.returncode == 3
    assert "getCurrentWeather" in shown.stderr
    assert re.search(r"in the app until \d\d:\d\d: assistants-tui --thread thread_\w+", shown.stderr)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["ask"], 2, "there is no question"),
        (["ask", "--assistant", "Nobody", "hi"], 1, "This profile has: Math Tutor"),
        (["ask", "--profile", "nowhere", "hi"], 1, "config.toml has: local"),
        (["ask", "--attach", "missing.csv", "hi"], 1, "missing.csv"),
        (["serve", "--host", "0.0.0.0"], 2, "--api-key-file"),
        (["serve", "--host", "0.0.0.0", "--api-key-file", "missing"], 1, "missing"),
        (["fly"], 2, "invalid choice"),
        (["serve", "--code-memory", "1"], 2, "'1': it must be a whole number of MiB from 256 to 1048576"),
        (["serve", "--code-timeout", "soon"], 2, "'soon': it must be a number of seconds from 1 to 3600"),
    ],
)
def test_mistakes_say_what_to_do(arguments: list[str], code: int, says: str) -> None:
    shown = run(*arguments)
    assert shown.returncode == code
    assert says in shown.stderr
    assert "Traceback" not in shown.stderr


async def test_ask_says_of_a_server_of_models_how_to_use_it() -> None:
    async def answer(method: str, path: str, sent: Json) -> tuple[int, Json]:
        if path != "/models":
            return 404, {"error": "404 page not found"}
        return 200, listed({"id": "llama3.2", "object": "model", "created": 1, "owned_by": "library"})

    async with odd_server(answer):
        shown = await asyncio.to_thread(run, "ask", "--profile", PROFILE, "Hello")
        url = load_config(user_paths().config_file).config.profiles[PROFILE].base_url
    assert (shown.returncode, shown.stdout) == (FAILED, "")
    assert "is a server of models (chat completions): it has no assistants. " in shown.stderr
    assert f"kind “embedded” with model_url “{url}”" in shown.stderr
    assert shown.stderr.count("\n") == 1


async def test_ask_gives_an_answer_of_a_run_that_cannot_be_read() -> None:
    """As a proxy of LiteLLM answers: a stream that is none, and nothing of runs."""

    messages: list[Json] = []

    async def answer(method: str, path: str, sent: Json) -> tuple[int, Json]:
        if (method, path) == ("POST", "/threads"):
            messages.append(message("Hello"))
            return 200, {"id": "thread_1", "object": "thread", "created_at": 1_700_000_000, "metadata": {}}
        if method == "POST":
            answers = (3, "and more."), (2, "An answer")
            messages[:0] = [message(text, number=number, role="assistant") for number, text in answers]
            return 200, {"odd": "no stream"}
        if path == "/threads/thread_1/messages":
            return 200, listed(*messages)
        return (200, listed(assistant())) if path == "/assistants" else (404, {"error": {"message": "no"}})

    async with odd_server(answer):
        shown = await asyncio.to_thread(run, "ask", "--profile", PROFILE, "Hello")
    assert (shown.returncode, shown.stdout, shown.stderr) == (OK, "An answer\n\nand more.\n", "")


def test_without_a_sandbox_ask_refuses_code_unless_told_otherwise() -> None:
    config = user_paths().config_file
    config.parent.mkdir(parents=True)
    config.write_text(f'[code]\nsandbox = "{NO_SANDBOX_HERE}"\n')
    refused = run("ask", "--json", "Solve 3x + 11 = 14")
    assert "Code interpreter is off: this computer has no usable sandbox." in refused.stderr
    assert "--run-code-unsandboxed runs it all the same, with access to your files" in refused.stderr
    assert json.loads(refused.stdout)["steps"][0]["metadata"]["sandbox"] == "none"
    told = run("ask", "--run-code-unsandboxed", "Solve 3x + 11 = 14")
    assert "x = 1" in told.stdout
    assert told.stderr == ""


def test_doctor_reports_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    config = user_paths().config_file
    config.parent.mkdir(parents=True)
    config.write_text(
        '[profiles.local]\nkind = "embedded"\n'
        '[profiles.team]\nkind = "openai"\nbase_url = "http://127.0.0.1:1/v1"\napi_key_env = "TEAM_KEY"\n'
        '[models.away]\nurl = "http://127.0.0.1:1/v1"\nkey_env = "TEAM_KEY"\n'
    )
    monkeypatch.setenv("TEAM_KEY", "sk-canary-0123456789")
    shown = run("doctor")
    assert shown.returncode == 1, "one profile cannot be reached"
    assert "✓ local" in shown.stdout
    assert "✗ team" in shown.stdout
    assert "✗ away: http://127.0.0.1:1/v1; Nothing listens at 127.0.0.1:1" in shown.stdout
    assert "Code interpreter" in shown.stdout
    assert "with numpy, pandas" in shown.stdout
    assert "local: by words alone" in shown.stdout
    assert str(config) in shown.stdout
    assert "canary" not in shown.stdout + shown.stderr


def test_doctor_says_what_starting_as_root_means() -> None:
    shown = run("doctor").stdout
    assert ("! Started as root" in shown) == (os.geteuid() == 0)
    if os.geteuid() == 0 and "✓ bubblewrap" in shown:
        assert re.search(r"Code runs as the user nobody|Code runs as root, without root's rights", shown)


def test_a_mistake_in_the_settings_is_reported_and_survived() -> None:
    config = user_paths().config_file
    config.parent.mkdir(parents=True)
    config.write_text("[runs]\nstream = 3\n")
    shown = run("ask", "2 + 2")
    assert shown.returncode == 0
    assert "4" in shown.stdout
    assert "runs.stream" in shown.stderr


def test_attached_files_reach_the_thread(tmp_path: Path) -> None:
    table = tmp_path / "tides.csv"
    table.write_text("hour,height\n0,0.4\n6,1.2\n")
    shown = run("ask", "--json", "--attach", str(table), "2 + 2")
    assert shown.returncode == 0, shown.stderr
    (reference,) = ThreadIndex(user_paths().threads_file).list("local")
    assert reference.id == json.loads(shown.stdout)["run"]["thread_id"]


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="charts need the extra `code`")
def test_files_that_the_assistant_makes_are_named_and_saved(tmp_path: Path) -> None:
    table, charts = tmp_path / "tides.csv", tmp_path / "charts"
    table.write_text("hour,height\n0,0.4\n6,1.2\n")
    asked = ("ask", "--assistant", "Data Visualizer", "--attach", str(table))
    shown = run(*asked, "Chart this")
    assert re.search(r"The assistant made image-1\.png \(file-\w+\)\. --save FOLDER saves", shown.stderr)
    shown = run(*asked, "--save", str(charts), "Chart this")
    assert f"Saved {charts / 'image-1.png'}" in shown.stderr
    assert (charts / "image-1.png").read_bytes().startswith(b"\x89PNG")


def test_an_attached_document_is_quoted_and_cited(tmp_path: Path) -> None:
    policy = tmp_path / "leave.md"
    policy.write_text(
        "# Leave policy\nEmployees may take 28 days of paid leave each year. "
        "Up to five unused days can be carried over into the next year.\n\n"
        "# Remote work\nThree days a week.\n"
    )
    question = "How many days of leave can I carry over?"
    linear = run("ask", "--linear", "--assistant", "HR Helper", "--attach", str(policy), question)
    assert linear.returncode == 0, linear.stderr
    lines = linear.stdout.splitlines()
    assert lines[0] == "HR Helper searches in documents."
    assert "Note 1: leave.md." in lines
    assert lines[-1].startswith("Run completed")
    assert "\r" not in linear.stdout
    shown = run("ask", "--assistant", "HR Helper", "--attach", str(policy), question)
    assert shown.returncode == 0, shown.stderr
    assert "> Up to five unused days can be carried over into the next year.【" in shown.stdout
    assert "†leave.md】" in shown.stdout
    assert "Three days a week" not in shown.stdout


def test_doctor_tries_the_servers_of_tools_side_by_side(tmp_path: Path) -> None:
    config = user_paths().config_file
    config.parent.mkdir(parents=True, exist_ok=True)
    waits = (
        "import pathlib, sys, time; mine, other = map(pathlib.Path, sys.argv[1:]); mine.touch()\n"
        "while not other.exists(): time.sleep(0.01)\n"
        "sys.exit('both are here')"
    )
    names = [str(tmp_path / name) for name in "ab"]
    program = f"command = {json.dumps(sys.executable)}\nargs = "
    config.write_text(
        f"[mcp.a]\n{program}{json.dumps(['-c', waits, *names])}\n"
        f"[mcp.b]\n{program}{json.dumps(['-c', waits, *names[::-1]])}\n"
    )
    assert run("doctor").stdout.count("both are here") == 2


def test_doctor_tries_the_servers_of_tools() -> None:
    use_servers()
    shown = run("doctor")
    _, _, servers = shown.stdout.partition("MCP servers\n")
    lines = servers.splitlines()
    assert lines[:2] == ["  ✓ good: 1 tool", "  ✓ half: 1 tool"]
    assert lines[2] == "  ✗ half: its tool bad cannot be used: inputSchema: Field required."
    assert lines[-1] == "  ✗ gone: Connection closed. It said: GITHUB_TOKEN is not set"
    assert shown.returncode == 1
