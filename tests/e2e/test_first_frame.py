"""What is loaded when the first frame is painted: nothing that a user would have to wait for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "openai",  # the client
    "httpx2",
    "pydantic",
    "starlette",  # the engine
    "uvicorn",
    "sqlalchemy",
    "assistants_tui.engine",
    "pypdfium2",  # parsers
    "docx",
    "numpy",
    "markdown_it",
    "jupyter_client",  # kernels
    "zmq",
    "keyring",
    "mcp",
    "assistants_tui.tui.screens.chat",  # the panes, which come after it
    "assistants_tui.service.workspace",
}

PROGRAM = """
import os, sys
from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.app import AssistantsApp
from assistants_tui.tui.widgets.first_frame import FirstFrame

def painted(app):
    frame = app.query(FirstFrame)
    if frame and frame.first().size.height > 1:
        print(*sys.modules, sep="\\n", file=sys.__stdout__, flush=True)
        os._exit(0)

AssistantsApp.post_display_hook = painted  # a hook of Textual's
AssistantsApp(user_paths()).run(headless=True)
"""


@pytest.fixture
def loaded(tmp_path: Path) -> set[str]:
    env = os.environ | {"HOME": str(tmp_path), "COLUMNS": "100", "LINES": "30"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())


def test_nothing_heavy_is_loaded_before_the_first_frame(loaded: set[str]) -> None:
    assert "assistants_tui.tui.app" in loaded
    assert loaded & HEAVY == set()
