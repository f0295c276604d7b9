"""The code blocks of a text with their source, for copying."""

from dataclasses import dataclass, field

from .block_types import Paragraph
from .blocks import BlockParser
from .open_blocks import OpenBlocks


@dataclass(slots=True)
class CodeBlock:
    """A code block as it was written."""

    language: str
    lines: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


class _Collector:
    """A `blocks.Sink` that keeps the code and nothing else."""

    def __init__(self) -> None:
        self.blocks: list[CodeBlock] = []
        self.count = 0
        """Lines of code so far."""

    def open_code(self, language: str, *, fenced: bool, gap: bool) -> None:
        self.blocks.append(CodeBlock(language))

    def code_line(self, text: str) -> None:
        self.blocks[-1].lines.append(text)
        self.count += 1

    def open_quote(self, *, gap: bool) -> None: ...
    def open_list(self, *, gap: bool) -> None: ...
    def open_item(self, marker: str, *, gap: bool) -> None: ...
    def close(self) -> None: ...
    def open_paragraph(self, paragraph: Paragraph, *, gap: bool) -> None: ...
    def close_paragraph(self, lines: list[str]) -> None: ...
    def paragraph_to_heading(self, lines: list[str], level: int) -> None: ...
    def paragraph_to_table(self, before: list[str], head: str, alignments: list[str]) -> None: ...
    def table_row(self, source: str) -> None: ...
    def heading(self, text: str, level: int, *, gap: bool) -> None: ...
    def rule(self, *, gap: bool) -> None: ...
    def html_line(self, text: str, *, first: bool, gap: bool) -> None: ...
    def close_leaf(self) -> None: ...


def code_blocks(source: str) -> list[CodeBlock]:
    """The code blocks of a Markdown text in order; their index is the N of a `code:N` link."""
    collector = _Collector()
    parser = BlockParser(OpenBlocks(collector, {}))
    for line in source.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        parser.line(line)
    parser.close()
    return collector.blocks


def folded_code(source: str, keep: int) -> str:
    """The text with the first `keep` lines of each code block, which says how many are missing."""
    collector = _Collector()
    parser = BlockParser(OpenBlocks(collector, {}))
    kept: list[str] = []
    hidden: list[str] = []
    margin = ""  # what stands before the code: of a list, of a quotation

    def leave() -> None:
        if len(hidden) > 1:
            kept.append(f"{margin}… {len(hidden)} more lines")
        else:
            kept.extend(hidden)
        hidden.clear()

    for line in source.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        before = collector.count
        parser.line(line)
        if collector.count > before and len(collector.blocks[-1].lines) > keep:
            if not hidden:
                margin = line.removesuffix(collector.blocks[-1].lines[-1])
            hidden.append(line)
        else:
            leave()
            kept.append(line)
    leave()
    return "\n".join(kept)
