"""Every setting is shown as it is in force, and says where it comes from."""

import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.settings.config import (
    KIND_FIELDS,
    CodeSettings,
    Config,
    FunctionSettings,
    Price,
    Profile,
    RunSettings,
)
from assistants_tui.settings.config_reader import LoadedConfig, load_config
from assistants_tui.settings.mcp_server import McpServer
from assistants_tui.settings.settings_reference import Setting, settings_of

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
    assert facts["mcp.files"][0] == "npx …", "arguments may hold what nobody else should see"
    assert facts["prices.m"][0] == "1 in, 2.5 out"
    assert found["runs.timeout"].allowed == "a number of seconds from 1 to 86400"


def test_a_profile_without_settings_of_its_own_has_those_of_all(tmp_path: Path) -> None:
    assert shown(tmp_path, "local")["runs.stream"].value == "false"


def test_every_setting_of_every_kind_of_profile_is_explained() -> None:
    for kind in KIND_FIELDS:
        found = settings_of(LoadedConfig(Config()), Profile("p", kind))
        assert all(one.about and one.allowed for one in found)
        assert {item.name for item in fields(RunSettings)} <= {one.name for one in found}
        assert {*KIND_FIELDS[kind]} <= {one.name for one in found if one.group == "profiles.p"}


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(str.strip)
URLS = st.sampled_from(["https://x.org", "http://localhost:1/v1", "https://x.org/v1?sig=hidden#hidden"])
NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,5}", fullmatch=True)
COMMANDS = st.lists(TEXTS, min_size=1, max_size=3).map(tuple)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "default_model": TEXTS,
    "embedding_model": TEXTS,
    "organization": TEXTS,
    "project": TEXTS,
    "api_version": TEXTS,
    "token_command": COMMANDS,
    "api_key_env": NAMES,
    "model_api_key_env": NAMES,
    "model_url": URLS,
    "base_url": URLS,
    "azure_endpoint": URLS,
    "project_endpoint": URLS,
    "allow_plain_http": st.booleans(),
}


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    kind = draw(st.sampled_from(sorted(KIND_FIELDS)))
    given_fields = {name: draw(FIELDS[name]) for name in KIND_FIELDS[kind]}
    runs = RunSettings(
        stream=draw(st.booleans()),
        timeout=draw(st.floats(1, 86_400)),
        token_balance=draw(st.none() | st.integers(0, 10**12)),
        tool_choice=draw(st.none() | st.just("file_search")),
    )
    return Profile("team-1", kind, runs, **given_fields)


SERVERS = st.one_of(
    st.builds(
        McpServer,
        st.just("files"),
        command=TEXTS,
        args=st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=3).map(tuple),
        env=st.dictionaries(st.just("MODE"), TEXTS.filter(lambda text: not text.startswith("$"))),
    ),
    st.builds(McpServer, st.just("files"), url=URLS, api_key_env=st.none() | NAMES),
)
PRICES = st.builds(Price, st.floats(0, 1e9), st.floats(0, 1e9))


@given(profiles(), SERVERS, st.dictionaries(TEXTS, PRICES, max_size=2), st.sampled_from(["osc9", "off"]))
def test_what_is_copied_is_read_as_the_same_settings(
    profile: Profile, server: McpServer, prices: dict[str, Price], notify: Any
) -> None:
    config = Config(
        profiles={"team-1": profile},
        default_profile="team-1",
        notify=notify,
        functions=FunctionSettings(timeout=12.5, python="~/my python"),
        mcp={"files": server},
        prices=prices,
        code=CodeSettings(memory=300),
        hooks=Path("/x/my hooks.py"),
    )
    for shown in ({"files": server}, {}):  # and where there is nothing to copy
        config = Config(**{item.name: getattr(config, item.name) for item in fields(Config)} | {"mcp": shown})
        tables: dict[str, list[str]] = {}
        for one in settings_of(LoadedConfig(config), profile):
            assert "hidden" not in f"{one}"
            head = "" if one.toml.startswith("[") else one.group
            tables.setdefault(head, []).append(one.toml)
        top = tables.pop("", [])
        text = "\n".join(line for line in top if not line.startswith("["))
        for group, lines in tables.items():
            text += f"\n[{group}]\n" + "\n".join(lines)
        text += "\n" + "\n".join(line for line in top if line.startswith("["))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "config.toml"
            path.write_text(text, encoding="utf-8")
            loaded = load_config(path)
        assert not loaded.problems, text
        assert loaded.config == config
