"""`completion`: what bash, zsh and fish need to complete commands, options and their values.

The scripts are made from the parser itself, so that they know all that the command line knows. shtab writes
those of bash and zsh; fish, which it does not know, needs no more than one line for each option.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that completes the parser's program in bash, zsh or fish."""
    if shell == "fish":
        return "\n".join(_fish(parser)) + "\n"
    import shtab

    for one in (parser, *_commands(parser).values()):
        for action in one._actions:
            if action.type is Path:
                kind = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE
                action.complete = kind  # type: ignore[attr-defined]  # where shtab looks for it
    return str(shtab.complete(parser, shell))


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _fish(parser: argparse.ArgumentParser) -> Iterator[str]:
    start = f"complete -c {parser.prog}"
    commands = _commands(parser)
    yield f"{start} -f"
    yield from (f"{start} {line}" for line in _fish_options(parser))
    for name, command in commands.items():
        about = _quoted(command.description or "")
        yield f"{start} -n __fish_use_subcommand -a {name} -d {about}"
        for line in _fish_options(command):
            yield f"{start} -n '__fish_seen_subcommand_from {name}' {line}"


def _fish_options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            continue
        words = ["-s " + name[1:] for name in action.option_strings if not name.startswith("--")]
        words += ["-l " + name[2:] for name in action.option_strings if name.startswith("--")]
        if action.option_strings and action.nargs != 0:
            words.append("-r")
        if action.choices:
            words.append("-a " + _quoted(" ".join(map(str, action.choices))))
        if action.type is Path:
            words.append("-F")
        if words:
            yield " ".join([*words, "-d", _quoted(_help(parser, action))])


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    values: dict[str, Any] = {**vars(action), "prog": parser.prog}
    return (action.help or "") % values


def _quoted(text: str) -> str:
    """A word of fish in single quotes, where only these two need a backslash."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
