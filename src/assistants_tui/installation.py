"""How this program was installed, and so how one of its extras is added to it."""

import json
import shlex
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlparse

_NAME = "assistants-tui"

MODULES: Mapping[str, tuple[str, ...]] = {
    "code": ("numpy", "pandas", "matplotlib", "sympy", "openpyxl", "pypdf"),
    "images": ("PIL",),
    "mcp": ("mcp",),
}
"""What can be imported with each extra of the package."""


def missing_modules(extra: str) -> list[str]:
    """The modules of an extra that are not installed."""
    return [name for name in MODULES[extra] if find_spec(name) is None]


def install_command(extra: str) -> str:
    """The command line that adds an extra to this installation, for the user to run."""
    return shlex.join(_command(f"[{extra}]"))


def _command(extra: str) -> list[str]:
    environment = Path(sys.prefix)
    if (environment / "pipx_metadata.json").exists():
        return ["pipx", "install", "--force", f"{_NAME}{extra}"]
    if (environment / "uv-receipt.toml").exists():
        return ["uv", "tool", "install", "--force", f"{_NAME}{extra}"]
    pip = [sys.executable, "-m", "pip", "install"]
    if (folder := _editable()) is not None:
        return [*pip, "--editable", f"{folder}{extra}"]
    return [*pip, f"{_NAME}{extra}"]


def _editable() -> str | None:
    """The source folder of an editable installation (PEP 610)."""
    try:
        text = distribution(_NAME).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    origin = json.loads(text) if text else {}
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return unquote(urlparse(origin["url"]).path)
