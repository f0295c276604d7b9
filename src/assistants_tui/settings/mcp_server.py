"""The settings of an MCP server."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from assistants_tui.settings.setting_fields import declare
from assistants_tui.settings.value_types import Environment, Flag, Text, Url, Variable, Words


@dataclass(frozen=True)
class McpServer:
    """`[mcp.NAME]`: a server of the Model Context Protocol, a program that is started or an address."""

    name: str
    command: str | None = field(
        default=None,
        metadata=declare(Text(), "The program to start.", example="npx", kinds=("program",), required=True),
    )
    args: tuple[str, ...] = field(
        default=(),
        metadata=declare(
            Words(),
            "Its arguments.",
            example=["-y", "@modelcontextprotocol/server-filesystem", "."],
            kinds=("program",),
        ),
    )
    env: Mapping[str, str] = field(
        default_factory=dict,
        repr=False,
        metadata=declare(
            Environment(),
            "Its environment variables; $ takes a value from your environment.",
            example={"SOME_TOKEN": "$SOME_TOKEN"},
            kinds=("program",),
        ),
    )
    url: str | None = field(
        default=None,
        metadata=declare(
            Url(),
            "The address of the server.",
            example="https://mcp.example.org/mcp",
            kinds=("address",),
            required=True,
        ),
    )
    api_key_env: str | None = field(
        default=None,
        metadata=declare(
            Variable(),
            "The environment variable with the key that is sent there as a bearer token.",
            example="TEAM_MCP_KEY",
            kinds=("address",),
        ),
    )
    allow_plain_http: bool = field(
        default=False,
        metadata=declare(
            Flag(), "Whether the key may go to another computer without encryption.", kinds=("address",)
        ),
    )
