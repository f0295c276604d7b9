"""The first thing that runs in the sandbox: gives up rights, then does the one task it was started for."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from . import confine


def main(arguments: list[str]) -> None:
    """Run a task. The only argument is its description as JSON, made by the launcher."""
    order: dict[str, Any] = json.loads(arguments[0])
    sys.path.extend(order["paths"])
    if user := order.get("user"):
        confine.become(user)
    if folder := order.get("work_in"):
        os.chdir(folder)
    confine.limit_resources(order["limits"])
    if parent := order.get("parent"):
        confine.die_with(parent)
    if rules := order.get("landlock"):
        confine.restrict(**rules)
    task = order["task"]
    if task == "kernel":
        from . import kernel

        kernel.serve(order)
    elif task == "probe":
        from . import probe

        probe.report(order)
    elif task == "fonts":
        os.environ["MPLCONFIGDIR"] = order["folder"]
        import matplotlib.font_manager  # noqa: F401 - looks for the system's fonts and keeps the list
    else:
        sys.exit(f"unknown task {task!r}")
