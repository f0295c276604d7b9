"""What is read before the app shows the last place: the same however much was ever typed."""

import builtins
import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistants_tui.settings.drafts import DraftFile, KeptDraft, save_draft
from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.state import update_state
from support.app import open_app


@pytest.fixture
def touched(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are opened and the folders that are listed from now on."""
    found: list[Path] = []

    def watch(module: Any, name: str) -> None:
        original: Callable[..., Any] = getattr(module, name)

        def watched(path: Any = ".", *arguments: Any, **options: Any) -> Any:
            if isinstance(path, (str, os.PathLike)):
                found.append(Path(path))
            return original(path, *arguments, **options)

        monkeypatch.setattr(module, name, watched)

    for module, name in ((io, "open"), (os, "open"), (builtins, "open"), (os, "scandir"), (os, "listdir")):
        watch(module, name)
    return found


def type_a_lot() -> None:
    """Leave what months of use leave: two megabytes of prompts, and many drafts."""
    paths = user_paths()
    paths.prompts_file.parent.mkdir(parents=True, exist_ok=True)
    prompts = [json.dumps(f"{number} {'x' * 10_000}") for number in range(200)]
    paths.prompts_file.write_text("\n".join([*prompts, json.dumps("the last one"), ""]))
    for number in range(50):
        draft = KeptDraft("y" * 50_000, (DraftFile("a.txt", path=f"/a/{number}"),))
        save_draft(paths.drafts_dir, "local", f"thread_{number}", draft)


async def test_earlier_prompts_and_drafts_are_not_read_until_they_are_wanted(touched: list[Path]) -> None:
    type_a_lot()
    paths = user_paths()
    update_state(paths.state_file, lambda state: replace(state, last_profile="local"))
    assert paths.state_file.stat().st_size < 200
    touched.clear()
    async with open_app() as driver:
        here = [path for path in touched if path.is_relative_to(paths.state_file.parent)]
        assert paths.state_file in here
        assert paths.prompts_file not in here
        assert paths.drafts_dir not in here, "the folder is not listed"
        drafts = {path for path in here if path.parent == paths.drafts_dir and path.suffix == ".json"}
        assert len(drafts) <= 1, "that of the thread that is shown"
        await driver.press("ctrl+u", "up")
        await driver.until_shown("the last one")
        assert paths.prompts_file in touched
