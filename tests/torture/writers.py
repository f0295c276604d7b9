"""A program that writes the user's files as fast as it can and says what it has written, to be killed.

It reads one number per line, and for each begins a new process that writes until it is killed. Its output is
one JSON list per line: `["pid", process]`, `[kind, number]` for each write that has returned, and `["dead"]`.
"""

import json
import os
import random
import sys

from assistants_tui.settings.config import Profile
from assistants_tui.settings.config_editor import append_profile
from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.prompts import add_prompts
from assistants_tui.settings.threads import ThreadIndex, ThreadReference


def _say(*words: object) -> None:
    os.write(1, json.dumps(words).encode() + b"\n")


def _write(number: int) -> None:
    paths, chance = user_paths(), random.Random(number)
    index = ThreadIndex(paths.threads_file)
    for n in range(number * 1000, number * 1000 + 1000):
        kind = chance.choice(["thread", "title", "prompt", "profile"])
        if kind == "thread":
            index.add(ThreadReference("local", f"thread_{n}", f"title {n}"))
        elif kind == "title":
            index.add(ThreadReference("local", "thread_renamed"))
            index.update("local", "thread_renamed", title=f"title {n}")
        elif kind == "prompt":
            add_prompts(paths.prompts_file, f"prompt {n}")
        else:
            append_profile(paths.config_file, Profile(f"p{n}", "openai", base_url="http://127.0.0.1:1/v1"))
        _say(kind, n)


def _main() -> None:
    import filelock
    import tomli_w  # noqa: F401

    filelock.FileLock("unused")
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            _say("pid", os.getpid())
            _write(int(line))
            os._exit(0)
        os.waitpid(process, 0)
        _say("dead")


if __name__ == "__main__":
    _main()
