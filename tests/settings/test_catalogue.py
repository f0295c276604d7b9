"""Every setting is shown as it is in force, and says where it comes from."""

from dataclasses import fields
from pathlib import Path

from assistants_tui.settings.catalogue import Setting, settings_of
from assistants_tui.settings.config import (
    KIND_FIELDS,
    Config,
    LoadedConfig,
    Profile,
    RunSettings,
    load_config,
)

FILE = """
default_profile = "team"
notify = "osc9"
[runs]
timeout = 30
stream = false
[profiles.local]
kind = "embedded"
[profiles.team]
kind = "openai"
base_url = "https://x.org/v1"
[profiles.team.runs]
stream = true
token_balance = 5
[functions]
timeout = 5
[mcp.files]
command = "npx"
args = ["files"]
[prices.m]
input = 1
output = 2.5
"""


def shown(tmp_path: Path, profile: str) -> dict[str, Setting]:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    loaded = load_config(path)
    assert loaded.problems == ()
    return {setting.path: setting for setting in settings_of(loaded, loaded.config.profiles[profile])}


def test_values_of_the_file_are_told_apart_from_defaults(tmp_path: Path) -> None:
    found = shown(tmp_path, "team")
    facts = {path: (one.value, one.default, one.source) for path, one in found.items()}
    assert facts["notify"] == ("osc9", "bell", "config.toml, its first lines")
    assert facts["theme"] == ("not set", "not set", "default")
    assert facts["runs.timeout"] == ("30", "600", "config.toml, [runs]")
    assert facts["runs.poll_interval"] == ("1", "1", "default")
    assert facts["profiles.team.runs.stream"] == ("true", "true", "config.toml, [profiles.team.runs]")
    assert facts["profiles.team.runs.token_balance"][0] == "5"
    assert facts["profiles.team.base_url"][0] == "https://x.org/v1"
    assert facts["functions.timeout"][:2] == ("5", "60")
    assert facts["mcp.files"][0] == "npx files"
    assert facts["prices.m"][0] == "1 in, 2.5 out"
    assert found["runs.timeout"].allowed == "a number of seconds from 1 to 86400"


def test_a_profile_without_settings_of_its_own_has_those_of_all(tmp_path: Path) -> None:
    assert shown(tmp_path, "local")["runs.stream"].value == "false"


def test_every_setting_of_every_kind_of_profile_is_explained() -> None:
    for kind in KIND_FIELDS:
        found = settings_of(LoadedConfig(Config()), Profile("p", kind))
        assert all(one.about and one.allowed for one in found)
        assert {item.name for item in fields(RunSettings)} <= {one.name for one in found}
        assert KIND_FIELDS[kind] <= {one.name for one in found if one.group == "profiles.p"}
