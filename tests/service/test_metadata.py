import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.service.metadata import as_lines, from_lines

_KEYS = st.text(max_size=64)
_VALUES = st.text(max_size=512)


@given(st.dictionaries(_KEYS, _VALUES, max_size=16))
def test_lines_give_the_same_pairs_again(metadata: dict[str, str]) -> None:
    assert from_lines(as_lines(metadata)) == metadata


def test_it_reads_as_one_would_write_it() -> None:
    assert from_lines("team = red\n\n order=17 = 3\n") == {"team": "red", "order": "17 = 3"}
    assert as_lines({"team": "red", "note": "two\nlines"}) == 'team = red\nnote = "two\\nlines"'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("team", "Line 1: write it as key = value."),
        ("a = 1\na = 2", "Line 2: the key “a” is there twice."),
        (f"{'k' * 65} = 1", "Line 1: the key has 65 characters; 64 are allowed."),
        (f"k = {'v' * 513}", "Line 1: the value has 513 characters; 512 are allowed."),
        ("\n".join(f"k{number} = 1" for number in range(17)), "There are 17 pairs; 16 are allowed."),
        ('k = "open', "Line 1: a quote is not closed."),
        ('k = "a" b', "Line 1: there is something after the closing quote."),
    ],
)
def test_what_the_api_would_refuse_is_said_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        from_lines(text)
