"""The command palette: every action that has a name, wherever it belongs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual import actions
from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.dom import DOMNode
from textual.markup import escape
from textual.types import IgnoreReturnCallbackType
from textual.widget import Widget

from assistants_tui.tui.screens.chat.screen import ChatScreen
from assistants_tui.tui.text.safety import clean

_EVERYWHERE = ("list.", "dialog.", "help.", "composer.earlier", "composer.later", "app.commands")
"""Moving about, which means nothing without the keys, and the palette itself."""


@dataclass(frozen=True, slots=True)
class _Command:
    title: str
    key: str
    run: IgnoreReturnCallbackType


class AppCommands(Provider):
    """The actions of the app, of the screen and of all panes in it, each with its key, and the assistants.

    A binding is listed under its `id`, such as `threads.rename`, if it has a tooltip or a description and its
    action is enabled now. Whoever adds a binding with an ID adds a command.
    """

    async def discover(self) -> Hits:
        for command in self._commands():
            yield DiscoveryHit(Content(command.title), command.run, text=command.title, help=command.key)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in self._commands():
            if (score := matcher.match(command.title)) > 0:
                title = matcher.highlight(escape(command.title))
                yield Hit(score, title, command.run, text=command.title, help=command.key)

    def _commands(self) -> Iterator[_Command]:
        yield from self._actions()
        for chat in self.app.screen_stack:
            if isinstance(chat, ChatScreen):
                assistants = chat.workspace.assistants
                for assistant_id, name in assistants.names.items():
                    run = partial(assistants.choose, assistant_id)
                    yield _Command(f"Talk to: {clean(name)}", "", run)

    def _actions(self) -> Iterator[_Command]:
        seen: set[str] = set()
        for node in (*self.screen.query(Widget).results(), self.screen, self.app):
            for bindings in node._bindings.key_to_bindings.values():
                for binding in bindings:
                    name = binding.id or ""
                    what = binding.tooltip or binding.description
                    if not name or not what or name in seen or name.startswith(_EVERYWHERE):
                        continue
                    if _is_enabled(node, binding):
                        seen.add(name)
                        yield self._command(node, binding, what)

    def _command(self, node: DOMNode, binding: Binding, what: str) -> _Command:
        group = (binding.id or "").partition(".")[0].replace("_", " ").capitalize()
        run = partial(self.app.run_action, binding.action, node)
        if own := self.app._keymap.get(binding.id or ""):  # the user's own keys, as the app applies them
            binding = binding.with_key(own.split(",")[0], None)
        return _Command(f"{group}: {what}", self.app.get_key_display(binding), run)


def _is_enabled(node: Any, binding: Binding) -> bool:
    namespace, action, parameters = actions.parse(binding.action)
    return bool((node.app if namespace == "app" else node).check_action(action, parameters))
