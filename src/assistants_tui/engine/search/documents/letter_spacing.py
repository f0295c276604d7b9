"""Words that a PDF sets with space between their letters, which come out as "H e l l o"."""

import ctypes
import re
from itertools import pairwise
from statistics import median

import pypdfium2
from pypdfium2 import raw

_RUN = re.compile(r"(?<!\S)(?:\S[ \xa0]){3,}\S(?!\S)")
_FEWEST_LETTERS = 4
_WIDEST = 0.75  # of the height of a line: the widest gap between the letters of a word
_WIDER = 1.6  # how much wider than between letters the gap between words is, at least


def closed_up(text: str, page: pypdfium2.PdfTextPage) -> str:
    """The text of a page, all of it as PDFium tells it, with the letters of such words beside one another.

    Where a word ends is told by the gaps on the page. Single letters whose gaps tell nothing stay apart.
    """
    parts: list[str] = []
    end = 0
    for match in _RUN.finditer(text):
        if sum(map(str.isalpha, match[0])) >= _FEWEST_LETTERS:
            before = text[: match.start()]
            first = len(before.encode("utf-16-le", "surrogatepass")) // 2
            parts += text[end : match.start()], _words(match[0], first, page)
            end = match.end()
    return "".join([*parts, text[end:]])


def _words(run: str, first: int, page: pypdfium2.PdfTextPage) -> str:
    """A run of single characters as words. `first` is where it begins in the text, in UTF-16 units."""
    boxes: list[_Box] = []
    objects = set()
    position = first
    moved = True
    for character in run:
        index = raw.FPDFText_GetCharIndexFromTextIndex(page, position)
        position += 2 if ord(character) > 0xFFFF else 1
        if character in " \xa0":
            moved = moved and raw.FPDFText_IsGenerated(page, index) == 1
        elif index < 0 or (box := _box(page, index)) is None:
            return run
        else:
            boxes.append(box)
            objects.add(ctypes.cast(raw.FPDFText_GetTextObject(page, index), ctypes.c_void_p).value)
    gaps = [following[0] - box[2] for box, following in pairwise(boxes)]
    usual = median(gaps)
    if not 0 < usual < _WIDEST * (boxes[0][3] - boxes[0][1]):
        return run
    wide = [gap > _WIDER * usual for gap in gaps]
    one_word = moved and len(objects) == 1  # not letters with blanks between them, nor cells of a table
    if not (one_word or any(wide)):
        return run
    joined = "".join(letter + " " * after for letter, after in zip(run[::2], [*wide, False], strict=True))
    return joined if max(map(len, joined.split())) > 2 else run


_Box = tuple[float, float, float, float]


def _box(page: pypdfium2.PdfTextPage, index: int) -> _Box | None:
    """Left, bottom, right and top of the room that a character takes, in points."""
    box = raw.FS_RECTF()
    if not raw.FPDFText_GetLooseCharBox(page, index, ctypes.byref(box)):
        return None
    return box.left, box.bottom, box.right, box.top
