"""Tells reasoning that a model writes into its text, between tags, from the answer."""

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

    Tags may be split over pieces. Reasoning is told apart at the beginning of the answer only: later on, the
    same characters are a part of what is written about.
    """

    def __init__(self) -> None:
        self._held = ""
        self._end = ""  # the tag that ends the reasoning; empty outside of it
        self._at_start = True  # nothing but white space has come
        self._after_reasoning = False  # only white space has come since then
        self._may_end_alone = True
        self._line_is_empty = True

    def feed(self, text: str) -> Iterator[TextDelta | ReasoningDelta]:
        """What is certain now. Raises `LoneEndTag`."""
        text, self._held = self._held + text, ""
        if self._at_start:
            begun = text.lstrip()
            tag = next((tag for tag in _TAGS if begun.startswith(tag)), None)
            if tag is not None:
                self._at_start, self._end, self._may_end_alone = False, _TAGS[tag], False
                text = begun.removeprefix(tag).lstrip()
            elif any(known.startswith(begun) for known in _TAGS):
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
            text = text.lstrip()
            self._after_reasoning = not text
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
        elif held == _LONE_END and self._may_end_alone:
            raise LoneEndTag("", "")
        else:
            yield TextDelta(held)

    def _watch(self, text: str) -> str:
        """The text without a last line that may be the tag. Raises `LoneEndTag` for a line that is."""
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            alone = self._line_is_empty or number > 0
            if alone and line.rstrip() == _LONE_END and line != line.rstrip("\r\n"):
                self._may_end_alone = False
                self._after_reasoning = True
                raise LoneEndTag("".join(lines[:number]), "".join(lines[number + 1 :]).lstrip())
        if not lines:
            return ""
        last, alone = lines[-1], self._line_is_empty or len(lines) > 1
        if alone and _LONE_END.startswith(last):
            self._held = last
            self._line_is_empty = True
            return "".join(lines[:-1])
        self._line_is_empty = last.endswith("\n")
        return text


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of the text may be the beginning of the tag."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:size])), 0)
