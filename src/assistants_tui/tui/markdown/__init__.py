"""Markdown for the terminal: text in, styled lines out. Nothing here knows widgets.

`render` draws a complete text; `IncrementalMarkdown` draws one that is still arriving, at a cost that follows
the new text and not the old.
"""

from .lines import STYLES, Line, Run
from .source import CodeBlock, code_blocks
from .stream import IncrementalMarkdown, render

__all__ = ["STYLES", "CodeBlock", "IncrementalMarkdown", "Line", "Run", "code_blocks", "render"]
