"""config.toml is changed in place: what is not meant to change stays byte for byte."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.settings.config import Profile, RunSettings
from assistants_tui.settings.config_editor import append_profile, append_provider, change_setting
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.config_template import template
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.provider_settings import ProviderSettings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "config.toml"


NEW = Profile(
    name="team",
    kind="azure",
    azure_endpoint="https://x.org",
    api_version="v1",
    token_command=("az", 'a "quoted" one'),
    runs=RunSettings(stream=False),
)


@pytest.mark.parametrize("before", ["", "# no newline at the end", "[keys]\nx = 'y'\n", None])
def test_a_profile_is_appended_and_nothing_else_changes(path: Path, before: str | None) -> None:
    if before is not None:
        path.parent.mkdir()
        path.write_text(before)
    append_profile(path, NEW)
    after = path.read_text()
    assert before is None or after.startswith(before)
    loaded = load_config(path)
    assert loaded.problems == ()
    assert loaded.config.profiles["team"] == Profile(
        **{**{name: getattr(NEW, name) for name in NEW.__dataclass_fields__}, "runs": RunSettings()}
    )
    if before is not None:
        assert path.with_name("config.previous.toml").read_text() == before


@pytest.mark.parametrize(
    ("before", "name", "reason"),
    [
        ("[profiles.team]\nkind = 'embedded'\n", "team", r"already has \[profiles.team\]"),
        ("a = [", "team", "is not TOML"),
        ("profiles = {}", "team", "write them as"),
        ("", "../x", "no name for a profile"),
        ("", "a.b", "no name for a profile"),
    ],
)
def test_a_profile_that_cannot_be_appended_changes_nothing(
    path: Path, before: str, name: str, reason: str
) -> None:
    path.parent.mkdir()
    path.write_text(before)
    with pytest.raises(SettingsError, match=reason):
        append_profile(path, Profile(name=name, kind="embedded"))
    assert path.read_text() == before


@pytest.mark.parametrize("before", ["# no newline at the end", None])
def test_a_provider_is_appended_as_it_was_given(path: Path, before: str | None) -> None:
    if before is not None:
        path.parent.mkdir()
        path.write_text(before)
    provider = ProviderSettings(
        "router",
        "https://models.example.org/v1",
        key_env="ROUTER_KEY",
        headers={"X-Title": 'a "quoted" one'},
        body={"provider": {"order": ["a"]}},
        allow=("b",),
    )
    append_provider(path, provider)
    assert before is None or path.read_text().startswith(before)
    loaded = load_config(path)
    assert loaded.problems == ()
    assert dict(loaded.config.models) == {"router": provider}


@pytest.mark.parametrize(
    ("before", "name", "reason"),
    [
        ("[models.a]\nurl = 'http://localhost:1/v1'\n", "a", r"already has \[models.a\]"),
        ("models = {}", "a", r"write them as \[models.NAME\]"),
        ("", "a/b", "no name for a provider"),
    ],
)
def test_a_provider_that_cannot_be_appended_changes_nothing(
    path: Path, before: str, name: str, reason: str
) -> None:
    path.parent.mkdir()
    path.write_text(before)
    with pytest.raises(SettingsError, match=reason):
        append_provider(path, ProviderSettings(name, "http://localhost:2/v1"))
    assert path.read_text() == before


def test_a_linked_file_is_read_but_not_replaced(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.toml"
    target.write_text("theme = 'dusk'\n")
    path.parent.mkdir()
    path.symlink_to(target)
    assert load_config(path).config.theme == "dusk"
    with pytest.raises(SettingsError, match="symbolic link"):
        append_profile(path, NEW)
    assert target.read_text() == "theme = 'dusk'\n"


def change(path: Path, before: str, key: str, value: object) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(before.encode())
    change_setting(path, key.split("."), value)
    assert path.with_name("config.previous.toml").read_bytes() == before.encode()
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    ("key", "value", "behind"),
    [
        ("runs.timeout", 45, "# timeout = 600 "),
        ("notify", "osc9", "#                                 # "),
        ("code.memory", 512, "# memory = 2048 "),
        ("functions.env", {"A": "b"}, "#                                 # "),
        ("profiles.local.model_url", "http://localhost:1/v1", "# model_url = "),
        ("profiles.local.runs.stream", False, ""),
        ("keys.app.quit", "f10", '# "app.quit" = '),
    ],
)
def test_a_new_value_stands_behind_the_comment_that_offers_it(
    path: Path, key: str, value: object, behind: str
) -> None:
    path.parent.mkdir()
    names = key.split(".", 1) if key.startswith("keys.") else key.split(".")
    change_setting(path, names, value)  # there is no file yet: it is the one that is written at first
    assert load_config(path).problems == ()
    before, after = template().splitlines(), path.read_text().splitlines()
    added = [line for line in after if line not in before]
    assert len(added) == (1 if behind else 2)
    at = after.index(added[-1])
    if behind:
        assert after[:at] + after[at + 1 :] == before
        assert after[at - 1].startswith(behind)
    else:
        assert after[: len(before)] == before
    change_setting(path, names, None)
    kept = path.read_text().splitlines()
    assert kept[: len(before)] == before


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        ("[runs]\ntimeout = 30  # mine\n", "runs.timeout", 45, "[runs]\ntimeout = 45  # mine\n"),
        ("[runs]\ntimeout=30\n", "runs.timeout", 45, "[runs]\ntimeout=45\n"),
        ("[runs]\nstream = 1  # yes\n", "runs.stream", True, "[runs]\nstream = true  # yes\n"),
        ("runs.timeout = 30 # a\n", "runs.timeout", 45, "runs.timeout = 45 # a\n"),
        ("runs = { timeout = 30 }\n", "runs.timeout", 45, "runs = { timeout = 45 }\n"),
        ("# mine\n[runs]\n", "runs.timeout", 45, "# mine\n[runs]\ntimeout = 45\n"),
        ("[ runs ] # why\n[keys]", "runs.timeout", 45, "[ runs ] # why\ntimeout = 45\n[keys]\n"),
        ("# mine", "runs.timeout", 45, "# mine\n\n[runs]\ntimeout = 45\n"),
        ("", "notify", "off", 'notify = "off"\n'),
        (
            "[keys]\n",
            "profiles.local.default_model",
            "m",
            '[keys]\n\n[profiles.local]\nkind = "embedded"\ndefault_model = "m"\n',
        ),
        ("[keys]\n", "notify", "off", 'notify = "off"\n[keys]\n'),
        ('theme = "nord"\n\n[keys]\n', "notify", "off", 'theme = "nord"\nnotify = "off"\n\n[keys]\n'),
        ("[runs]\r\n# a\r\n", "runs.timeout", 45, "[runs]\r\ntimeout = 45\r\n# a\r\n"),
        ("[runs]\ntimeout = 30\nstream = true\n", "runs.timeout", None, "[runs]\nstream = true\n"),
        ("[code]\nmemory = 300 # a\n# b\n", "code.memory", None, "[code]\n# b\n"),
        ("a = [\n[1, 2],\n]\n[runs]\n", "runs.stream", True, "a = [\n[1, 2],\n]\n[runs]\nstream = true\n"),
        ("[keys]\nx = 'y'\n", "keys.x", ["f1", "f2"], '[keys]\nx = ["f1", "f2"]\n'),
        (
            'theme = """\n[runs]\n# timeout = 3\n"""\n',
            "runs.timeout",
            45,
            'theme = """\n[runs]\n# timeout = 3\n"""\n\n[runs]\ntimeout = 45\n',
        ),
    ],
)
def test_one_value_is_changed_and_all_else_stays(
    path: Path, before: str, key: str, value: object, after: str
) -> None:
    assert change(path, before, key, value) == after


def test_what_is_so_already_writes_nothing(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("[runs]\ntimeout = 30\n")
    change_setting(path, ("runs", "timeout"), 30)
    change_setting(path, ("runs", "stream"), None)
    change_setting(path, ("code", "memory"), None)
    assert not path.with_name("config.previous.toml").exists()
    assert path.read_text() == "[runs]\ntimeout = 30\n"


@pytest.mark.parametrize(
    ("before", "key", "value", "reason"),
    [
        ("", "runs.timeout", 0, "it must be a number of seconds from 1 to 86400"),
        ("", "runs.timeout", "long", "it must be a number of seconds from 1 to 86400"),
        ("", "runs.speed", 1, "unknown; "),
        ("runs = 3\n", "runs.timeout", 3, "has no place for runs.timeout: write it there yourself"),
        ("a = [", "runs.timeout", 3, "is not TOML, correct it first"),
        ("", "profiles.other.model_url", "http://localhost:1", "profiles.other.kind: it must be one of"),
        (
            '[profiles.a]\nkind = "embedded"\nmodel_url = "http://localhost:1"\n',
            "profiles.a.model_api_key_env",
            "OPENAI_API_KEY",
            "The key in OPENAI_API_KEY is not sent to localhost:1",
        ),
        (
            '[profiles.a]\nkind = "openai"\nbase_url = "https://x.org"\n',
            "profiles.a.base_url",
            None,
            'a profile of kind "openai" needs it',
        ),
    ],
)
def test_what_the_file_may_not_say_changes_nothing(
    path: Path, before: str, key: str, value: object, reason: str
) -> None:
    path.parent.mkdir()
    path.write_text(before)
    with pytest.raises(SettingsError, match=re.escape(reason)):
        change_setting(path, key.split("."), value)
    assert path.read_text() == before
    assert not path.with_name("config.previous.toml").exists()


def test_a_file_that_cannot_be_read_is_told(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"config\.toml cannot be read: Is a directory"):
        change_setting(path, ("runs", "timeout"), 3)


def test_a_mistake_elsewhere_is_no_reason_to_refuse(path: Path) -> None:
    after = change(path, "[runs]\nspeed = 1 # ?\n[code]\nmemory = 1\n", "runs.timeout", 45)
    assert after == "[runs]\nspeed = 1 # ?\ntimeout = 45\n[code]\nmemory = 1\n"
    assert change(path, after, "code.memory", 512).endswith("[code]\nmemory = 512\n")


PARTS = (
    "# first\n",
    'theme = "nord" # t\n',
    'notify = "off"\n',
    "runs.stream = false\n",
    "runs = { stream = true } # r\n",
    "[runs] # table\n",
    "[ runs ]\n# timeout = 600 # offered\n",
    "stream = true\n",
    "timeout = 1_0.5 # odd\n",
    "\n",
    "[code]\n",
    "memory = 0x200\n",
    "# memory = 2048\n",
    '[keys]\n"app.quit" = ["ctrl+q", # q\n  "f10"]\n',
    '[profiles.local]\nkind = "embedded"\n',
    "[profiles.local.runs]\n",
    "[mcp.x]\ncommand = '''\n[runs]\ntimeout = 3\n'''\n",
)
CHANGES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("runs.timeout", (45, 0.5, None)),
    ("runs.stream", (True, False, None)),
    ("code.memory", (512, None)),
    ("theme", ("dusk", 'a "b" \\ c', None)),
    ("notify", ("bell", None)),
    ("profiles.local.runs.timeout", (7, None)),
)


@given(
    st.lists(st.sampled_from(PARTS), max_size=8),
    st.sampled_from(CHANGES).flatmap(lambda one: st.tuples(st.just(one[0]), st.sampled_from(one[1]))),
)
def test_a_change_says_what_is_wanted_and_keeps_every_comment(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], wanted: tuple[str, object]
) -> None:
    before = "".join(parts)
    try:
        document = tomllib.loads(before)
    except tomllib.TOMLDecodeError:
        return
    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text(before)
    key, value = wanted
    try:
        change_setting(path, key.split("."), value)
    except SettingsError as error:
        assert "no place" not in str(error)
        assert path.read_text() == before
        return
    after = path.read_text()
    assert comments(after) >= comments(before) - (
        comments(line_with(before, key)) if value is None else set()
    )
    changed = tomllib.loads(after)
    if "profiles" in changed and "profiles" not in document:
        assert changed["profiles"]["local"].pop("kind") == "embedded"
    *tables, name = key.split(".")
    ours, theirs = changed, document
    for table in tables:
        ours, theirs = ours.get(table, {}), theirs.get(table, {})
    assert ours.pop(name, None) == value
    theirs.pop(name, None)
    assert without_empty(changed) == without_empty(document)


def comments(text: str) -> set[str]:
    return set(re.findall(r"#[^\n]*", text))


def line_with(text: str, key: str) -> str:
    """The lines that may set a key."""
    return "\n".join(line for line in text.splitlines() if key.rpartition(".")[2] in line)


def without_empty(table: dict[str, Any]) -> dict[str, Any]:
    inner = {name: without_empty(one) if isinstance(one, dict) else one for name, one in table.items()}
    return {name: one for name, one in inner.items() if one != {}}
