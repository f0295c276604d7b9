"""The pictures that the README shows are what the app draws."""

import difflib
import re
from html import unescape
from pathlib import Path

import pytest

from screenshots import FOLDER, pictures


def drawn_lines(svg: str) -> list[str]:
    """The texts of a picture, each with its place and its style."""
    styles = dict(re.findall(r"\.terminal-(r\d+) \{ (.*?) \}", svg))
    svg = re.sub(r'class="terminal-(r\d+)"', lambda found: f'style="{styles[found[1]]}"', svg)
    return [unescape(one) for one in re.findall(r"<rect fill.*?/>|<text.*?</text>", svg)]


async def test_the_pictures_are_what_the_app_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kept = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.svg")}
    drawn = {name: svg async for name, svg in pictures(tmp_path)}
    assert set(kept) == set(drawn), "run: python tests/screenshots.py"
    for name, svg in drawn.items():
        changed = list(difflib.unified_diff(drawn_lines(kept[name]), drawn_lines(svg), "kept", "drawn", n=0))
        assert not changed, "\n".join(
            [f"{name}.svg has changed; run: python tests/screenshots.py", *changed[:40]]
        )
