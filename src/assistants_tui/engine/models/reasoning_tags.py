"""Tells reasoning that a model writes into its text, between tags, from the answer."""

import re
from collections.abc import Iterator

from assistants_tui.engine.models.base import ReasoningDelta, TextDelta

# What may stand at the beginning of an answer, and what ends the reasoning then.
_TAGS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "[THINK]": "[/THINK]",  # Mistral
    "<|channel|>analysis<|message|>": "<|end|><|start|>assistant<|channel|>final<|message|>",  # gpt-oss
    "<|channel>thought": "<channel|>",  # Gemma
}
_LONE_END = "</think>"  # of models whose prompt has the first tag already
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_LINE_BEGINNING = 40  # characters: longer than every tag and fence
# Characters of white space before a tag or after reasoning. More is told: a model may write nothing else, and
# whoever reads its answer has to notice.
_MOST_BLANK = 1000


class LoneEndTag(Exception):
    """All text so far was reasoning: it ended with a tag that had no beginning.

    `reasoning`: what came last before the tag; `rest`: text after it.
    """

    def __init__(self, reasoning: str, rest: str) -> None:
        super().__init__()
        self.reasoning = reasoning
        self.rest = rest


class ReasoningTags:
    """Splits the text of one answer. Feed all of it, then take what `finish` gives.

    Tags may be split over pieces. Reasoning is told apart at the beginning of the answer only: later on, and
    in blocks of code, the same characters are a part of what is written about.
    """

    def __init__(self) -> None:
        self._held = ""
        self._end = ""  # the tag that ends the reasoning; empty outside of it
        self._at_start = True  # nothing but white space has come
        self._after_reasoning = False  # only white space has come since then
        self._blank = 0  # how much of it
        self._may_end_alone = True
        self._line = ""  # how the line began whose end has not come yet
        self._fence = ""  # what the block of code began with that the text is in

    def feed(self, text: str) -> Iterator[TextDelta | ReasoningDelta]:
        """What is certain now. Raises `LoneEndTag`."""
        text, self._held = self._held + text, ""
        if self._at_start:
            begun = text.lstrip()
            tag = next((tag for tag in _TAGS if begun.startswith(tag)), None)
            if tag is not None:
                self._at_start, self._end, self._may_end_alone = False, _TAGS[tag], False
                text = begun.removeprefix(tag).lstrip()
            elif any(known.startswith(begun) for known in _TAGS) and len(text) <= _MOST_BLANK:
                self._held = text
                return
            else:
                self._at_start = False
        if self._end:
            reasoning, end, rest = text.partition(self._end)
            if not end:
                kept = _overlap(text, self._end)
                reasoning, self._held = text[: len(text) - kept], text[len(text) - kept :]
            if reasoning:
                yield ReasoningDelta(reasoning)
            if not end:
                return
            self._end, self._after_reasoning, text = "", True, rest
        if self._after_reasoning:
            begun = text.lstrip()
            self._blank += len(text) - len(begun)
            self._after_reasoning = not begun and self._blank <= _MOST_BLANK
            if begun or self._after_reasoning:
                text = begun
        if self._may_end_alone:
            text = self._watch(text)
        if text:
            yield TextDelta(text)

    def finish(self) -> Iterator[TextDelta | ReasoningDelta]:
        """No more text will come. Raises `LoneEndTag`."""
        held, self._held = self._held, ""
        if not held:
            return
        if self._end:
            yield ReasoningDelta(held)
        elif held.rstrip() == _LONE_END and self._may_end_alone:
            raise LoneEndTag("", "")
        else:
            yield TextDelta(held)

    def _watch(self, text: str) -> str:
        """The text without a last line that may be the tag. Raises `LoneEndTag` for a line that is."""
        *whole, last = text.split("\n")
        for number, end in enumerate(whole):
            line, self._line = self._line + end, ""
            if line.rstrip() == _LONE_END and not self._fence:
                self._may_end_alone = False
                rest = "\n".join([*whole[number + 1 :], last]).lstrip()
                self._after_reasoning = not rest
                raise LoneEndTag("".join(f"{end}\n" for end in whole[:number]), rest)
            self._may_end_alone = line.strip() not in _TAGS  # the end of that one is no lone one
            if not self._may_end_alone:
                return text
            self._notice_fence(line)
        if last and not (self._line or self._fence) and _LONE_END.startswith(last.rstrip() or last):
            self._held = last
            return text[: -len(last)]
        self._line = (self._line + last)[:_LINE_BEGINNING]
        return text

    def _notice_fence(self, line: str) -> None:
        """Note whether a block of code begins or ends with this line."""
        found = _FENCE.match(line)
        if found is None:
            return
        if not self._fence:
            self._fence = found[1]
        elif found[1].startswith(self._fence) and not line[found.end() :].strip():
            self._fence = ""


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of the text may be the beginning of the tag."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:size])), 0)
