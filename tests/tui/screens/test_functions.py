"""The screen of functions: what can be used, and what cannot with its reason."""

from assistants_tui.service.local_paths import short_path
from assistants_tui.settings.paths import user_paths
from support.app import open_app
from support.mcp_servers import use_servers


async def test_what_cannot_be_used_has_a_row_with_its_reason() -> None:
    use_servers()
    async with open_app((120, 30)) as driver:
        await driver.press("f9")
        await driver.until_shown("good__do")
        await driver.until_shown("✗ MCP server gone: Connection")
        assert "half__do" in driver.screen
        assert "✗ MCP server half: its tool bad cannot be used" in driver.screen
        await driver.press("end")
        await driver.until_shown("It said: GITHUB_TOKEN is not\n")
        await driver.press("enter")  # there is nothing to give
        await driver.press("slash")
        await driver.type("gone")
        await driver.until_shown("✗ MCP server gone")
        assert "good__do" not in driver.screen


async def test_the_folder_is_read_whole_where_there_is_little_room() -> None:
    async with open_app((80, 24)) as driver:
        await driver.press("f9")
        await driver.until_shown("No functions yet.")
        shown = " ".join(line[:34].strip() for line in driver.screen.splitlines())
        folder = short_path(user_paths().functions_dir)
        pieces = shown.partition("Put Python files into ")[2].partition(", or name MCP servers")[0].split()
        assert "".join(pieces) == folder
        assert [piece[-1] for piece in pieces[:-1]] == ["/"] * (len(pieces) - 1)
