"""Writes the table of settings into the README; a test says when it is old.

python tests/settings_table.py
"""

from collections.abc import Iterator
from pathlib import Path

from assistants_tui.settings.config import SECTIONS, Profile, Section
from assistants_tui.settings.mcp_server import McpServer
from assistants_tui.settings.setting_fields import Declaration, declared
from assistants_tui.settings.toml_text import line_of

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- settings: python tests/settings_table.py -->\n", "<!-- end of settings -->\n"


def table() -> str:
    """The settings in the order of the file, with where each may stand."""
    head = ("| setting | where | value | default | |", "| --- | --- | --- | --- | --- |")
    return "\n".join([*head, *_rows(), ""])


def _rows() -> Iterator[str]:
    for section in SECTIONS:
        for setting in declared(section.settings).values():
            default = "required" if setting.required else ""
            if setting.default not in (None, ()):
                default = f"`{line_of('x', setting.default).removeprefix('x = ')}`"
            cells = (
                f"`{setting.name}`",
                _where(section, setting),
                setting.type.allowed,
                default,
                setting.help,
            )
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _where(section: Section, setting: Declaration) -> str:
    if not section.name:
        return "the file's first lines"
    place = f"`[{section.name}{f'.{section.many}' * bool(section.many)}]`"
    if section.in_profiles:
        place += f", `[profiles.NAME.{section.name}]`"
    if setting.kinds and section.settings is Profile:
        place += f" of kind {', '.join(setting.kinds)}"
    elif setting.kinds and section.settings is McpServer:
        place += f" of {'a program' if 'program' in setting.kinds else 'an address'}"
    return place + (f", `serve {setting.flag}`" if setting.flag else "")


def renewed(text: str) -> str:
    """The README with the table of now."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")
