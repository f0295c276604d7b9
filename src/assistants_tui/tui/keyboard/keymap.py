"""The user's own keys: which actions there are, and what is wrong with what `[keys]` of config.toml says."""

import difflib
import importlib
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.keys import Keys, _character_to_key

_MODIFIERS = {"ctrl", "shift", "alt", "super", "hyper", "meta"}
_NAMED = {key.value for key in Keys} | {_character_to_key(character) for character in string.punctuation}
_EVERYWHERE = ("app.", "threads.new", "sidebar.", "inspector.toggle", "conversation.find")
"""Actions whose keys work in every pane of the main screen."""


@dataclass(frozen=True, slots=True)
class KnownAction:
    """An action that has a name, and so can be given other keys."""

    name: str
    what: str
    keys: tuple[str, ...]
    """Its keys unless the user says otherwise."""


def known_actions() -> dict[str, KnownAction]:
    """All actions of all screens, by name and in order. Imports every screen: slow the first time."""
    found: dict[str, KnownAction] = {}
    for bindings in _maps():
        for name, keys in _keys_of(bindings).items():
            if name not in found:
                binding = next(one for one in _bindings(bindings) if one.id == name)
                found[name] = KnownAction(name, binding.tooltip or binding.description, tuple(keys))
    return dict(sorted(found.items()))


def problems_of(keys: Mapping[str, str]) -> list[str]:
    """What is wrong with the user's keys (action name to keys, comma separated), in sentences.

    Imports every screen: slow the first time.
    """
    known = known_actions()
    problems = []
    for name, text in keys.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "the settings (F5) list all actions."
            problems.append(f"keys.{name}: there is no such action; {hint}")
        problems += [
            f"keys.{name}: {key!r} is no key; keys are written like ctrl+n, f5, alt+left or slash."
            for key in text.split(",")
            if not _is_key(key)
        ]
    return problems + _conflicts(keys)


def _is_key(text: str) -> bool:
    *modifiers, key = text.strip().split("+")
    if text.strip() == "+":
        return True
    return all(one in _MODIFIERS for one in modifiers) and (len(key) == 1 or key in _NAMED)


def _conflicts(keys: Mapping[str, str]) -> list[str]:
    """Actions of one place that would listen to the same key, where the user's keys are the reason."""
    everywhere: dict[str, list[str]] = {}
    for bindings in _maps():
        for name, own in _keys_of(bindings).items():
            if name.startswith(_EVERYWHERE):
                everywhere.setdefault(name, own)
    found: dict[tuple[str, frozenset[str]], str] = {}
    for bindings in _maps():
        users: dict[str, set[str]] = {}
        for name, own in {**everywhere, **_keys_of(bindings)}.items():
            given = keys[name].split(",") if name in keys else own
            for key in given:
                users.setdefault(key.strip(), set()).add(name)
        for key, names in users.items():
            if len(names) > 1 and (mine := sorted(names & keys.keys())):
                others = ", ".join(sorted(names - {mine[0]}))
                sentence = f"keys.{mine[0]}: {key} is also the key of {others}; only one of them has it now."
                found.setdefault((key, frozenset(names)), sentence)
    return list(found.values())


def _maps() -> Sequence[BindingsMap]:
    """The bindings of each of our widgets, screens and the app, with what they inherit."""
    return [one._merge_bindings() for one in _classes() if "BINDINGS" in vars(one)]


def _classes() -> Iterator[type[DOMNode]]:
    package = __package__.rpartition(".")[0]  # the whole app's
    folder = Path(__file__).parent.parent
    for file in sorted(file for file in folder.rglob("*.py") if file.stem != "__init__"):
        importlib.import_module(".".join((package, *file.relative_to(folder).with_suffix("").parts)))
    waiting: list[type[DOMNode]] = [DOMNode]
    seen: set[type[DOMNode]] = set()
    while waiting:
        one = waiting.pop()
        for child in one.__subclasses__():
            if child not in seen:
                seen.add(child)
                waiting.append(child)
                if child.__module__.startswith(package):
                    yield child


def _bindings(bindings: BindingsMap) -> Iterator[Binding]:
    for group in bindings.key_to_bindings.values():
        yield from group


def _keys_of(bindings: BindingsMap) -> dict[str, list[str]]:
    """The keys of each named action of ours; those of Textual's own widgets are not for the user."""
    keys: dict[str, list[str]] = {}
    for binding in _bindings(bindings):
        if binding.id and "." in binding.id:
            keys.setdefault(binding.id, []).append(binding.key)
    return keys
