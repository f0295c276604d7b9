from pathlib import Path

import pytest

from assistants_tui.tui.themes import (
    DEFAULT_DARK,
    DEFAULT_LIGHT,
    ThemeError,
    bundled_folder,
    load_themes,
    read_theme,
)

GOOD = (bundled_folder() / "ink.toml").read_text(encoding="utf-8")


def test_the_shipped_themes_are_sound_and_include_the_defaults() -> None:
    files = load_themes(bundled_folder())
    assert files.problems == ()
    by_name = {theme.name: theme for theme in files.themes}
    assert by_name[DEFAULT_DARK].dark
    assert not by_name[DEFAULT_LIGHT].dark


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
        ('border = "#3a4150"', "border = 3", "variables.border must be a string"),
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
