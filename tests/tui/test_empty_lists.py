"""No key does harm in a list that has no rows, or whose rows have no place on the screen yet."""

from random import Random

from textual import events

from support.app import Driver, open_app

MOVES = ("pageup", "pagedown", "home", "end", "up", "down", "enter", "left", "right", "ctrl+d", "ctrl+u")
COMMANDS = (*"gGjkcysSexutRfpaAT", "delete", "space", "backspace")


def bring(driver: Driver, *keys: str) -> None:
    """Bring keys to the app as one piece of input: the first one may open what the others are for."""
    for key in keys:
        driver.app.post_message(events.Key(key, key if len(key) == 1 else None))


async def close_all(driver: Driver) -> None:
    while driver.app.screen is not driver.chat:
        driver.app.screen.dismiss(None)
        await driver.pilot.pause()


async def test_no_key_does_harm_while_a_list_is_empty() -> None:
    random = Random(1)
    async with open_app((80, 24)) as driver:
        for opens, others in (
            *((("ctrl+p",), MOVES),) * 4,
            (("ctrl+p", "z", "q"), MOVES),
            *(((key,), MOVES + COMMANDS) for key in ("f7", "f8", "f9", "f12")),
        ):
            keys = random.sample(others, 5)
            bring(driver, *opens, *keys)  # while it opens
            await driver.pilot.pause()
            bring(driver, *keys)  # and when it is open, unless they have closed it
            await driver.pilot.pause()
            for error in driver.app.unexpected:
                raise AssertionError(f"after {opens} {keys}") from error
            await close_all(driver)
