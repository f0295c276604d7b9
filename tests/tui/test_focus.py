"""Whatever keys are pressed, some widget has them, and what is typed in the composer is in the composer.

`ASSISTANTS_TUI_WALKS=50` walks fifty times as long as the suite does, each time with other keys.
"""

import os
from random import Random

import pytest

from assistants_tui.tui.widgets.composer import Composer
from support.app import Driver, open_app

KEYS = (
    *("tab", "tab", "shift+tab", "up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    *("enter", "enter", "escape", "escape", "backspace", "space", "delete"),
    *("f1", "f2", "f2", "f4", "f4", "f5", "f6", "f7", "f8", "f9", "f12", "ctrl+n", "ctrl+f", "ctrl+p"),
    *("ctrl+g", "ctrl+s", "ctrl+j", "alt+left", "alt+up", "/", "?", "j", "k", "G", "n", "s", "r", "u", "A"),
    *"abdehilmopwxyz2+ ",
)
"""Not the keys that leave the app or open another program."""
LENGTH = 50
WALKS = int(os.environ.get("ASSISTANTS_TUI_WALKS", "1"))


@pytest.mark.timeout(60 * (WALKS + 2))
@pytest.mark.parametrize("size", [(60, 20), (140, 40)])
async def test_some_widget_always_has_the_keys(size: tuple[int, int]) -> None:
    async with open_app(size) as driver:
        await driver.type("2 + 3")
        await driver.until_answered()
        for walk in range(WALKS):
            random = Random(walk * 1000 + size[0])
            pressed: list[str] = []
            for _ in range(LENGTH):
                pressed.append(random.choice(KEYS))
                await press(driver, pressed)
                if driver.app.screen is not driver.chat and random.random() < 0.3:
                    pressed.append("escape")
                    await press(driver, pressed)


async def press(driver: Driver, pressed: list[str]) -> None:
    """Press the last key, and look at what has become of the focus and of what was typed."""
    key = pressed[-1]
    before = driver.app.focused
    text = before.text if isinstance(before, Composer) else ""
    await driver.press(key)
    told = f"after {' '.join(pressed)}"
    driver.nothing_unexpected()
    assert driver.app._exception is None, told
    screen = driver.app.screen
    assert driver.app.focused is not None or not screen.focus_chain, told
    if isinstance(before, Composer) and len(key) == 1 and before.is_attached:
        assert before.text == "" or key in before.text, told
        assert len(before.text) == len(text) + 1 or before.has_focus is False, told
