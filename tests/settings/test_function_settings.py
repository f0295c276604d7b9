"""What config.toml may say about functions, MCP servers and prices."""

from pathlib import Path

import pytest

from assistants_tui.settings.config import Config, load_config
from assistants_tui.settings.function_settings import FunctionSettings, McpServer, Price


def load(folder: Path, text: str) -> tuple[Config, list[str]]:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    loaded = load_config(path)
    return loaded.config, [str(problem).removeprefix(f"{path}: ") for problem in loaded.problems]


def test_everything_that_can_be_set_is_read(tmp_path: Path) -> None:
    config, problems = load(
        tmp_path,
        """
        [functions]
        timeout = 5
        python = "/usr/bin/python3"
        [mcp.files]
        command = "npx"
        args = ["-y", "server", "."]
        env = { GITHUB_TOKEN = "$GITHUB_TOKEN", LEVEL = "debug" }
        [mcp.team]
        url = "https://mcp.example.org/mcp"
        api_key_env = "TEAM_MCP_KEY"
        [prices."gpt-4o"]
        input = 2.5
        output = 10
        """,
    )
    assert problems == []
    assert config.functions == FunctionSettings(timeout=5, python="/usr/bin/python3")
    assert config.mcp == {
        "files": McpServer(
            "files", "npx", ("-y", "server", "."), {"GITHUB_TOKEN": "$GITHUB_TOKEN", "LEVEL": "debug"}
        ),
        "team": McpServer("team", url="https://mcp.example.org/mcp", api_key_env="TEAM_MCP_KEY"),
    }
    assert config.prices == {"gpt-4o": Price(2.5, 10)}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("functions = 3", "functions is 3"),
        ("[functions]\ntimeout = 0", "functions.timeout is 0"),
        ("[functions]\npython = ''", "functions.python is ''"),
        ("[mcp.a]\ncommand = ''", "mcp.a.command is ''"),
        ("[mcp.a]\ncommand = 'x'\nenv = 3", "mcp.a.env is 3"),
        ("[functions]\ntimeout = true", "functions.timeout is True"),
        ("[functions]\nfolder = 'x'", "functions.folder is 'x'"),
        ("[mcp.a]", "mcp.a is 'missing'"),
        ("[mcp.'a b']\ncommand = 'x'", "mcp is 'a b'"),
        ("mcp.a = 1", "mcp.a is 1"),
        ("[mcp.a]\ncommand = 'x'\nurl = 'https://x'", "mcp.a.command is 'x'"),
        ("[mcp.a]\nurl = 'ftp://x'", "mcp.a.url is 'ftp://x'"),
        ("[mcp.a]\ncommand = 'x'\nargs = 'y'", "mcp.a.args; it must be"),
        ("[mcp.a]\ncommand = 'x'\nenv = { A = '$B C' }", "mcp.a.env"),
        ("[prices.m]\ninput = 1", "prices.\"m\" is {'input': 1}"),
        ("[prices.m]\ninput = 1\noutput = -1", 'prices."m" is'),
    ],
)
def test_a_mistake_is_told_and_left_out(tmp_path: Path, text: str, where: str) -> None:
    config, problems = load(tmp_path, text)
    assert len(problems) == 1
    assert problems[0].startswith(where)
    assert (config.functions, config.mcp, config.prices) == (FunctionSettings(), {}, {})


def test_a_key_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    config, problems = load(tmp_path, "[mcp.a]\ncommand = 'x'\nenv = { GITHUB_TOKEN = 'ghp_12345' }")
    assert config.mcp == {}
    assert '"$GITHUB_TOKEN"' in problems[0]
    assert "ghp_12345" not in problems[0]
    config, problems = load(tmp_path, "[mcp.a]\nurl = 'https://x'\napi_key_env = 'sk-123 45'")
    assert config.mcp == {}
    assert "sk-123" not in problems[0]


def test_the_environment_of_a_server_is_not_shown() -> None:
    assert "debug" not in repr(McpServer("a", "x", env={"LEVEL": "debug"}))
