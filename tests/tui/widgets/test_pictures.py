"""Pictures become coloured half blocks, or a sentence that says why they do not."""

import builtins
import json
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from assistants_tui.tui.dialogs.file_viewer import ViewerScreen
from assistants_tui.tui.widgets.pictures import PictureError, decode, shade
from support.app import open_app_with
from support.model_endpoint import calls, says

BACKGROUND = (1, 2, 3)


def png(width: int, height: int, colour: tuple[int, ...]) -> bytes:
    data = BytesIO()
    Image.new("RGBA" if len(colour) == 4 else "RGB", (width, height), colour).save(data, "PNG")
    return data.getvalue()


def test_a_picture_fits_its_room_and_keeps_its_proportions() -> None:
    wide = decode(png(200, 50, (255, 0, 0)), 40, 20, BACKGROUND)
    assert (wide.width, wide.height, wide.size) == (40, 5, (200, 50))
    assert wide.pixels[0][0] == (255, 0, 0)
    high = decode(png(50, 200, (255, 0, 0)), 40, 20, BACKGROUND)
    assert (high.width, high.height) == (10, 20)
    small = decode(png(3, 3, (0, 255, 0)), 40, 20, BACKGROUND)
    assert (small.width, small.height) == (3, 2), "never larger than it is"
    assert small.pixels[3] == [BACKGROUND] * 3, "half of the last row of cells is empty"


def test_what_is_transparent_shows_the_background() -> None:
    assert decode(png(2, 2, (9, 9, 9, 0)), 2, 1, BACKGROUND).pixels[0][0] == BACKGROUND


def test_without_colours_light_is_told_by_shades() -> None:
    assert [shade((level, level, level)) for level in (0, 64, 128, 192, 255)] == [*" ░▒▓█"]


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n broken", b"<svg/>", png(9, 9, (1, 1, 1))[:40]])
def test_what_is_no_picture_is_said(data: bytes) -> None:
    with pytest.raises(PictureError, match="cannot be read"):
        decode(data, 10, 10, BACKGROUND)


def test_a_small_file_that_claims_to_be_huge_is_not_decoded() -> None:
    data = bytearray(png(1, 1, (0, 0, 0)))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(PictureError):
        decode(bytes(data), 10, 10, BACKGROUND)


def test_without_the_package_its_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "PIL":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(PictureError, match=r"To add it: .*install.*\[(.*,)?images[],]"):
        decode(b"", 10, 10, BACKGROUND)


async def test_a_picture_that_code_makes_is_shown() -> None:
    code = "from PIL import Image\ndisplay(Image.new('RGB', (40, 20), (200, 30, 30)))"
    replies = calls(("code_interpreter", json.dumps({"code": code}))), says("Here it is.")
    async with open_app_with(*replies, size=(140, 40)) as driver:
        await driver.type("Draw")
        await driver.until_answered()
        await driver.until_shown("▣ image-1.png")
        driver.chat.query_one("#run-tree").focus()
        await driver.press("up")
        await driver.until_shown("▀▀▀▀▀▀▀▀")
        await driver.press("enter")
        await driver.until(lambda: isinstance(driver.app.screen, ViewerScreen))
        await driver.until_shown("▀▀▀▀▀▀▀▀")
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)
