"""Themes: one TOML file each, ours in the package and the user's own beside their config.

A file has `name`, `dark`, a `[colors]` table and an optional `[variables]` table of Textual's CSS variables.
Colours are checked here, because Textual accepts a bad one silently and fails when it draws.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

DEFAULT_DARK = "Ink"
DEFAULT_LIGHT = "Paper"
_REQUIRED = (
    "background",
    "surface",
    "panel",
    "foreground",
    "primary",
    "accent",
    "success",
    "warning",
    "error",
)
_OPTIONAL = ("secondary", "boost")


class ThemeError(Exception):
    """A theme file that cannot be used; the text names the file, the key and what is allowed."""


@dataclass(frozen=True, slots=True)
class ThemeFiles:
    """The themes that could be read, and a sentence for each file that could not."""

    themes: tuple[Theme, ...]
    problems: tuple[str, ...]


def bundled_folder() -> Path:
    """The folder of the shipped themes: inside the wheel, or at the top of a checkout."""
    packaged = Path(__file__).parent.parent / "themes"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "themes"


def load_themes(*folders: Path) -> ThemeFiles:
    """Every theme of the folders. A name in a later folder replaces the same name in an earlier one."""
    themes: dict[str, Theme] = {}
    problems: list[str] = []
    for path in _files(folders):
        try:
            theme = read_theme(path)
        except ThemeError as error:
            problems.append(str(error))
        else:
            themes[theme.name] = theme
    return ThemeFiles(tuple(themes.values()), tuple(problems))


def read_theme(path: Path) -> Theme:
    """Read one theme file.

    Raises:
        ThemeError: the file cannot be read, is not TOML, or has a missing, unknown or wrong value.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ThemeError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ThemeError(f"{path}: is not valid TOML ({error})") from error
    name, dark, colors, variables = (
        _take(data, path, "name", str),
        _take(data, path, "dark", bool),
        _take(data, path, "colors", dict),
        _take(data, path, "variables", dict, default={}),
    )
    if data:
        raise ThemeError(
            f"{path}: unknown key '{next(iter(data))}'; allowed are name, dark, colors, variables"
        )
    for key in _REQUIRED:
        if key not in colors:
            raise ThemeError(f"{path}: colors.{key} is missing")
    for key, value in colors.items():
        if key not in _REQUIRED + _OPTIONAL:
            allowed = ", ".join(_REQUIRED + _OPTIONAL)
            raise ThemeError(f"{path}: unknown colour 'colors.{key}'; allowed are {allowed}")
        _check_color(path, f"colors.{key}", value)
    for key, value in variables.items():
        if not isinstance(value, str):
            raise ThemeError(f"{path}: variables.{key} must be a string, not {value!r}")
    return Theme(name=name, dark=dark, variables=dict(variables), **colors)


def _files(folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from sorted(folder.glob("*.toml"))


def _take(data: dict[str, Any], path: Path, key: str, kind: type, default: object = None) -> Any:
    value = data.pop(key, default)
    if value is None:
        raise ThemeError(f"{path}: '{key}' is missing")
    if not isinstance(value, kind):
        raise ThemeError(f"{path}: '{key}' must be a {kind.__name__}, not {value!r}")
    return value


def _check_color(path: Path, key: str, value: object) -> None:
    try:
        Color.parse(value if isinstance(value, str) else "")
    except ColorParseError as error:
        raise ThemeError(f"{path}: {key} must be a colour like '#7fb0f5', not {value!r}") from error
