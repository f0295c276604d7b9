"""prompts.jsonl: what was sent, one JSON text a line, the newest last. A new one is appended."""

import json
import os
from pathlib import Path

from assistants_tui.settings.files import locked, write_atomic, writing

NAME = "prompts.jsonl"
MAX_PROMPTS = 200
MAX_PROMPT_CHARS = 20_000
"""Longer prompts are not remembered: they are pasted documents rather than something to send again."""
MAX_BYTES = 1024 * 1024
"""What is kept when the file is shortened, which happens when it has twice as much."""


def load_prompts(path: Path) -> tuple[str, ...]:
    """The prompts, oldest first, each once, at most `MAX_PROMPTS`. Blocks on the disk; nothing raises.

    A line that is damaged, as by a full disk, is left out.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return ()
    found: dict[str, None] = {}
    for line in data.split(b"\n"):
        try:
            prompt = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(prompt, str):
            found.pop(prompt, None)
            found[prompt] = None
    return tuple(found)[-MAX_PROMPTS:]


def add_prompts(path: Path, *prompts: str) -> None:
    """Remember prompts as the newest. Blocks on the disk. Raises `SettingsError` if it cannot be written."""
    kept = [prompt for prompt in prompts if prompt.strip() and len(prompt) <= MAX_PROMPT_CHARS]
    if not kept:
        return
    with locked(path), writing(path):
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            data = b"\n" * torn + b"".join(map(_line, kept))
            os.write(descriptor, data)
        if size + len(data) > 2 * MAX_BYTES:
            write_atomic(path, _shortened(load_prompts(path)))


def _line(prompt: str) -> bytes:
    return json.dumps(prompt).encode() + b"\n"


def _shortened(prompts: tuple[str, ...]) -> bytes:
    """The newest prompts that fit into `MAX_BYTES`."""
    lines: list[bytes] = []
    size = 0
    for line in map(_line, reversed(prompts)):
        size += len(line)
        if size > MAX_BYTES:
            break
        lines.append(line)
    return b"".join(reversed(lines))
