"""The settings: what holds and where it comes from, mistakes, and editing without a restart."""

from pathlib import Path

import pytest

from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.screens.profiles import ProfilesScreen
from assistants_tui.tui.screens.settings import SettingsScreen
from support.app import Driver, open_app

FILE = """\
[profiles.local]
kind = "embedded"
[runs]
timeout = 30
stram = true
[keys]
"threads.rename" = "d"
"thread.pin" = "x"
"inspector.toggle" = "f11"
"composer.newline" = "enter"
"composer.send" = "ctrl+s"
"""


def write(text: str) -> None:
    path = user_paths().config_file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def edit_with(monkeypatch: pytest.MonkeyPatch, folder: Path, old: str, new: str) -> None:
    """An editor that replaces a text, and one that a terminal is lent to."""
    editor = folder / "editor.sh"
    editor.write_text(f'#!/bin/sh\nsed -i.bak "s/{old}/{new}/" "$1"\n')  # quotes of the texts: `'` or `.`
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))


@pytest.fixture(autouse=True)
def lent_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests have no terminal that could be lent to an editor."""
    from contextlib import nullcontext

    from assistants_tui.tui.app import AssistantsApp

    monkeypatch.setattr(AssistantsApp, "suspend", lambda self: nullcontext())


async def settings(driver: Driver) -> SettingsScreen:
    await driver.until(lambda: driver.app.screen is driver.chat)
    await driver.press("f5")
    await driver.until(lambda: isinstance(driver.app.screen, SettingsScreen))
    assert isinstance(driver.app.screen, SettingsScreen)
    await driver.until(lambda: "[keys]" in driver.app.screen._shown)  # type: ignore[attr-defined]
    return driver.app.screen


async def test_mistakes_stand_first_and_what_is_saved_holds_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(FILE)
    async with open_app((80, 24)) as driver:
        await driver.until_told("did you mean threads.pin?")
        await driver.until_told("d is also the key of threads.delete")
        # keys of one's own work, where a widget takes keys itself too
        await driver.press("a", "enter", "b")
        assert driver.chat.query_one("#composer").text == "a\nb"  # type: ignore[attr-defined]
        await driver.press("f11")
        await driver.pilot.pause()
        assert driver.chat.query_one("#inspector").display
        await driver.press("f11")
        await driver.press("ctrl+p", *"insp")
        await driver.until_shown("F11")
        await driver.press("escape")

        screen = await settings(driver)
        groups = {row for row in screen._shown if isinstance(row, str)}
        assert groups >= {"[runs]", "[profiles.local]", "[functions]", "[mcp]", "[prices]", "[keys]"}
        await driver.until_shown("Problems in the file")
        assert "runs.stram is True" in driver.screen
        await driver.press("slash", *"timeou", "enter")
        await driver.until_shown("allowed: a number of seconds")
        assert "value: 30" in driver.screen
        assert "default: 600" in driver.screen
        assert "from: config.toml, [runs]" in driver.screen
        await driver.press("y")
        assert driver.app.clipboard == "timeout = 30"

        before = driver.chat
        edit_with(monkeypatch, tmp_path, "timeout = 30", "timeout = 45")
        await driver.press("e")
        await driver.until(lambda: driver.chat is not before)
        await driver.until_shown("value: 45")
        assert driver.chat.workspace.session.profile.runs.timeout == 45
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)
        assert driver.chat.query_one("#composer").text == "a\nb"  # type: ignore[attr-defined]
        await driver.until(lambda: driver.chat.workspace.session.connected)
        before = driver.chat
        edit_with(monkeypatch, tmp_path, '"f11"', '"f4"')
        await settings(driver)
        await driver.press("e")
        await driver.until(lambda: driver.app.screen._loaded.config.keys["inspector.toggle"] == "f4")  # type: ignore[attr-defined]
        assert driver.chat is before, "nothing is opened again for a key"
        # a broken file breaks nothing, and a profile that is gone gives way to the default one
        edit_with(monkeypatch, tmp_path, "kind = .embedded.", "kind = = 1")
        await driver.press("e")
        await driver.until_shown("not TOML")
        assert driver.chat is before
        edit_with(monkeypatch, tmp_path, "kind = = 1", "kind = 'embedded'\\n[code]\\ntimeout = 77")
        await driver.press("e")
        await driver.until(lambda: driver.chat is not before)
        assert driver.chat.workspace._connection._config.code.timeout == 77, "limits of code hold at once"
        await driver.until(lambda: "not TOML" not in driver.screen)
        await driver.press("escape")
        edit_with(monkeypatch, tmp_path, "profiles.local", "profiles.renamed")
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.press("f3")
        await driver.until(lambda: isinstance(driver.app.screen, ProfilesScreen))
        await driver.press("e")
        await driver.until(lambda: driver.chat.workspace.session.profile.name == "renamed")
        await driver.until(lambda: isinstance(driver.app.screen, ProfilesScreen))


async def choose(driver: Driver, screen: SettingsScreen, path: str) -> None:
    """Put the cursor on a setting."""
    keys = [screen._key(index) for index in range(len(screen._shown))]
    screen.rows.cursor = keys.index(path)
    await driver.until_shown(path.rpartition(".")[2])


async def changed(driver: Driver, before: SettingsScreen, text: str) -> SettingsScreen:
    """The screen that is opened again once the file says `text`."""
    file = user_paths().config_file
    await driver.until(lambda: text in file.read_text())
    await driver.until(
        lambda: driver.app.screen is not before and isinstance(driver.app.screen, SettingsScreen)
    )
    screen = driver.app.screen
    assert isinstance(screen, SettingsScreen)
    await driver.until(lambda: "[keys]" in screen._shown)
    return screen


FILE_WITH_COMMENTS = """\
# my profiles
[profiles.local]
kind = "embedded"

[runs]  # for all
timeout = 30  # short
"""


async def test_a_setting_is_changed_in_its_place_and_reset(tmp_path: Path) -> None:
    write(FILE_WITH_COMMENTS)
    async with open_app((100, 30)) as driver:
        screen = await settings(driver)
        await choose(driver, screen, "runs.timeout")
        await driver.press("enter")
        await driver.until_shown("Allowed: a number of seconds from 1 to 86400. Default: 600.")
        await driver.press("end", "ctrl+u", "0", "enter")
        await driver.until_shown("It must be a number of seconds from 1 to 86400.")
        await driver.press("backspace", "4", "5", "enter")
        screen = await changed(driver, screen, "timeout = 45  # short\n")
        await driver.until_shown("value: 45")
        assert driver.chat.workspace.session.profile.runs.timeout == 45
        file = user_paths().config_file
        assert file.read_text() == FILE_WITH_COMMENTS.replace("timeout = 30", "timeout = 45")
        assert file.with_name("config.previous.toml").read_text() == FILE_WITH_COMMENTS

        await choose(driver, screen, "runs.stream")
        await driver.press("enter")
        await driver.until_shown("true  (default)")
        await driver.press("down", "enter")
        screen = await changed(driver, screen, "stream = false")
        assert not driver.chat.workspace.session.profile.runs.stream

        await choose(driver, screen, "runs.stream")
        await driver.press("d")
        await driver.until(lambda: "stream" not in file.read_text())
        assert file.read_text() == FILE_WITH_COMMENTS.replace("timeout = 30", "timeout = 45")


async def test_keys_are_changed_and_what_the_file_may_not_say_is_told() -> None:
    write('[profiles.local]\nkind = "embedded"\nmodel_url = "http://localhost:1/v1"\n')
    async with open_app((100, 30)) as driver:
        screen = await settings(driver)
        await choose(driver, screen, "profiles.local.model_api_key_env")
        await driver.press("enter", *"OPENAI_API_KEY", "enter")
        await driver.until_shown("The key in OPENAI_API_KEY is not sent to localhost:1")
        await driver.until_shown("OPENAI_API_KEY")
        await driver.press("escape")
        assert "OPENAI" not in user_paths().config_file.read_text()
        await choose(driver, screen, "keys.inspector.toggle")
        await driver.press("enter", "end", "ctrl+u", *"f11", "enter")
        screen = await changed(driver, screen, '"inspector.toggle" = "f11"')
        assert driver.app.screen._loaded.config.keys == {"inspector.toggle": "f11"}  # type: ignore[attr-defined]


async def test_a_file_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.toml"
    target.write_text("[runs]\n")
    path = user_paths().config_file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    async with open_app((100, 30)) as driver:
        screen = await settings(driver)
        await choose(driver, screen, "notify")
        await driver.press("enter", "down", "enter")
        await driver.until_told("symbolic link")
        assert target.read_text() == "[runs]\n"
