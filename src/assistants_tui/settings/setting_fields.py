"""How a setting is declared: as the field of a dataclass that says everything about it.

Reading, errors, the file that is written at first, the settings screen, options of `serve` and the table of
the README all follow from these declarations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from functools import cache
from typing import Any

from assistants_tui.settings.value_types import ValueType

_KEY = "setting"


@dataclass(frozen=True, slots=True)
class Declaration:
    """One setting. All texts are for people."""

    name: str
    type: ValueType
    help: str
    """One sentence, also where there is little room."""
    default: Any = None
    """The value where nothing is said; None: there is none."""
    example: Any = None
    """A value of TOML to show where there is no default."""
    flag: str = ""
    """The option of `serve` with the same meaning, such as `--model-url`."""
    metavar: str = ""
    """What the help of that option calls its value."""
    kinds: Sequence[str] = ()
    """The kinds of table that the setting goes with; empty: all."""
    required: bool = False
    """Whether a table of these kinds cannot do without it."""

    @property
    def help_with_unit(self) -> str:
        """The sentence, which also says what the number counts."""
        return f"{self.help.rstrip('.')}, in {self.type.unit}." if self.type.unit else self.help


def declare(
    type: ValueType,
    help: str,
    *,
    example: Any = None,
    flag: str = "",
    metavar: str = "",
    kinds: Sequence[str] = (),
    required: bool = False,
) -> Mapping[str, Any]:
    """The metadata of a field that is a setting; its name and default are those of the field."""
    return {_KEY: Declaration("", type, help, None, example, flag, metavar, kinds, required)}


@cache
def declared(table: type) -> Mapping[str, Declaration]:
    """The settings of a dataclass by name, in their order."""
    return {
        item.name: replace(
            item.metadata[_KEY], name=item.name, default=None if item.default is MISSING else item.default
        )
        for item in fields(table)
        if _KEY in item.metadata
    }


def for_kind(table: type, kind: str) -> Mapping[str, Declaration]:
    """The settings that a table of this kind may have."""
    return {name: one for name, one in declared(table).items() if not one.kinds or kind in one.kinds}
