"""Slash commands: what there is, what a typed line means, and how half a line may go on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command as help and completion show it. `name` is typed after the slash."""

    name: str
    argument: str
    """What may follow the name; empty for nothing."""
    help: str


COMMANDS: tuple[Command, ...] = (
    Command("new", "", "Begin a new thread"),
    Command("attach", "path", "Attach a file, or choose one"),
    Command("assistant", "name", "Let another assistant answer from now on"),
    Command("options", "", "Options of the next runs"),
    Command("model", "name", "Use another model in this thread; without a name: the assistant's own"),
    Command("instructions", "text", "Other instructions in this thread; without a text: the assistant's own"),
    Command("tool", "name", "Make every run in this thread use a tool; auto: the model chooses"),
    Command("regenerate", "", "Replace the last answer by a new one"),
    Command("branch", "", "Go on in a new thread with copies of the messages"),
    Command("stop", "", "Stop the run"),
    Command("find", "words", "Find in this thread"),
    Command("search", "words", "Search all threads"),
    Command("rename", "title", "Give the thread a title"),
    Command("pin", "", "Keep the thread at the top, or not any more"),
    Command("archive", "", "Put the thread into the archive"),
    Command("delete", "", "Delete the thread"),
    Command("export", "format", "Save the thread: markdown, json or html"),
    Command("copy", "", "Copy the last answer"),
    Command("editor", "", "Write the message in your editor"),
    Command("profile", "", "Change or add a profile"),
    Command("settings", "", "All settings, and what is wrong with them"),
    Command("theme", "", "Choose the colours"),
    Command("guide", "", "First steps"),
    Command("help", "", "Explain this screen"),
    Command("quit", "", "Leave the app"),
)
_BY_NAME = {command.name: command for command in COMMANDS}


class UnknownCommandError(Exception):
    """A line that begins with a slash and is no command. `str` says what to do."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One way in which a line may go on."""

    text: str
    """The whole line then."""
    label: str
    help: str = ""


def parse(text: str) -> tuple[Command, str] | None:
    """The command of a typed text and its argument; None if the text is a message.

    A line that begins with two slashes is a message with one (see `message`). Raises `UnknownCommandError`.
    """
    if not text.startswith("/") or text.startswith("//"):
        return None
    name, _, argument = text[1:].partition(" ")
    if not name.strip().isalpha():
        return None  # a path, a comment, a regular expression
    command = _BY_NAME.get(name.strip())
    if command is None:
        near = [known for known in _BY_NAME if known.startswith(name)]
        if len(near) == 1:
            command = _BY_NAME[near[0]]
        else:
            raise UnknownCommandError(
                f"There is no command /{name}. /help explains; a message that begins with a slash needs two."
            )
    if "\n" in argument and command.name != "instructions":
        raise UnknownCommandError(f"/{command.name} takes one line. A message begins with two slashes.")
    return command, argument.strip()


def message(text: str) -> str:
    """The message that a typed text stands for: two slashes at the beginning mean one."""
    return text[1:] if text.startswith("//") else text


Choices = Mapping[str, Callable[[str], Sequence[Completion]]]
"""Gives the arguments of a command that begin with a text, by the command's name."""


def completions(text: str, choices: Choices) -> Sequence[Completion]:
    """How a line may go on; nothing where it is no command or is complete."""
    if not text.startswith("/") or text.startswith("//") or "\n" in text:
        return ()
    name, space, argument = text[1:].partition(" ")
    if not space:
        return [
            Completion(
                f"/{command.name}{' ' if command.argument else ''}",
                f"/{command.name}{f' {command.argument}' if command.argument else ''}",
                command.help,
            )
            for command in COMMANDS
            if command.name.startswith(name)
        ]
    give = choices.get(name)
    return [one for one in give(argument) if one.text != text] if give is not None else ()


def named(command: str, values: Sequence[str], typed: str) -> list[Completion]:
    """Completions of an argument out of fixed values: those that begin with what is typed, then others."""
    wanted = typed.casefold()
    first = [value for value in values if value.casefold().startswith(wanted)]
    others = [value for value in values if wanted in value.casefold() and value not in first]
    return [Completion(f"/{command} {value}", value) for value in (*first, *others)]
