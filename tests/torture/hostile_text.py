"""Puts hostile texts into every place that shows outside text, and reads what the app sends to its terminal.

    python tests/torture/hostile_text.py [--count 10000] [--seed 1]

The texts are titles, names, messages, code, logs, file names, errors and arguments of functions, on a real
engine. The installed command is started in a pseudo-terminal and led past all of them. What it sends may hold
only the sequences that it needs itself, no text that a terminal obeys or reorders, and all markup as it is.
"""

import argparse
import asyncio
import itertools
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

sys.path.insert(0, str(Path(__file__).parent.parent))

from assistants_tui.engine.app import EngineSettings, ModelProvider
from assistants_tui.protocol.names import has_control_characters
from assistants_tui.service.safe_text import UNSAFE
from support.engine import make, open_engine, upload
from support.hostile import CANARY, strings
from support.model_endpoint import ModelEndpoint, calls, refuses, says
from support.terminal import Terminal

_OWN = re.compile(
    rb"\x1b\[[?>=<]?[0-9;:]*[ $]?[@-~]"  # CSI: cursor, colours, modes
    rb"|\x1b\[<[0-9;]*[Mm]"
    rb"|\x1b[=>78M]"
    rb"|\x1b\]22;[a-z-]*\x07"  # the shape of the mouse pointer
    rb"|(?<=\x1b\[0m)\x07(?=\x1b)|(?<=[A-Za-z])\x07(?=\x1b\[\d+;\d+H)"  # the bell, between two frames
)
"""Sequences of an app: nothing that carries a text."""
_FORBIDDEN_FINALS = frozenset(b"itn")  # print, resize or report, ask the terminal
_ASKED = (b"\x1b[?2026$p", b"\x1b[?2048$p", b"\x1b[14t", b"\x1b[16t", b"\x1b[18t", b"\x1b[c", b"\x1b[6n")
_SHARES = {"titles": 0.35, "messages": 0.4, "logs": 0.05, "files": 0.05, "assistants": 0.1, "stores": 0.05}


@dataclass
class Shown:
    """What came out: raw bytes, and every text that stood on a screen."""

    quiet: float
    raw: bytearray = field(default_factory=bytearray)
    screens: set[str] = field(default_factory=set)
    titles: set[str] = field(default_factory=set)


@contextmanager
def home_directory() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def show(count: int, seed: int, home: Path, *, quiet: float = 0.08) -> Shown:
    """Fill a home with so many texts and lead the app past them.

    `quiet`: seconds without output after which a screen counts as complete.
    """
    texts = strings(count, seed)
    bounds = list(itertools.accumulate(int(count * share) for share in _SHARES.values()))
    parts = {name: texts[start:end] for name, start, end in zip(_SHARES, [0, *bounds], bounds, strict=False)}
    data = home / ".local/share/assistants-tui"
    data.mkdir(parents=True)
    (home / ".config/assistants-tui").mkdir(parents=True)
    talk = asyncio.run(_fill(parts, data / "engines/local"))
    _write_titles(parts["titles"], talk, data / "threads.toml")
    shown = Shown(quiet)
    with Terminal(["--thread", talk], env=_environment(home), columns=140, lines=45) as terminal:
        terminal.wait_for(lambda text: "failed" in text, seconds=60)
        _page(terminal, shown, "/rename \x07[red]CANARY[/red]\r", "\x1b[5~", 1)
        _page(terminal, shown, "/nothing [red]CANARY[/red]\r", "\x1b[5~", 1)
        _page(terminal, shown, "\x1b[Z", "\x1b[5~", 2 + len(parts["messages"]) // 10)  # messages, upwards
        _page(terminal, shown, "\x1bOQ", "\x1b[6~", 2 + len(parts["titles"]) // 12)  # F2: threads
        _page(terminal, shown, "\x1b[Z", "\x1b[6~", 2 + len(parts["assistants"]) // 10)
        _page(terminal, shown, "\x1bOS", "\x1b[B", 8)  # F4: the inspector
        _page(terminal, shown, "3", "\x1b[6~", 10)  # raw objects
        _page(terminal, shown, "\x1b\x1b[18~", "\x1b[6~", 2 + len(parts["files"]) // 25)  # F7: files
        _page(terminal, shown, "\x1b\x1b[19~", "\x1b[6~", 2 + len(parts["stores"]) // 25)  # F8: stores
        shown.raw += terminal.raw
    return shown


def check(shown: Shown) -> None:
    """Nothing reached the terminal that it could have obeyed. Raises `AssertionError`."""
    foreign = sorted(set(_escapes(shown.raw)))
    assert not foreign, foreign[:10]
    text = _OWN.sub(b"", shown.raw).decode("utf-8", "replace")
    unsafe = {char for char in UNSAFE.findall(text) if char not in "\r\n\x0f"}
    assert not unsafe, [text[max(0, at - 60) : at + 20] for at in map(text.find, unsafe)]
    assert not any(CANARY in title for title in shown.titles), shown.titles
    everything = "\n".join(shown.screens)
    for markup in (f"[red]{CANARY}[/red]", "<script>alert(1)</script>"):
        assert markup in everything, f"{markup} is nowhere on the screens as it was written"


def _escapes(raw: bytes | bytearray) -> Iterator[bytes]:
    """The sequences that are not the app's own."""
    for found in re.finditer(rb"\x1b", raw):
        own = _OWN.match(raw, found.start())
        if own is None:
            yield bytes(raw[found.start() : found.start() + 40])
        elif own[0][-1] in _FORBIDDEN_FINALS and own[0] not in _ASKED:
            yield own[0]


def _page(terminal: Terminal, shown: Shown, begin: str, key: str, times: int) -> None:
    """Press some keys first and then one again and again, and take in every screen."""
    for keys in (begin, *[key] * times):
        terminal.send(keys)
        terminal.settle(shown.quiet)
        shown.screens |= set(terminal.text.splitlines())
        shown.titles.add(terminal.screen.title)


def _environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return kept | {
        "HOME": str(home),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }


async def _fill(parts: dict[str, list[str]], data_dir: Path) -> str:
    """An engine's store with texts in all its objects. Returns a thread, whose last run failed."""
    async with ModelEndpoint() as endpoint:
        settings = EngineSettings(data_dir, providers=[ModelProvider(endpoint.url)], default_model="served")
        async with open_engine(settings) as http:
            for name in parts["assistants"]:
                words: dict[str, Any] = {"description": name[:500], "instructions": name}
                await make(http, "/assistants", model=name[:50] or "m", name=_name(name)[:250], **words)
            tools = [{"type": "code_interpreter"}, {"type": "function", "function": {"name": "tide"}}]
            assistant = (await make(http, "/assistants", model="served", name="Answerer", tools=tools))["id"]
            for name in parts["stores"]:
                await make(http, "/vector_stores", name=_name(name))
            files = [await upload(http, _filename(name), b"x") for name in parts["files"]]
            thread = (await make(http, "/threads"))["id"]
            for start in range(0, len(parts["messages"]), 20):
                said = parts["messages"][start : start + 20]
                body = {"role": "user" if start % 40 else "assistant", "content": _message(said)}
                await make(http, f"/threads/{thread}/messages", **body)
            attachments = [{"file_id": file["id"], "tools": tools[:1]} for file in files[:5]]
            last = {"role": "user", "content": "Go", "attachments": attachments}
            await make(http, f"/threads/{thread}/messages", **last)
            logs = "\n".join(parts["logs"])
            code = f"# {' '.join(parts['logs'][:5])!r}\nprint({logs!r})"
            endpoint.replies = [
                calls(("code_interpreter", json.dumps({"code": code})), piece=500),
                says(*parts["logs"][:20]),
                refuses(400, {"message": "".join(parts["logs"][:8])}),
            ]
            run = {"assistant_id": assistant, "stream": True}
            assert "run.completed" in (await http.post(f"/threads/{thread}/runs", json=run, timeout=60)).text
            assert "run.failed" in (await http.post(f"/threads/{thread}/runs", json=run, timeout=60)).text
    return str(thread)


def _name(text: str) -> str:
    """What an engine takes as a name."""
    return "".join(char for char in text if not has_control_characters(char))


def _filename(text: str) -> str:
    return "".join(char for char in _name(text) if char not in '"\\') + ".csv"


def _message(texts: list[str]) -> str:
    """Texts in all that Markdown has."""
    shapes = [
        "{}",
        "# {}",
        "- {}",
        "`{}`",
        "```{}\n{}\n```",
        "|{}|\n|-|\n|{}|",
        "> {}",
        "[{}](https://x.y)",
        "**{}**",
    ]
    return "\n\n".join(
        shape.replace("{}", text) for text, shape in zip(texts, itertools.cycle(shapes), strict=False)
    )


def _write_titles(titles: list[str], thread_id: str, path: Path) -> None:
    ids = [thread_id, *(f"thread_{number}" for number in range(1, len(titles)))]
    references = [
        {"profile": "local", "id": thread_id, "title": title, "created_at": 1, "last_used_at": 1}
        for thread_id, title in zip(ids, titles, strict=False)
    ]
    path.write_text(tomli_w.dumps({"threads": references}), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with home_directory() as home:
        shown = show(options.count, options.seed, home)
    check(shown)
    print(f"{options.count} texts, {len(shown.raw):,} bytes, {len(shown.screens):,} lines: all harmless")
    return 0


if __name__ == "__main__":
    sys.exit(main())
