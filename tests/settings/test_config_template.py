"""The config.toml that is written at first offers every setting, and says what holds without it."""

import re
import stat
from pathlib import Path

import pytest

from assistants_tui.settings.config import (
    SECTIONS,
    CodeSettings,
    Config,
    FunctionSettings,
    Price,
    Profile,
    RunSettings,
)
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.config_template import create_config, template
from assistants_tui.settings.mcp_server import McpServer
from assistants_tui.settings.setting_fields import declared


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "config.toml"


def test_the_file_that_is_created_says_what_the_defaults_are(path: Path) -> None:
    assert create_config(path)
    assert load_config(path).config == Config()
    assert load_config(path).problems == ()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("# mine\n")
    assert not create_config(path)
    assert path.read_text() == "# mine\n"


def test_what_it_offers_in_comments_is_accepted(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(re.sub(r"(?m)^# (?=\[|[\w\".]+ = )", "", template()))
    loaded = load_config(path)
    assert loaded.problems == ()
    config = loaded.config
    assert {*config.profiles} == {"local", "team", "azure", "foundry"}
    assert config.profiles["foundry"].token_command[:2] == ("az", "account")
    assert config.profiles["local"].runs == RunSettings(token_balance=100_000, tool_choice="file_search")
    assert config.keys == {"app.quit": "ctrl+q"}
    assert config.code == CodeSettings()
    assert config.functions == FunctionSettings(python="~/venv/bin/python", env={"SHOP_KEY": "$SHOP_KEY"})
    assert config.mcp["team"] == McpServer(
        "team", url="https://mcp.example.org/mcp", api_key_env="TEAM_MCP_KEY"
    )
    assert config.mcp["files"].command == "npx"
    assert config.prices == {"gpt-4o": Price(2.5, 10)}


def test_it_offers_every_setting_and_no_line_is_longer_than_it_must() -> None:
    text = template()
    for section in SECTIONS:
        for name in declared(section.settings):
            assert re.search(rf"(?m)^(# )?{name} = ", text), name
    assert all(len(line) <= 110 for line in text.splitlines() if "token_command" not in line)
    assert {*declared(Profile)} >= {"kind", "model_url"}
