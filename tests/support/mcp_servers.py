"""MCP servers in config.toml, as users name them."""

import sys

from assistants_tui.settings.paths import user_paths
from support import mcp_raw_server


def use_servers() -> None:
    """Name a server that works, one with a bad tool and one that ends at once in config.toml."""
    config = user_paths().config_file
    config.parent.mkdir(parents=True, exist_ok=True)
    program = f"command = {sys.executable!r}\nargs = [{mcp_raw_server.__file__!r}"
    config.write_text(
        f"[mcp.good]\n{program}]\n"
        f'[mcp.half]\n{program}, "bad"]\n'
        f"[mcp.gone]\ncommand = {sys.executable!r}\n"
        """args = ["-c", "import sys; sys.exit('GITHUB_TOKEN is not set')"]\n"""
    )
