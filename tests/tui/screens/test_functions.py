"""The screen of functions: what can be used, and what cannot with its reason."""

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
