"""The list of assistants of the running app."""

from assistants_tui.protocol.objects import Assistant
from support.app import Driver


async def in_list(driver: Driver, *keys: str) -> None:
    """Press keys in the list."""
    driver.chat.query_one("#assistant-list").focus()
    await driver.press(*keys)


def named(driver: Driver, name: str) -> Assistant:
    """The assistant of that name."""
    return next(one for one in driver.chat.workspace.assistants.all if one["name"] == name)
