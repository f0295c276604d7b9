"""`doctor`: what is installed, where it lies, what can be reached, how code is sandboxed. No secrets."""

import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assistants_tui import __version__, network
from assistants_tui.cli.exit_codes import FAILED, OK
from assistants_tui.cli.streams import out
from assistants_tui.installation import MODULES, install_command, missing_modules
from assistants_tui.service.client.connection import Connection
from assistants_tui.service.client.profile_trial import try_profile
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.safe_text import clean
from assistants_tui.settings.config import CodeSettings, Config
from assistants_tui.settings.config_reader import LoadedConfig, load_config
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.paths import Paths, user_paths
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.secrets import KeyNotSentError, find_key, has_key
from assistants_tui.settings.settings_reference import redact

_PACKAGES = ("textual", "openai", "starlette", "sqlalchemy", "ipykernel", "jupyter-client")


def doctor() -> int:
    """Print the report; 0 if everything that is configured works."""
    paths = user_paths()
    loaded = load_config(paths.config_file)
    for line in (*_versions(), *_user(), *_places(paths), *_terminal(), *_network(), *_settings(loaded)):
        out(clean(line))
    lines, sound = asyncio.run(_checks(paths, loaded.config))
    for line in lines:
        out(clean(line))
    return OK if sound and not loaded.problems and not any(network.problems()) else FAILED


def _versions() -> Iterator[str]:
    yield f"assistants-tui {__version__}"
    yield f"Python {platform.python_version()} on {platform.platform()}"
    for package in _PACKAGES:
        try:
            yield f"  {package} {version(package)}"
        except PackageNotFoundError:
            yield f"  {package} is missing; install assistants-tui again"


def _user() -> Iterator[str]:
    if os.geteuid() == 0:
        yield "! Started as root: the app, your own functions and MCP servers may change everything on this"
        yield "  computer. Start it as a user without such rights if you can. Code that models write runs as"
        yield "  another user where the system allows it: see Code interpreter below."


def _places(paths: Paths) -> Iterator[str]:
    yield "Files"
    for name, path in (
        ("settings", paths.config_file),
        ("threads", paths.threads_file),
        ("state", paths.state_file),
        ("themes", paths.themes_dir),
        ("engine data", paths.data_dir),
        ("downloads", paths.downloads_dir),
        ("log", paths.log_file),
    ):
        yield f"  {name:12} {path}{'' if path.exists() else '  (not there yet)'}"


def _terminal() -> Iterator[str]:
    yield "Terminal"
    yield f"  TERM {os.environ.get('TERM', 'not set')}, COLORTERM {os.environ.get('COLORTERM', 'not set')}"
    yield f"  NO_COLOR {'set: no colours' if os.environ.get('NO_COLOR') else 'not set'}"
    encoding = sys.stdout.encoding or "unknown"
    yield f"  encoding {encoding}"
    if sys.stdout.isatty():
        size = os.get_terminal_size()
        yield f"  {size.columns} columns, {size.lines} lines"
    else:
        yield "  standard output is no terminal"


def _network() -> Iterator[str]:
    yield "Network"
    found = [f"  {name} {value}" for name, value in network.settings()]
    yield from found or ["  no proxy"]
    if found:
        yield "  servers on this computer are asked without a proxy"
    yield from (f"  ✗ {problem}" for problem in network.problems())


def _settings(loaded: LoadedConfig) -> Iterator[str]:
    for problem in loaded.problems:
        yield f"✗ {problem}"


async def _checks(paths: Paths, config: Config) -> tuple[list[str], bool]:
    lines = ["Profiles"]
    sound = True
    for profile in config.profiles.values():
        default = " (default)" if profile.name == config.default_profile else ""
        try:
            key = (
                f", key from {profile.key_variable}: {'set' if has_key(profile) else 'not set'}"
                if profile.key_variable
                else ""
            )
        except KeyNotSentError as error:
            sound = False
            lines.append(f"  ✗ {profile.name}{default}: {profile.kind}; {error}")
            continue
        connection = Connection(profile, paths=paths, config=config)
        try:
            backend = await connection.backend()
            count = len(await backend.assistants.list())
            lines.append(f"  ✓ {profile.name}{default}: {profile.kind}{key}; {count} assistants")
        except ServiceError as error:
            sound = False
            lines.append(f"  ✗ {profile.name}{default}: {profile.kind}{key}; {error}")
        finally:
            await connection.close()
    providers, reached = await _model_providers(config)
    lines += providers
    sound = sound and reached
    lines += ["Code interpreter", f"  {await _sandbox(config.code)}", *_code_modules()]
    lines += ["File search", *_file_search(config)]
    servers, work = await _mcp_servers(config)
    return [*lines, *servers], sound and work


async def _model_providers(config: Config) -> tuple[list[str], bool]:
    """A line for each provider of models, asked for its list, and whether all answer."""

    async def tried(provider: ProviderSettings) -> tuple[bool, str]:
        try:
            trial = await try_profile(provider, await asyncio.to_thread(find_key, provider))
        except (ServiceError, SettingsError) as error:
            return False, f"  ✗ {provider.name}: {redact(provider.url)}; {error}"
        return True, f"  ✓ {provider.name}: {redact(provider.url)}; {trial.words}"

    answers = await asyncio.gather(*map(tried, config.models.values()))
    lines = ["Providers of models"] if answers else []
    return [*lines, *(line for _, line in answers)], all(reached for reached, _ in answers)


async def _mcp_servers(config: Config) -> tuple[list[str], bool]:
    """A line for each server of tools, started once for it, and whether all work."""
    from assistants_tui.service.functions.mcp_servers import McpServers
    from assistants_tui.service.functions.registry import Catalogue

    async def tried(name: str) -> Catalogue:
        servers = McpServers({name: config.mcp[name]}, config.functions.timeout)
        try:
            return await servers.catalogue()
        finally:
            await servers.close()

    lines = ["MCP servers"] if config.mcp else []
    work = True
    answers = await asyncio.gather(*map(tried, config.mcp))
    for name, found in zip(config.mcp, answers, strict=True):
        work = work and not found.problems
        if found.functions or not found.problems:
            count = len(found.functions)
            lines.append(f"  ✓ {name}: {count} tool{'' if count == 1 else 's'}")
        lines += (f"  ✗ {problem.removeprefix('MCP server ')}" for problem in found.problems)
    return lines, work


def _file_search(config: Config) -> Iterator[str]:
    for profile in config.profiles.values():
        if profile.kind != "embedded":
            continue
        declared = [one.embeddings for one in config.models.values() if one.embeddings is not None]
        own = profile.embedding_model if profile.model_url is not None else None
        if (model := own or next(iter(declared), None)) is None:
            how = "by words alone; set embeddings of [models.NAME] to find by meaning, too"
        else:
            how = f"by words and, with {model}, by meaning"
        yield f"  {profile.name}: {how}"


def _code_modules() -> Iterator[str]:
    if missing := missing_modules("code"):
        yield f"  without {', '.join(missing)}; to add them: {install_command('code')}"
    else:
        yield f"  with {', '.join(MODULES['code'])}"


async def _sandbox(settings: CodeSettings) -> str:
    from assistants_tui.engine.code_interpreter import CodeInterpreter

    with tempfile.TemporaryDirectory(prefix="assistants-tui-") as folder:
        interpreter = CodeInterpreter(Path(folder), launcher=settings.sandbox)
        try:
            sandbox = await interpreter.sandbox()
        finally:
            await interpreter.close()
    if sandbox.available:
        return f"✓ {sandbox.name}: {sandbox.sentence}"
    if settings.sandbox == "none":
        return f"• {sandbox.sentence} {sandbox.reason}"
    return (
        f"✗ {sandbox.sentence} {sandbox.reason}\n"
        "    The app asks you about each block of code; ask and serve refuse it (--run-code-unsandboxed)."
    )
