from itertools import product
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme

from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.app import AssistantsApp
from assistants_tui.tui.themes import (
    DEFAULT_DARK,
    ThemeError,
    bundled_folder,
    load_themes,
    read_theme,
)

SHIPPED = load_themes(bundled_folder()).themes
TEXTS = [
    *("foreground", "muted", "primary", "secondary", "accent", "success", "warning", "error"),
    *(f"text-{name}" for name in ("primary", "secondary", "accent", "success", "warning", "error")),
    *("text-muted", "footer-key-foreground"),
]
"""Variables that the app draws text in."""
BACKGROUNDS = ["background", "surface", "panel"]
AA_TEXT = 4.5
AA_SHAPES = 3.0  # borders of what has the focus

GOOD = (bundled_folder() / "ink.toml").read_text(encoding="utf-8")


def test_the_shipped_themes_are_sound_and_include_the_default() -> None:
    files = load_themes(bundled_folder())
    assert files.problems == ()
    by_name = {theme.name: theme for theme in files.themes}
    assert by_name[DEFAULT_DARK].dark
    assert len(by_name) >= 8
    assert sum(not theme.dark for theme in files.themes) >= 3


def luminance(color: Color) -> float:
    """Relative luminance, as the Web Content Accessibility Guidelines define it."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in color.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def drawn(value: str, background: Color) -> Color:
    """A colour of the style sheet as it looks on a background: `auto 60%` is black or white, blended."""
    if value.startswith("auto"):
        return background + background.get_contrast_text(float(value.split()[1].rstrip("%")) / 100)
    return background + Color.parse(value)


def test_contrast_is_measured_as_the_guidelines_do() -> None:
    assert contrast(Color.parse("#fff"), Color.parse("#000")) == pytest.approx(21)
    assert contrast(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", SHIPPED, ids=lambda theme: theme.name)
def test_all_text_and_the_focus_can_be_read(theme: Theme) -> None:
    app = AssistantsApp(user_paths())
    app.register_theme(theme)
    app.theme = theme.name
    variables = app.get_css_variables()
    needed = 7.0 if "Contrast" in theme.name else AA_TEXT
    least = dict.fromkeys(TEXTS, needed) | {"border": AA_SHAPES}
    least["text-muted"] = AA_TEXT  # Textual's own, which no theme sets
    faint = {}
    for (name, ratio), behind in product(least.items(), BACKGROUNDS):
        background = Color.parse(variables[behind])
        if (found := contrast(drawn(variables[name], background), background)) < ratio:
            faint[f"{name} on {behind}"] = f"{found:.2f}:1, needed is {ratio}:1"
    assert faint == {}, f"{theme.name}: make these colours lighter or darker"


def test_a_users_theme_replaces_a_shipped_one_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD.replace("#7fb0f5", "#ff0000"), encoding="utf-8")
    themes = load_themes(bundled_folder(), tmp_path).themes
    assert [theme.primary for theme in themes if theme.name == "Ink"] == ["#ff0000"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "Ink"', "", "'name' is missing"),
        ("dark = true", 'dark = "yes"', "'dark' must be a bool"),
        ("#7fb0f5", "blurple", "colors.primary must be a colour"),
        ('primary = "#7fb0f5"', "", "colors.primary is missing"),
        ("[colors]", '[colors]\npink = "#ff00ff"', "colors.pink"),
        ("dark = true", "dark = true\nfont = 1", "unknown key 'font'"),
        ('name = "Ink"', 'name = "Ink', "is not valid TOML"),
        pytest.param("dark = true", f"dark = {'9' * 5000}", "is not valid TOML", id="a long number"),
        ('border = "#626e88"', "border = 3", "variables.border must be a string"),
    ],
)
def test_a_damaged_theme_is_named_with_its_file_key_and_remedy(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in GOOD
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ThemeError, match=r"bad\.toml") as caught:
        read_theme(path)
    assert says in str(caught.value)
    files = load_themes(bundled_folder(), tmp_path)
    assert files.problems == (str(caught.value),)
    assert len(files.themes) >= 2
