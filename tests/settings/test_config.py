"""config.toml: what it may say, what happens when it says something else, and that it is never rewritten."""

import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistants_tui.settings.config import (
    LOCAL,
    Config,
    Profile,
    RunSettings,
    append_profile,
    create_config,
    load_config,
)
from assistants_tui.settings.files import SettingsError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "config.toml"


def load(path: Path, text: str) -> tuple[Config, list[str]]:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    loaded = load_config(path)
    return loaded.config, [str(problem).removeprefix(f"{path}: ") for problem in loaded.problems]


def test_without_a_file_there_is_the_embedded_profile(path: Path) -> None:
    loaded = load_config(path)
    assert loaded.config == Config()
    assert loaded.config.profiles == {"local": LOCAL}
    assert loaded.problems == ()
    assert not path.parent.exists()


def test_the_file_that_is_created_says_what_the_defaults_are(path: Path) -> None:
    assert create_config(path)
    assert load_config(path).config == Config()
    assert load_config(path).problems == ()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("# mine\n")
    assert not create_config(path)
    assert path.read_text() == "# mine\n"


def test_what_the_created_file_offers_in_comments_is_accepted(path: Path) -> None:
    create_config(path)
    offered = [
        line.removeprefix("# ").split("     #")[0]
        for line in path.read_text().splitlines()
        if " = " in line or line.startswith(("[", "# [", "#     "))
    ]
    config, problems = load(path, "\n".join(offered))
    assert problems == []
    assert {*config.profiles} == {"local", "team", "foundry"}
    assert config.profiles["foundry"].token_command[:2] == ("az", "account")
    assert config.profiles["local"].runs == RunSettings(token_balance=100_000, tool_choice="file_search")
    assert config.keys == {"app.quit": "ctrl+q"}


def test_a_full_file_is_read(path: Path) -> None:
    config, problems = load(
        path,
        """
        default_profile = "team"
        theme = "dusk"
        [profiles.local]
        kind = "embedded"
        model_url = "http://localhost:11434/v1"
        model_api_key_env = "MODEL_KEY"
        default_model = "llama3.2"
        embedding_model = "nomic-embed-text"
        [profiles.team]
        kind = "openai"
        base_url = "https://assistants.example.org/v1"
        api_key_env = "TEAM_KEY"
        [profiles.team.runs]
        stream = false
        timeout = 30
        [profiles.azure]
        kind = "azure"
        azure_endpoint = "https://me.openai.azure.com"
        api_version = "2024-05-01-preview"
        token_command = ["az", "account"]
        [profiles.foundry]
        kind = "foundry"
        project_endpoint = "https://x.services.ai.azure.com/api/projects/p"
        [runs]
        poll_interval = 2
        token_balance = 1000
        max_response_chars = -1
        [keys]
        "app.quit" = ["ctrl+q", "f10"]
        "app.help" = "f2"
        """,
    )
    assert problems == []
    assert (config.default_profile, config.theme) == ("team", "dusk")
    assert config.keys == {"app.quit": "ctrl+q,f10", "app.help": "f2"}
    assert config.profiles["local"].embedding_model == "nomic-embed-text"
    assert config.profiles["local"].runs == RunSettings(poll_interval=2, token_balance=1000)
    assert config.profiles["team"].runs == RunSettings(
        poll_interval=2, token_balance=1000, stream=False, timeout=30
    )
    assert config.profiles["azure"].token_command == ("az", "account")
    assert [profile.key_variable for profile in config.profiles.values()] == [
        "MODEL_KEY",
        "TEAM_KEY",
        "AZURE_OPENAI_API_KEY",
        None,
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a = [\n1\nb", "line 3, column 1"),
        ("[profiles.x]\nkind='embedded'\n[profiles.x]\n", "line 3, column 12; not TOML: Cannot declare"),
        ("default_profile = 'x", "not TOML"),
    ],
)
def test_a_file_that_is_no_toml_names_the_line(path: Path, text: str, sentence: str) -> None:
    config, problems = load(path, text)
    assert config == Config()
    assert len(problems) == 1
    assert sentence in problems[0]


def test_a_file_that_is_no_text_or_cannot_be_read_gives_the_defaults(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"theme = '\xff'")
    assert "not UTF-8" in str(load_config(path).problems[0])
    path.unlink()
    path.mkdir()
    loaded = load_config(path)
    assert loaded.config == Config()
    assert "directory" in str(loaded.problems[0])


EMBEDDED = "[profiles.a]\nkind = 'embedded'\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("colour = 1", "colour is 1; unknown; allowed are code, default_profile, functions, hooks, keys"),
        ("notify = 'loud'", """notify is 'loud'; it must be one of "bell","""),
        ("hooks = 3", "hooks is 3; it must be the path of a Python file"),
        ("hooks = 'hooks.sh'", "hooks is 'hooks.sh'; it must be the path of a Python file"),
        ("theme = 3", "theme is 3; it must be the name of a theme"),
        ("default_profile = 'b'", "default_profile is 'b'; it must be the name of a profile: 'local'"),
        ("default_profile = [1]", "default_profile is [1]; it must be the name of a profile: 'local'"),
        ("profiles = 1", "profiles is 1; it must be a table: [profiles]"),
        ("[profiles]\nx = 1", "profiles.x is 1; it must be a table: [profiles.x]"),
        ("[profiles.'a b']", "profiles is 'a b'; a name is 1 to 64 letters, digits, `-` and `_`"),
        ("[profiles.'../up']\nkind='embedded'", "profiles is '../up'; a name is"),
        ("[profiles.a]", 'profiles.a.kind is \'missing\'; it must be one of "embedded", "openai"'),
        ("[profiles.a]\nkind = 'Azure'", "profiles.a.kind is 'Azure'; it must be one of"),
        ("[profiles.a]\nkind = ['azure']", "profiles.a.kind is ['azure']; it must be one of"),
        (
            "[profiles.a]\nkind = 'openai'",
            "profiles.a.base_url is 'missing'; a profile of kind \"openai\" needs it",
        ),
        (
            "[profiles.a]\nkind = 'openai'\nbase_url = 'me.org'",
            "profiles.a.base_url is 'me.org'; it must be a URL",
        ),
        (
            EMBEDDED + "base_url = 'http://x'",
            "profiles.a.base_url is 'http://x'; unknown; allowed are allow_plain_http, default_model",
        ),
        (
            EMBEDDED + "model_url = 'http://localhost:1/v1'\nmodel_api_key_env = 'OPENAI_API_KEY'",
            "profiles.a.model_api_key_env; The key in OPENAI_API_KEY is not sent to localhost:1",
        ),
        (EMBEDDED + "allow_plain_http = 1", "profiles.a.allow_plain_http is 1; it must be true or false"),
        (EMBEDDED + "default_model = ''", "profiles.a.default_model is ''; it must be a text in quotes"),
        (EMBEDDED + "model_url = 7", "profiles.a.model_url is 7; it must be a text in quotes"),
        ("[runs]\nstream = 'yes'", "runs.stream is 'yes'; it must be true or false"),
        ("[runs]\ntimeout = 0", "runs.timeout is 0; it must be a number of seconds from 1 to 86400"),
        ("[runs]\ntimeout = true", "runs.timeout is True; it must be a number of seconds"),
        ("[runs]\npoll_interval = nan", "runs.poll_interval is nan; it must be a number of seconds"),
        (
            "[runs]\nmax_response_chars = 0",
            "runs.max_response_chars is 0; it must be a whole number of at least 1",
        ),
        (
            "[runs]\nassistant_fetch_count = 1.5",
            "runs.assistant_fetch_count is 1.5; it must be a whole number",
        ),
        ("[runs]\ntoken_balance = -1", "runs.token_balance is -1; it must be a whole number of at least 0"),
        (
            "[runs]\ntool_choice = 'a b'",
            "runs.tool_choice is 'a b'; it must be code_interpreter, file_search",
        ),
        ("runs = 1", "runs is 1; it must be a table: [runs]"),
        ("[keys]\nx = 1", 'keys.x is 1; it must be a key such as "ctrl+n", or a list of them'),
        ("[keys]\nx = []", "keys.x is []; it must be a key"),
        (EMBEDDED + "[profiles.a.runs]\nspeed = 1", "profiles.a.runs.speed is 1; unknown; allowed are"),
    ],
)
def test_a_mistake_is_named_with_key_value_and_what_is_allowed(path: Path, text: str, sentence: str) -> None:
    _, problems = load(path, text)
    assert len(problems) == 1
    assert problems[0].startswith(sentence)


def test_one_mistake_costs_only_its_own_part(path: Path) -> None:
    config, problems = load(
        path,
        "[profiles.good]\nkind = 'embedded'\ndefault_model = 'm'\nmodel_url = 3\n"
        "[profiles.bad]\nkind = 'openai'\n[runs]\ntimeout = 'long'\npoll_interval = 3\n",
    )
    assert len(problems) == 3
    assert [*config.profiles] == ["good"]
    assert config.profiles["good"].default_model == "m"
    assert config.profiles["good"].model_url is None
    assert config.profiles["good"].runs == RunSettings(poll_interval=3)
    assert config.default_profile == "good"


@pytest.mark.parametrize(
    "line",
    [
        "api_key = 'sk-very-secret'",
        "api_key_env = 'sk-very-secret'",
        "password = 'sk-very-secret'",
        "token_command = 'sk-very-secret'",
        "base_url = 'https://me:sk-very-secret@x.org/v1'",
    ],
)
def test_a_key_in_the_file_is_never_shown(path: Path, line: str) -> None:
    text = f"[profiles.a]\nkind = 'azure'\n{line}\n"
    if line.startswith("base_url"):
        text = text.replace("azure", "openai")
    _, problems = load(path, text)
    assert problems
    assert "sk-very-secret" not in " ".join(problems)


def test_a_long_or_strange_value_is_shown_short_and_harmless(path: Path) -> None:
    _, problems = load(path, f'theme = ["{"x" * 500}", "\\u001b[31m"]')
    assert len(problems[0]) < 150
    _, problems = load(path, 'theme = ["\\u001b[31m"]')
    assert "\x1b" not in problems[0]


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
        ("[profiles.team]\nkind = 'embedded'\n", "team", "already has a profile"),
        ("a = [", "team", "is not TOML"),
        ("profiles = {}", "team", "write profiles as"),
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


def test_a_linked_file_is_read_but_not_replaced(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.toml"
    target.write_text("theme = 'dusk'\n")
    path.parent.mkdir()
    path.symlink_to(target)
    assert load_config(path).config.theme == "dusk"
    with pytest.raises(SettingsError, match="symbolic link"):
        append_profile(path, NEW)
    assert target.read_text() == "theme = 'dusk'\n"


VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(max_size=4) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["local", "kind", "runs", "stream", "timeout", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["profiles", "runs", "keys", "theme", "default_profile"]), VALUES))
def test_whatever_the_file_says_the_program_starts(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, object]
) -> None:
    import tomli_w

    path = tmp_path_factory.mktemp("config") / "config.toml"
    text = tomli_w.dumps(document)
    path.write_text(text, encoding="utf-8")
    tomllib.loads(text)
    config = load_config(path).config
    assert config.default_profile in config.profiles
