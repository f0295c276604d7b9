"""The user's own functions: what there is, and what was decided for good about each."""

import asyncio
from collections.abc import Callable

from assistants_tui.service.errors import ServiceError
from assistants_tui.service.functions.mcp_servers import McpServers
from assistants_tui.service.functions.python_functions import PythonFunctions
from assistants_tui.service.functions.registry import Catalogue, Function, Functions
from assistants_tui.settings.approvals import Approvals, Decision
from assistants_tui.settings.config import Config
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.paths import Paths


class UserFunctions:
    """Python files in a folder, and MCP servers. `changed` is called when a server has other tools."""

    def __init__(self, paths: Paths, config: Config, changed: Callable[[], None]) -> None:
        self.folder = paths.functions_dir
        """The folder of the user's Python functions."""
        self._mcp = McpServers(config.mcp, config.functions.timeout, paths.downloads_dir, changed)
        self.callable = Functions([PythonFunctions(paths.functions_dir, config.functions), self._mcp])
        """Finds and calls them."""
        self.approvals = Approvals(paths.approvals_file)
        """What the user decided for good."""

    async def catalogue(self) -> Catalogue:
        """Every function that can be called here. Starts the MCP servers."""
        return await self.callable.catalogue()

    async def decision(self, function: Function) -> Decision | None:
        """What the user decided for good about a function."""
        name = function.definition["name"]
        return await asyncio.to_thread(self.approvals.decision, name, function.fingerprint)

    async def forget(self, function: Function) -> None:
        """Ask again before a function runs. Raises `ServiceError`."""
        name = function.definition["name"]
        try:
            await asyncio.to_thread(self.approvals.decide, name, function.fingerprint, None)
        except SettingsError as error:
            raise ServiceError(str(error), kind="settings", no_effect=True) from error

    async def close(self) -> None:
        """Disconnect the MCP servers."""
        await self._mcp.close()
