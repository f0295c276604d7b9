"""What is shown of wire objects: text with its footnotes, titles, times. Pure functions of the objects."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from assistants_tui.protocol.objects import Annotation, ContentPart, Json, Message, Run, RunStep

MAX_TITLE = 60
"""Characters of a suggested title; what is longer is cut at a word."""


@dataclass(frozen=True, slots=True)
class Footnote:
    """What a mark `[number]` in a shown text stands for."""

    number: int
    kind: str
    """`file_citation`: a passage that file search found; `file_path`: a file that code made."""
    file_id: str
    marker: str
    """The text that the mark replaced, such as `【4:0†report.pdf】` or `sandbox:/mnt/data/plot.csv`."""

    @property
    def name(self) -> str:
        """The file name that the marker holds, or the file's ID if it holds none."""
        if self.kind == "file_path":
            return self.marker.rpartition("/")[2] or self.file_id
        _, dagger, name = self.marker.strip("【】").partition("†")
        return name if dagger and name else self.file_id


@dataclass(frozen=True, slots=True)
class ShownText:
    """The text of a message as Markdown, and what its marks stand for."""

    text: str
    footnotes: tuple[Footnote, ...]
    images: tuple[str, ...]
    """File IDs, or addresses of images elsewhere."""


def render_text(message: Message) -> ShownText:
    """All parts of a message as one text. Several marks of the same file and kind share one footnote."""
    texts: list[str] = []
    images: list[str] = []
    footnotes: Footnotes = {}
    for part in message["content"]:
        match part.get("type"):
            case "text":
                texts.append(_with_marks(part, footnotes))
            case "image_file":
                images.append(str(_dict(part.get("image_file")).get("file_id", "")))
            case "image_url":
                images.append(str(_dict(part.get("image_url")).get("url", "")))
            case "refusal":
                texts.append(str(part.get("refusal") or ""))
    return ShownText("\n\n".join(text for text in texts if text), tuple(footnotes.values()), tuple(images))


def raw_text(message: Message) -> str:
    """The text of a message as it was written, with the markers of its annotations."""
    return "".join(str(_dict(part.get("text")).get("value") or "") for part in message["content"])


Footnotes = dict[tuple[str, str, str], Footnote]
"""The footnotes of a message so far, by kind, file and marker."""


def _with_marks(part: ContentPart, footnotes: Footnotes) -> str:
    text = _dict(part.get("text"))
    return with_marks(str(text.get("value") or ""), text.get("annotations"), footnotes)


def with_marks(value: str, annotations: object, footnotes: Footnotes, *, start: int = 0) -> str:
    """`value`, which stands at `start` in its text, with marks in place of what is annotated.

    Footnotes that `annotations` need and `footnotes` does not have are added there.
    """
    placed: list[tuple[int, int, Footnote]] = []
    found = [one for one in annotations if _is_placed(one)] if isinstance(annotations, list) else []
    for annotation in sorted(found, key=lambda one: one["start_index"]):
        if (footnote := _footnote(annotation, footnotes)) is not None:
            placed.append((annotation["start_index"] - start, annotation["end_index"] - start, footnote))
    pieces: list[str] = []
    end_of_text = len(value)
    # from the last to the first: where two of them overlap, the later one counts
    for begin, end, footnote in reversed(placed):
        if not 0 <= begin <= end <= end_of_text:
            continue  # a server that counts wrongly must not garble the text
        mark = f"[{footnote.number}]"
        if footnote.kind == "file_path" and value.endswith("](", 0, begin):
            mark = footnote.marker  # inside a Markdown link the address stays, and the link is the mark
        pieces += [value[end:end_of_text], mark]
        end_of_text = begin
    return "".join([value[:end_of_text], *reversed(pieces)])


def _is_placed(annotation: object) -> bool:
    one = _dict(annotation)
    return isinstance(one.get("start_index"), int) and isinstance(one.get("end_index"), int)


def _footnote(annotation: Annotation, footnotes: Footnotes) -> Footnote | None:
    kind = str(annotation.get("type"))
    details = annotation.get("file_citation" if kind == "file_citation" else "file_path")
    if not isinstance(details, dict):
        return None
    key = (kind, str(details.get("file_id", "")), str(annotation.get("text", "")))
    if key not in footnotes:
        footnotes[key] = Footnote(len(footnotes) + 1, kind, key[1], key[2])
    return footnotes[key]


def _dict(value: object) -> Json:
    """What a server should have sent as an object, if it did."""
    return value if isinstance(value, dict) else {}


_SIGNS = re.compile(r"^\s*[*#>]+\s|[`#>|]+|(?<!\w)[*_]+(?=\S)|(?<=\S)[*_]+(?!\w)")
"""Those of Markdown that stand for no character: not the stars of `12 * 12` and `2*3`."""


def suggested_title(text: str) -> str:
    """A title from a first message: its first line with words, without Markdown signs, cut to fit."""
    for line in text.splitlines():
        words = _SIGNS.sub("", line).split()
        if words:
            break
    else:
        return "Untitled"
    title = " ".join(words)
    if len(title) <= MAX_TITLE:
        return title
    cut = title[: MAX_TITLE - 1].rpartition(" ")[0] or title[: MAX_TITLE - 1]
    return f"{cut.rstrip(' .,;:')}…"


def ended_at(item: Run | RunStep) -> int | None:
    """When a run or a step came to its end, in Unix seconds; None while it goes on."""
    for key in ("completed_at", "failed_at", "cancelled_at", "expired_at"):
        if isinstance(end := item.get(key), int):
            return end
    return None


def assistant_name(assistant_id: str | None, names: Mapping[str, str]) -> str:
    """The name to show for who wrote a message; an assistant that is gone keeps a plain one."""
    return names.get(assistant_id or "", "Assistant")
