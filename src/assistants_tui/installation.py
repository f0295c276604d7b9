"""How this program was installed, and so how one of its extras is added to it."""

import json
import shlex
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any
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
    return shlex.join([*_installer(), *_requirement(extra)])


def module_advice() -> dict[str, str]:
    """For each module that code of models may miss because an extra is: where it comes from."""
    sentence = (
        "It comes with the extra 'code' of assistants-tui; `assistants-tui doctor` shows there how to add it."
    )
    return dict.fromkeys(MODULES["code"], sentence)


def _installer() -> list[str]:
    environment = Path(sys.prefix)
    if (environment / "pipx_metadata.json").exists():
        return ["pipx", "install", "--force"]
    if (environment / "uv-receipt.toml").exists():
        return ["uv", "tool", "install", "--force"]
    return [sys.executable, "-m", "pip", "install"]


def _requirement(extra: str) -> list[str]:
    """This program from where it came, with the extra and those it has, which some tools would remove."""
    extras = ",".join(name for name in MODULES if name == extra or not missing_modules(name))
    origin = _origin()
    if not origin:
        return [f"{_NAME}[{extras}]"]
    url: str = origin["url"]
    if origin.get("dir_info", {}).get("editable"):
        return ["--editable", f"{unquote(urlparse(url).path)}[{extras}]"]
    if "vcs_info" in origin:
        source = origin["vcs_info"]
        url = f"{source['vcs']}+{url}@{source['commit_id']}"
    if "subdirectory" in origin:
        url += f"#subdirectory={origin['subdirectory']}"
    return [f"{_NAME}[{extras}] @ {url}"]


def _origin() -> dict[str, Any]:
    """Where the program was installed from, unless from an index (direct_url.json of PEP 610)."""
    try:
        text = distribution(_NAME).read_text("direct_url.json")
    except PackageNotFoundError:
        return {}
    return json.loads(text) if text else {}
