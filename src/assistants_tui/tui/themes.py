"""Themes: one TOML file each, ours in the package and the user's own beside their config.

The format, with nothing besides it allowed:

    name = "Ink"             # as F12 lists it, and as `theme` in config.toml names it
    dark = true              # whether light text stands on a dark background

    [colors]                 # as CSS writes colours: "#7fb0f5", "rgb(127, 176, 245)", "teal"
    background = "#13151a"   # behind the conversation
    surface = "#181b21"      # behind the lists and the inspector
    panel = "#20242c"        # behind dialogs and the composer
    foreground = "#d5d9e2"   # text
    primary = "#7fb0f5"      # the user, links, what is selected
    accent = "#e5b567"       # the assistant, headings, and the border of what has the focus
    success = "#8cc570"
    warning = "#e5b567"
    error = "#ee7d84"
    secondary = "#8fa3c4"    # may be left out, and so may `boost`, a tint of raised parts

    [variables]              # may be left out: Textual's CSS variables, and `muted`,
    muted = "#878a92"        # the colour of times and hints (else: foreground, 40 % on its way to background)

Colours are checked here, because Textual accepts a bad one silently and fails when it draws. The contrast of
the shipped themes is checked by their test: text has 4.5:1 on each background, borders of what has the focus
3:1, as level AA of the Web Content Accessibility Guidelines 2.2 asks (success criteria 1.4.3 and 1.4.11).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from assistants_tui.settings.toml_text import parse_toml

DEFAULT_DARK = "Ink"
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
        data = parse_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ThemeError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
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


def own_variables(theme: Theme) -> dict[str, str]:
    """The variables of ours that a theme does not set itself: `muted`, for times and hints.

    Textual's `$text-muted` is a contrast colour that spans inside a line cannot blend; this one is plain.
    """
    background = Color.parse(theme.background or ("#121212" if theme.dark else "#e0e0e0"))
    foreground = Color.parse(theme.foreground or background.inverse.hex)
    return {"muted": foreground.blend(background, 0.4).hex}


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
