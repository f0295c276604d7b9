"""Rewriting questions as searches."""

import re

_MAX_QUERIES = 5
_LONGEST = 2_000  # characters of a question; what is longer is a whole text

_QUESTION = (
    r"(?:what|where|when|why|who|whom|whose|which|how"
    r"|is|are|was|were|do|does|did|can|could|should|will|would)"
)
# Between questions: after their marks, and before "and", "or", "but" that begin another one.
_BOUNDARY = re.compile(
    r"[?!;\n]+\s*"
    r"|(?<=[\w)\"'])\.\s+(?=(?-i:[A-Z\d]))"
    rf"|,?\s+(?:and|or|but)\s+(?:also\s+)?(?={_QUESTION}\b)"
    rf"|,\s+(?={_QUESTION}\b)",
    re.IGNORECASE,
)
# What a question says besides its subject, at its beginning.
_OPENING = re.compile(
    r"(?:(?:hi|hello|hey|ok|okay|so|well|and|also|then|please|thanks)\b[,!.]?\s+"
    r"|(?:can|could|would|will)\s+(?:you|we|i|one)\s+(?:please\s+|kindly\s+)?"
    r"|i(?:\s+want|\s+would\s+like|\s+need|'d\s+like)\s+to\s+(?:know|learn|find\s+out|understand|see)\s+"
    r"|(?:i\s+am|i'm)\s+(?:looking|searching)\s+for\s+"
    r"|(?:tell|show|give|remind)\s+(?:me|us)\s+(?:about\s+|of\s+)?"
    r"|(?:explain|describe|summari[sz]e)\s+(?:to\s+me\s+)?"
    r"|(?:what|who|whom|whose|where|when|why|which|how)(?:'s|'re)?\s+"
    r"|(?:is|are|was|were|do|does|did)\s+"
    r"|(?:can|could|should|would|will|has|have|had)\s+(?=(?:i|you|we|they|he|she|it|one)\b)"
    r"|(?:i|you|we|they|one|there|it|the|a|an|to|about|many|much)\s+)",
    re.IGNORECASE,
)
_ONLY_MANNERS = re.compile(
    r"(?:(?:hi|hello|hey|dear|ok|okay|so|well|also|please|thanks|thank|you|very|much|there|all)\b\W*)*",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|this|that|these|those|he|she|him|her|his)\b", re.IGNORECASE
)
_WORD = re.compile(r"\w")


def rewrite(question: str) -> list[str]:
    """The searches that answer a question: one for each thing it asks, without the words of asking.

    A question about "it" is one about what was asked before, so it takes that along.

    >>> rewrite("Hello, how high is the tower? Who built it?")
    ['high is the tower', 'high is the tower built it']
    """
    found: dict[str, str] = {}
    if len(question) > _LONGEST:
        return [question.strip()]
    # runs of blanks say nothing, and take the patterns time with the square of their length
    spaced = "\n".join(" ".join(line.split()) for line in question.splitlines() if not line.isspace())
    for between in _BOUNDARY.split(spaced):
        part = between.strip().strip(",.?!").strip()
        query = _without_opening(part)
        if not _WORD.search(query) or _ONLY_MANNERS.fullmatch(part):
            continue
        if found and _POINTS_BACK.search(query):
            query = f"{next(reversed(found.values()))} {query}"
        found.setdefault(query.casefold(), query)
    if not 1 <= len(found) <= _MAX_QUERIES:
        # A whole text, or nothing but signs: both are best looked up as they are.
        return [question.strip()]
    return list(found.values())


def _without_opening(part: str) -> str:
    """Take opening words away as long as something is left to look for."""
    while (match := _OPENING.match(part)) and _WORD.search(part, match.end()):
        part = part[match.end() :]
    return part
