"""`serve`: the engine behind a socket, for other programs and other machines."""

import argparse
import contextlib
import ctypes
import resource
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from assistants_tui.cli.defaults import DEFAULT_HOST, DEFAULT_PORT
from assistants_tui.cli.exit_codes import FAILED, OK, USAGE
from assistants_tui.cli.listeners import Address, ListenError, SocketFile, listen_on, resolve
from assistants_tui.cli.model_key import ModelKey, ModelKeyError, model_key
from assistants_tui.cli.streams import OutputError, discard, note, out
from assistants_tui.installation import module_advice
from assistants_tui.service.safe_text import clean
from assistants_tui.settings.config import CodeSettings
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.setting_fields import declared
from assistants_tui.settings.settings_reference import redact

if TYPE_CHECKING:
    from assistants_tui.engine.app import ModelProvider
    from assistants_tui.engine.code_interpreter import Sandbox

_PATIENCE = 5  # seconds that answers may take to be read once the engine is to stop
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # parameters of mallopt(3)
_MANY_FILES = 10_240


def serve(options: argparse.Namespace) -> int:
    """Serve until interrupted and return the exit code."""
    import uvicorn

    from assistants_tui.cli.connections import TimedConnection
    from assistants_tui.engine.app import EngineSettings, create_app
    from assistants_tui.engine.http.api_keys import KeyFileError
    from assistants_tui.service.client.embedded import limits

    try:
        address = _address(options)
        key = model_key(options)
    except (ListenError, _WrongPlaceError, ModelKeyError) as error:
        note(clean(f"assistants-tui serve: {error}"))
        return FAILED if isinstance(error, ListenError) else USAGE
    if key.warning:
        note(clean(key.warning))
    data_dir: Path = options.data_dir or user_paths().engine_dir("serve")
    try:
        app = create_app(
            EngineSettings(
                data_dir=data_dir,
                providers=_providers(options, key),
                host_names=tuple(options.allow_host),
                web_origins=tuple(options.allow_origin),
                default_model=options.model,
                api_keys=options.api_key_file,
                any_user=options.any_user,
                starter_assistants=True,
                sandbox=options.sandbox,
                without_sandbox="run" if options.run_code_unsandboxed else "refuse",
                code_limits=limits(_code_settings(options)),
                module_advice=module_advice(),
            )
        )
    except KeyFileError as error:
        note(f"assistants-tui serve: {error}")
        return FAILED
    file: SocketFile | None = None
    try:
        if address is None:
            file = SocketFile(options.socket)
            _remove_when_told_to_end(file)
            listener, place = file.listener, file.path.as_uri().replace("file:", "unix:", 1)
        else:
            listener = listen_on(address)
            place = f"http://{Address(address.family, listener.getsockname())}/v1"
    except ListenError as error:
        note(clean(f"assistants-tui serve: {error}"))
        return FAILED

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                _tell(await app.state.context.run_manager.sandbox(), off=options.sandbox == "none")

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            # Streams last as long as their runs, and it waits for them.
            await app.state.context.run_manager.close()
            await super().shutdown(sockets)

    _allow_many_streams()
    _give_memory_back()
    config = uvicorn.Config(
        app,
        http=TimedConnection,
        ws="none",
        log_level="warning",
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=_PATIENCE,
    )
    server = Server(config)
    hung_up = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal hung_up
        hung_up = True
        server.handle_exit(number, frame)

    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # which is what nohup is for
        signal.signal(signal.SIGHUP, end)
    _say(f"Serving the Assistants API at {place}\nData: {data_dir}. Ctrl-C stops it.")
    try:
        server.run(sockets=[listener])
    finally:
        if file is not None:
            file.remove()
    return 128 + signal.SIGHUP if hung_up else OK


def _remove_when_told_to_end(file: SocketFile) -> None:
    """Let SIGTERM, which ends a process without any `finally`, remove the file first."""

    def end(number: int, frame: FrameType | None) -> None:
        file.remove()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    signal.signal(signal.SIGTERM, end)


def _providers(options: argparse.Namespace, key: ModelKey) -> "list[ModelProvider]":
    """The endpoint of the options, else the providers of config.toml, which are then named."""
    from assistants_tui.engine.app import ModelProvider
    from assistants_tui.service.client.embedded import model_providers

    if options.model_url is not None:
        embeddings = options.embedding_model
        return [
            ModelProvider(options.model_url, api_key=key.value, key_advice=key.advice, embeddings=embeddings)
        ]
    loaded = load_config(user_paths().config_file)
    for problem in loaded.problems:
        if problem.where.startswith("models") or not loaded.given:  # or the file cannot be read
            note(clean(str(problem)))
    for name, provider in loaded.config.models.items():
        note(clean(f"Models of {name} ({redact(provider.url)}), as config.toml says."))
    return model_providers(loaded.config.models)


class _WrongPlaceError(Exception):
    """Where to listen does not go together with what else was asked for. `str` says what to do."""


def _address(options: argparse.Namespace) -> Address | None:
    """Where to listen; None for a Unix socket. Raises `ListenError` and `_WrongPlaceError`."""
    if options.socket is not None:
        if options.host is not None or options.port is not None:
            raise _WrongPlaceError(
                "it listens at a socket or on a port: give --socket, or --host and --port."
            )
        if options.any_user:
            raise _WrongPlaceError("a socket is for you alone. Leave out --any-user, or listen on a port.")
        return None
    address = resolve(
        DEFAULT_HOST if options.host is None else options.host,
        DEFAULT_PORT if options.port is None else options.port,
    )
    if options.api_key_file is None and not address.is_loopback:
        raise _WrongPlaceError(
            f"other machines can reach {options.host}, so keys are required.\n"
            "Give --api-key-file FILE (one key on each line), or listen on 127.0.0.1."
        )
    return address


def _code_settings(options: argparse.Namespace) -> CodeSettings:
    given = {name: getattr(options, f"code_{name}", None) for name in declared(CodeSettings)}
    return CodeSettings(**{name: value for name, value in given.items() if value is not None})


def _tell(sandbox: "Sandbox", *, off: bool) -> None:
    """Say how the code of models is confined, so that nobody serves without knowing. `off`: as wished."""
    if off:
        _say(sandbox.sentence)
    elif sandbox.confines:
        _say(f"Code interpreter: {sandbox.name}. {sandbox.sentence}")
    elif sandbox.available:
        note(f"Code interpreter: {sandbox.sentence} ({sandbox.reason})")
    else:
        note(
            f"{sandbox.sentence} {sandbox.reason}\n"
            "Code is refused. --run-code-unsandboxed runs it all the same, with access to your files, keys "
            "and network."
        )


def _say(text: str) -> None:
    """Print, where that is possible: a server also serves when nobody can read what it says."""
    try:
        out(clean(text))
    except (OutputError, BrokenPipeError):
        discard(sys.stdout)


def _allow_many_streams() -> None:
    """Open as many files as the system lets us: each streamed run takes a socket here and one to the model.

    Systems begin with a lower limit for the sake of old programs that use `select`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS calls its limit infinite and then refuses more than this.
    wanted = _MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _give_memory_back() -> None:
    """Have the memory of large requests returned to the system once they are answered.

    The allocator of Linux keeps what it has freed when it has seen large pieces, in a heap for each thread.
    """
    with contextlib.suppress(AttributeError, OSError):  # other systems have no such function, or no need
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 256 * 1024)
        mallopt(_ARENA_MAX, 2)
