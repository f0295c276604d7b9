"""Pictures as rows of coloured characters: the upper half of a cell in one colour, the lower in another.

Half blocks work in every terminal with colours, also through tmux and ssh, scroll with the text and pass our
filter of escape sequences. Sixel and kitty graphics do not: libraries that draw them question the terminal
while Textual reads from it, and send raw sequences past the compositor.

Pillow decodes; it is an optional extra. Where it is missing, or the bytes are no picture, there is a
sentence instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

MAX_PIXELS = 40_000_000
"""Larger pictures are not decoded: a small file can claim to be huge."""
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
_SHADES = " ░▒▓█"

Colour = tuple[int, int, int]


class PictureError(Exception):
    """The picture cannot be shown. `str` is the sentence to show."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that fits into a number of cells: two rows of pixels for each row of cells."""

    width: int
    pixels: Sequence[Sequence[Colour]]
    size: tuple[int, int]
    """Of the original, in pixels."""

    @property
    def height(self) -> int:
        """Rows of cells."""
        return len(self.pixels) // 2


def decode(data: bytes, columns: int, rows: int, background: Colour) -> Picture:
    """The first frame of a picture, as large as fits into so many cells and never larger than it is.

    What is transparent shows `background`. Slow: call it in a thread. Raises `PictureError`.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        from assistants_tui.installation import install_command

        raise PictureError(f"Pictures need a package. To add it: {install_command('images')}") from None
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as image:
            size = image.size
            if size[0] * size[1] > MAX_PIXELS:
                raise PictureError(f"The picture is too large to be shown: {size[0]:,} × {size[1]:,} pixels.")
            width, height = _fitted(size, columns, rows * 2)
            image.draft("RGB", (width, height))  # a JPEG need not be decoded in full
            upright = ImageOps.exif_transpose(image)
            if upright.size != image.size:
                size = (size[1], size[0])
                width, height = _fitted(size, columns, rows * 2)
            small = upright.convert("RGBA").resize((width, height), Image.Resampling.LANCZOS)
            canvas = Image.new("RGBA", (width, height + height % 2), (*background, 255))
            canvas.alpha_composite(small)
            flat = canvas.convert("RGB").tobytes()
    except PictureError:
        raise
    except Exception as error:  # noqa: BLE001  decoders of broken files fail in every way there is
        raise PictureError(f"The picture cannot be read ({type(error).__name__}).") from None
    stride = 3 * width
    pixels = [
        [(row[at], row[at + 1], row[at + 2]) for at in range(0, stride, 3)]
        for row in (flat[start : start + stride] for start in range(0, len(flat), stride))
    ]
    return Picture(width, pixels, size)


def shade(colour: Colour) -> str:
    """A character as bright as a colour, for terminals without any."""
    red, green, blue = colour
    light = (299 * red + 587 * green + 114 * blue) / 255_000  # Rec. 601
    return _SHADES[min(len(_SHADES) - 1, int(light * len(_SHADES)))]


def _fitted(size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """Width and height in pixels: as wide as cells, twice as high, in the proportions of the picture."""
    scale = min(columns / max(1, size[0]), rows / max(1, size[1]), 1.0)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
