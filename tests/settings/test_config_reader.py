"""config.toml: what it may say, and what happens when it says something else."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistants_tui.settings.config import (
    LOCAL,
    SANDBOXES,
    CodeSettings,
    Config,
    FunctionSettings,
    Price,
    RunSettings,
)
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.mcp_server import McpServer


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
        (f"x = {'9' * 5000}", "the file; not TOML: a number has thousands of digits"),
        (
            f"x = {'[' * 3000}{']' * 3000}",
            "the file; not TOML: tables or lists stand in one another too deep",
        ),
        (f"{'a.' * 3000}b = 1", "the file; not TOML: tables or lists stand in one another too deep"),
    ],
    ids=lambda text: text[:20],
)
def test_a_file_that_is_no_toml_says_where_or_why(path: Path, text: str, sentence: str) -> None:
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
        pytest.param(
            f"theme = 0x{'9' * 5000}",
            "theme is a number of thousands of digits; it must be the name of a theme",
            id="theme = 0x999",
        ),
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
        (EMBEDDED + "model_url = 7", "profiles.a.model_url is 7; it must be a URL such as"),
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


def test_settings_of_code_are_read(path: Path) -> None:
    text = (
        '[code]\nsandbox = "landlock"\ntimeout = 5\nidle = 60.5\n'
        "memory = 512\nprocesses = 32\ndisk = 10\noutput = 5000"
    )
    config, problems = load(path, text)
    assert (config.code, problems) == (CodeSettings("landlock", 5, 60.5, 512, 32, 10, 5000), [])


def test_what_is_unknown_about_code_is_named(path: Path) -> None:
    _, problems = load(path, '[code]\nsandbox = "unconfined"\nram = 1')
    assert sorted(problems) == [
        "code.ram is 1; unknown; allowed are disk, idle, memory, output, processes, sandbox, timeout",
        "code.sandbox is 'unconfined'; it must be one of " + ", ".join(f'"{name}"' for name in SANDBOXES),
    ]
    _, problems = load(path, "code = 3")
    assert problems == ["code is 3; it must be a table: [code]"]


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("[runs]\nstram = true", "runs.stram is True; unknown; did you mean stream? allowed are"),
        ("[code]\nmemroy = 300", "code.memroy is 300; unknown; did you mean memory? allowed are"),
        ("them = 'nord'", "them is 'nord'; unknown; did you mean theme? allowed are"),
        ("[profiles.a]\nkind = 'embedded'\nmodel_ulr = 'http://x'", "profiles.a.model_ulr is"),
        ("[functions]\npyhton = 'x'", "functions.pyhton is 'x'; unknown; did you mean python?"),
        (
            "[profiles.a]\nkind = 'azure'\napi_key_envs = 'K'",
            "profiles.a.api_key_envs; unknown;",
        ),
    ],
)
def test_an_unknown_key_gets_the_nearest_name(path: Path, text: str, near: str) -> None:
    _, problems = load(path, text)
    assert len(problems) == 1
    assert problems[0].startswith(near)
    assert "did you mean" in problems[0]


@pytest.mark.parametrize("url", ["http://[::1/v1", "http://x:99999/v1", "http://x:0", "http://:80/v1"])
def test_an_address_that_cannot_be_is_told(path: Path, url: str) -> None:
    config, problems = load(path, f"{EMBEDDED}model_url = '{url}'")
    assert config.profiles["a"].model_url is None
    assert len(problems) == 1 and "it must be a URL" in problems[0]


def test_functions_servers_and_prices_are_read(path: Path) -> None:
    config, problems = load(
        path,
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
def test_a_mistake_about_functions_is_told_and_left_out(path: Path, text: str, where: str) -> None:
    config, problems = load(path, text)
    assert len(problems) == 1
    assert problems[0].startswith(where)
    assert (config.functions, config.mcp, config.prices) == (FunctionSettings(), {}, {})


def test_a_key_for_a_server_is_refused_and_not_repeated(path: Path) -> None:
    config, problems = load(path, "[mcp.a]\ncommand = 'x'\nenv = { GITHUB_TOKEN = 'ghp_12345' }")
    assert config.mcp == {}
    assert '"$GITHUB_TOKEN"' in problems[0]
    assert "ghp_12345" not in problems[0]
    config, problems = load(path, "[mcp.a]\nurl = 'https://x'\napi_key_env = 'sk-123 45'")
    assert config.mcp == {}
    assert "sk-123" not in problems[0]


def test_the_environment_of_a_server_is_not_shown() -> None:
    assert "debug" not in repr(McpServer("a", "x", env={"LEVEL": "debug"}))


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
