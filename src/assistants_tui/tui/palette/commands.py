"""The commands that the palette lists: every action that has a name, wherever it belongs."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual import actions
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from assistants_tui.tui.palette.ranking import Entry
from assistants_tui.tui.palette.synonyms import SYNONYMS
from assistants_tui.tui.screens.chat.screen import ChatScreen
from assistants_tui.tui.text.safety import clean

_EVERYWHERE = ("list.", "dialog.", "help.", "composer.earlier", "composer.later", "app.commands", "app.back")
"""Moving about, which means nothing without the keys, and the palette itself."""


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the palette."""

    entry: Entry
    key: str
    """As it is shown; empty for a command without one."""
    run: Callable[[], Awaitable[object] | None]


def commands_of(screen: Screen[Any]) -> list[Command]:
    """The actions of a screen, of all panes in it and of the app, each with its key, and the assistants.

    A binding is listed under its `id`, such as `threads.rename`, if it has a tooltip or a description and its
    action is enabled now. Whoever adds a binding with an ID adds a command.
    """
    return [*_actions(screen), *_assistants(screen.app)]


def _assistants(app: App[object]) -> Iterator[Command]:
    for chat in app.screen_stack:
        if isinstance(chat, ChatScreen):
            assistants = chat.workspace.assistants
            for assistant_id, name in assistants.names.items():
                entry = Entry(
                    f"assistant:{assistant_id}",
                    f"Talk to {clean(name)}",
                    group="Assistants",
                    synonyms=("switch",),
                )
                yield Command(entry, "", partial(assistants.choose, assistant_id))


def _actions(screen: Screen[Any]) -> Iterator[Command]:
    seen: set[str] = set()
    for node in (screen, *screen.query(Widget).results(), screen.app):
        for bindings in node._bindings.key_to_bindings.values():
            for binding in bindings:
                name = binding.id or ""
                if not name or name in seen or name.startswith(_EVERYWHERE):
                    continue
                if (binding.tooltip or binding.description) and _is_enabled(node, binding):
                    seen.add(name)
                    yield _command(node, binding)


def _command(node: DOMNode, binding: Binding) -> Command:
    name = binding.id or ""
    if own := node.app._keymap.get(name):  # the user's own keys, as the app applies them
        binding = binding.with_key(own.split(",")[0], None)
    key = node.app.get_key_display(binding)
    entry = Entry(
        name,
        binding.tooltip or binding.description,
        label=binding.description,
        group=name.partition(".")[0].replace("_", " ").capitalize(),
        keys=(key, binding.key),
        synonyms=SYNONYMS.get(name, ()),
    )
    return Command(entry, key, partial(_run, node, binding.action))


async def _run(node: DOMNode, action: str) -> None:
    if node.is_attached:  # its pane may have gone while the palette was open
        await node.app.run_action(action, node)


def _is_enabled(node: Any, binding: Binding) -> bool:
    namespace, action, parameters = actions.parse(binding.action)
    return bool((node.app if namespace == "app" else node).check_action(action, parameters))
