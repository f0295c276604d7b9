"""The command line: open the app, `ask` one question, `serve` the engine, `doctor` the installation, and
`completion` for the shell.

This module only reads the arguments; each command lives in a module that is imported when it is asked for,
so that `--help` and the first frame of the app do not wait for the others.
"""

import argparse
import atexit
import gc
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assistants_tui import __version__, process_memory
from assistants_tui.cli import streams
from assistants_tui.cli.defaults import DEFAULT_HOST, DEFAULT_PORT
from assistants_tui.cli.exit_codes import FAILED, INTERRUPTED, OK, READER_GONE, USAGE
from assistants_tui.settings.config import CodeSettings, Profile
from assistants_tui.settings.setting_fields import Declaration, declared
from assistants_tui.settings.value_types import Choice, Flag, Text, Url, ValueType, Variable

_LAST_PORT = 65_535
_EPILOG = """\
exit codes:
  0    done
  1    it could not be done; the reason stands on standard error
  2    wrong arguments
  3    ask: the run waits for the output of a function call
  130  interrupted with Ctrl-C
  141  nobody reads the output any more, as after `| head`

files:
  config.toml, threads.toml and all others: `assistants-tui doctor` prints where they are.
"""

_EXAMPLES = {
    "ask": """\
examples:
  assistants-tui ask "Solve 3x + 11 = 14"
  assistants-tui ask --assistant "Data Visualizer" --attach speech.csv --save . "Chart this"
  git diff | assistants-tui ask "Review this change"
  assistants-tui ask --json "2 + 2" | jq .run.status
""",
    "serve": """\
The engine answers at http://HOST:PORT/v1 (and at /openai for Azure clients).
Without keys only your own programs get in, with any key or none. A host that other machines
can reach needs --api-key-file: one key on each line, as `owner: key` or alone.
With --socket PATH a profile of kind "openai" gets there by base_url = "unix:///PATH", and curl
by `curl --unix-socket PATH http://localhost/v1/models`.
""",
    "completion": """\
where to put it:
  bash  assistants-tui completion bash > ~/.local/share/bash-completion/completions/assistants-tui
  zsh   assistants-tui completion zsh > ~/.zfunc/_assistants-tui   (a folder of your $fpath)
  fish  assistants-tui completion fish > ~/.config/fish/completions/assistants-tui.fish
""",
}


def build_parser() -> argparse.ArgumentParser:
    """The whole command line as argparse sees it."""
    parser = argparse.ArgumentParser(
        prog="assistants-tui",
        description="A terminal client for the OpenAI Assistants API. Without a command it opens the app.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"assistants-tui {__version__}")
    _add_place(parser)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    ask = commands.add_parser(
        "ask",
        help="one question and its answer, without the app",
        description="Ask one question and stream the answer to standard output. The thread is kept.",
        epilog=_EXAMPLES["ask"],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ask.add_argument(
        "question", nargs="?", type=_text, help="the message; piped standard input is appended to it"
    )
    _add_place(ask, default=argparse.SUPPRESS)  # a value given before the command stays
    ask.add_argument(
        "--attach",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="attach a file for the assistant's tools (may be given several times)",
    )
    ask.add_argument(
        "--save",
        metavar="FOLDER",
        type=Path,
        help="save the files that the assistant makes, such as charts, in this folder",
    )
    ask.add_argument("--json", action="store_true", help="print run, steps and messages as JSON")
    ask.add_argument(
        "--linear",
        action="store_true",
        help="print whole lines in plain words, with every step in its order, as screen readers need it",
    )
    _add_unsandboxed(ask)

    serve = commands.add_parser(
        "serve",
        help="serve the engine to other programs",
        description="Serve the embedded engine as an HTTP server of the Assistants API.",
        epilog=_EXAMPLES["serve"],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    serve.add_argument("--host", help=f"address to listen on (default: {DEFAULT_HOST})")
    serve.add_argument("--port", type=_port, help=f"port, 0 for a free one (default: {DEFAULT_PORT})")
    serve.add_argument(
        "--socket",
        type=Path,
        metavar="PATH",
        help="listen at a Unix socket that only you can connect to, instead of on a port",
    )
    serve.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="where assistants, threads and files are kept"
    )
    serve.add_argument("--api-key-file", type=Path, metavar="FILE", help="the keys that may use the server")
    serve.add_argument(
        "--any-user",
        action="store_true",
        help="let every user of this computer in who reaches the port; without it and without keys only you",
    )
    serve.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        type=_host_name,
        help="a name that a server without keys answers to beside localhost, such as that of a reverse proxy",
    )
    serve.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        type=_origin,
        help="web pages that may use the server from a browser, such as https://example.org",
    )
    for table in (Profile, CodeSettings):
        for setting in declared(table).values():
            if setting.flag:
                _add_setting(serve, setting)
    _add_unsandboxed(serve)

    commands.add_parser(
        "doctor",
        help="check the installation",
        description="Print versions, paths, profiles, the sandbox and the terminal. No secrets.",
    )
    shell = commands.add_parser(
        "completion",
        help="complete commands and options in your shell",
        description="Print the script with which a shell completes this command.",
        epilog=_EXAMPLES["completion"],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shell.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell that reads the script")
    return parser


def _add_unsandboxed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--run-code-unsandboxed",
        action="store_true",
        help="where no sandbox works, run code that a model has written all the same: it can read and "
        "change your files, use your keys and your network",
    )


def _add_setting(command: argparse.ArgumentParser, setting: Declaration) -> None:
    """The option that means the same as a setting of config.toml."""
    text = setting.help_with_unit.rstrip(".").replace("%", "%%")
    text = text[0].lower() + text[1:]
    kind = setting.type
    if isinstance(kind, Flag):
        command.add_argument(setting.flag, action="store_true", help=text)
        return
    if setting.default is not None:
        text += f" (default: {kind.text(setting.default)})"
    if isinstance(kind, Choice):
        command.add_argument(setting.flag, choices=kind.names, default=setting.default, help=text)
        return
    unit = kind.unit.upper() or "NUMBER"
    command.add_argument(setting.flag, type=_value_of(kind), metavar=setting.metavar or unit, help=text)


def _value_of(kind: ValueType) -> Callable[[str], Any]:
    """Reads the value of a setting as it may stand in config.toml."""

    def read(text: str) -> Any:
        if isinstance(kind, Url):
            return _url(text)
        if isinstance(kind, (Text, Variable)):
            return _text(text)
        try:
            return kind.read(kind.parse(text))
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r}: it must be {error}") from None

    return read


def _add_place(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    for name, meaning in (
        (
            "profile",
            "profile of config.toml to use (default: the one used last; ask: default_profile)",
        ),
        ("assistant", "assistant to talk to, by name or ID"),
        ("thread", "thread to continue, by ID"),
    ):
        parser.add_argument(f"--{name}", metavar=name[0].upper(), type=_text, default=default, help=meaning)


def _url(value: str) -> str:
    """Reads the address of a server."""
    import httpx2

    try:
        good = re.fullmatch(r"https?://\S+", value) and urlsplit(value).hostname and urlsplit(value).port != 0
        httpx2.URL(value)  # which looks at the name of the host, too
    except (ValueError, httpx2.InvalidURL):
        good = False
    if not good:
        raise argparse.ArgumentTypeError("it must be a URL, such as http://localhost:11434/v1")
    return value


def _port(value: str) -> int:
    """Reads the number of a port."""
    if not re.fullmatch("[0-9]{1,5}", value) or int(value) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{value!r}: it must be a number from 0 to {_LAST_PORT}")
    return int(value)


def _host_name(value: str) -> str:
    """Reads the name of a host, without a port."""
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", value.lower()):
        raise argparse.ArgumentTypeError(f"{value!r}: it must be a name alone, such as example.org")
    return value.lower()


def _origin(value: str) -> str:
    """Reads what browsers call the origin of a page."""
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s?#@*]+", value.lower()):
        raise argparse.ArgumentTypeError(
            f"{value!r}: it must be a scheme and a host, such as https://example.org or http://localhost:3000"
        )
    return value.lower()


def _text(value: str) -> str:
    """Reads an argument that is a text, not the name of a file."""
    try:
        return streams.argument_text(value)
    except streams.InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    streams.prepare()
    try:
        return _run(_parsed(arguments))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        streams.discard(sys.stdout)
        return READER_GONE
    except streams.OutputError as error:
        streams.discard(sys.stdout)
        streams.note(f"assistants-tui: {error}")
        return FAILED


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    try:
        return build_parser().parse_args(arguments)
    except SystemExit:  # what argparse has printed is perhaps not written yet
        streams.note("", end="")
        streams.out("", end="")
        raise


def _run(options: argparse.Namespace) -> int:
    process_memory.disable_core_dumps()
    if options.command is not None:  # the app does it when its first frame is painted
        process_memory.hide_from_debuggers()
    if options.command != "serve":  # which gains nothing, and runs for weeks
        # Importing and drawing make objects by the thousand and none of them in circles. At the default of
        # 700 the collector takes a tenth of the time in which `ask` starts, and half of the time that a
        # streaming answer needs in the app.
        gc.set_threshold(50_000, 20, 100)
    atexit.register(gc.freeze)  # else Python looks through all objects for a second before the process ends
    match options.command:
        case "ask":
            from assistants_tui.cli.ask import ask

            return ask(options)
        case "serve":
            from assistants_tui.cli.serve import serve

            return serve(options)
        case "doctor":
            from assistants_tui.cli.doctor import doctor

            return doctor()
        case "completion":
            from assistants_tui.cli.completion import completion

            streams.out(completion(build_parser(), options.shell), end="")
            return OK
        case _:
            return _open_app(options)


def _open_app(options: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        streams.note(
            'assistants-tui: the app needs a terminal. Use `assistants-tui ask "…"` in pipes and scripts.'
        )
        return USAGE
    if sys.stderr is None or not sys.stderr.isatty():
        # Textual draws on standard error, which the user may want in a file
        sys.__stderr__ = sys.__stdout__  # type: ignore[misc] # where Textual looks for it
    from assistants_tui.cli.log import log_to_file
    from assistants_tui.settings.paths import user_paths
    from assistants_tui.tui.app import AssistantsApp

    paths = user_paths()
    log_to_file(paths.log_file)
    app = AssistantsApp(paths, profile=options.profile, assistant=options.assistant, thread_id=options.thread)
    app.run()
    return app.return_code or OK
