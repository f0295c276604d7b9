"""SIGKILL at any moment: what had been confirmed is there. tests/torture/kills.py does it many more times."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.prompts import load_prompts
from assistants_tui.settings.threads import ThreadIndex
from support.patience import patience
from torture import writers
from torture.kills import torture

KILLS = 60
SEED = 5  # of a life that ends with the app and its server killed together


def test_the_app_and_its_engine_lose_nothing(tmp_path: Path) -> None:
    assert torture(1, SEED, installed=True, home=tmp_path) == {"team both": 1}


@contextmanager
def writing_process() -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, writers.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def test_writes_of_settings_are_whole_or_not_at_all() -> None:
    written: dict[str, list[int]] = {"thread": [], "title": [], "prompt": [], "profile": []}

    def enough() -> bool:
        """A busy computer kills most before they have written anything."""
        return all(written.values()) and sum(map(len, written.values())) > KILLS / 2

    with writing_process() as process:
        assert process.stdin is not None and process.stdout is not None
        for seed in range(10 * KILLS):
            if seed >= KILLS and enough():
                break
            chance = random.Random(seed)
            process.stdin.write(f"{seed}\n")
            process.stdin.flush()
            _, pid = json.loads(process.stdout.readline())
            time.sleep(chance.random() * patience(0.03))  # the moment is what is tried out
            os.kill(pid, signal.SIGKILL)
            while (line := json.loads(process.stdout.readline())) != ["dead"]:
                written[line[0]].append(line[1])
            check(written)
    assert enough()


def check(written: dict[str, list[int]]) -> None:
    """All that was said to be written is there, and every file is whole."""
    paths = user_paths()
    index = ThreadIndex(paths.threads_file)
    titles = {reference.id: reference.title for reference in index.list("local")}
    assert not index.problems
    assert {f"thread_{n}" for n in written["thread"]} <= titles.keys()
    if written["title"]:
        assert int(titles["thread_renamed"].split()[1]) >= written["title"][-1]
    loaded = load_config(paths.config_file)
    assert not loaded.problems
    assert {f"p{n}" for n in written["profile"]} <= loaded.config.profiles.keys()
    prompts = load_prompts(paths.prompts_file)
    assert {f"prompt {n}" for n in written["prompt"][-100:]} <= set(prompts)
