"""How many tokens a text has, roughly.

The vocabularies of models are megabytes that would have to be fetched over the network, and differ between
models. What they agree on is near enough for cutting text: a token is a short word or a part of a longer one,
up to three digits, one or two signs, a line end with the indentation after it, or a single CJK character.
"""

import re

_TOKEN = re.compile(
    r" ?[A-Za-z]{1,7}"
    r"| ?\d{1,3}"
    r"|\n\s*"
    r"|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"
    r"| ?[^\W\d_a-zA-Z]{1,3}"
    r"|[ \t]+(?=\S)|\s+"
    r"| ?(?:[^\w\s]|_){1,2}"
    r"|."
)


def count(text: str) -> int:
    """About how many tokens the text is."""
    return sum(1 for _ in _TOKEN.finditer(text))


def starts(text: str) -> list[int]:
    """Where each of the estimated tokens begins. They cover the whole text."""
    return [match.start() for match in _TOKEN.finditer(text)]
