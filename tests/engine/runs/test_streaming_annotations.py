"""Finding markers in text that comes in pieces."""

from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.runs.streaming_annotations import MarkerScanner

MARKERS = ["sandbox:/mnt/data/a.csv", "sandbox:/mnt/data/a.csv.gz", "【4:0†source】", "ab", "aab"]


def split(pieces: list[str], markers: list[str]) -> list[tuple[str, str | None]]:
    """The stretches of a text, neighbouring plain ones as one."""
    scanner = MarkerScanner(markers)
    found = [stretch for piece in pieces for stretch in scanner.feed(piece)] + list(scanner.finish())
    joined: list[tuple[str, str | None]] = []
    for text, marker in found:
        assert text and (marker is None or marker == text)
        if marker is None and joined and joined[-1][1] is None:
            joined[-1] = (joined[-1][0] + text, None)
        else:
            joined.append((text, marker))
    return joined


parts = st.lists(st.sampled_from([*MARKERS, "sandbox:/mnt/", "a", "b", "【4:", " ", "x"]), max_size=12)


@given(parts, st.lists(st.integers(0, 300), max_size=20), st.lists(st.sampled_from(MARKERS), unique=True))
def test_pieces_make_no_difference(texts: list[str], cuts: list[int], markers: list[str]) -> None:
    text = "".join(texts)
    places = sorted({cut % (len(text) + 1) for cut in cuts})
    pieces = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    whole = split([text], markers)
    assert split(pieces, markers) == whole
    assert "".join(stretch for stretch, _ in whole) == text


def test_the_longest_marker_counts() -> None:
    text = "See sandbox:/mnt/data/a.csv.gz and sandbox:/mnt/data/a.csv."
    assert split(list(text), MARKERS) == [
        ("See ", None),
        ("sandbox:/mnt/data/a.csv.gz", "sandbox:/mnt/data/a.csv.gz"),
        (" and ", None),
        ("sandbox:/mnt/data/a.csv", "sandbox:/mnt/data/a.csv"),
        (".", None),
    ]


def test_text_without_markers_is_not_held_back() -> None:
    scanner = MarkerScanner(["sandbox:/mnt/data/a.csv"])
    assert list(scanner.feed("Hello sand")) == [("Hello ", None)]
    assert list(scanner.feed("wich")) == [("sandwich", None)]
    assert list(MarkerScanner().feed("sand")) == [("sand", None)]
