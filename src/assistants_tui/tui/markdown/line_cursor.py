"""A position in a line of Markdown, where tabs may be used in part."""


class LineCursor:
    """The line that is read, and how far. A tab reaches to the next column that is a multiple of four."""

    __slots__ = ("blank", "column", "indent", "next", "position", "source", "split_tab")

    def __init__(self) -> None:
        self.start("")

    def start(self, source: str) -> None:
        """Begin with a line (without its line break)."""
        self.source = source
        self.position = self.column = 0  # the next character to read, and its column
        self.split_tab = False  # a tab at the position has been used in part
        self.next = 0  # the next character that is not a space or tab
        self.indent = 0  # columns from the position to it
        self.blank = False  # there is none

    def look(self) -> None:
        """Find the next character that is not blank."""
        source = self.source
        position = self.position
        column = self.column
        size = len(source)
        while position < size:
            char = source[position]
            if char == " ":
                column += 1
            elif char == "\t":
                column += 4 - column % 4
            else:
                break
            position += 1
        self.next = position
        self.indent = column - self.column
        self.blank = position >= size

    def advance(self, columns: int) -> None:
        """Skip columns of white space; a tab may be used in part."""
        source = self.source
        while columns > 0 and self.position < len(source):
            if source[self.position] == "\t":
                width = 4 - self.column % 4
                self.split_tab = width > columns
                step = min(width, columns)
                self.column += step
                if not self.split_tab:
                    self.position += 1
                columns -= step
            else:
                self.split_tab = False
                self.position += 1
                self.column += 1
                columns -= 1

    def skip_blank(self) -> None:
        """Past the white space that was found."""
        self.column += self.indent
        self.position = self.next
        self.split_tab = False

    def skip_marker(self, length: int) -> None:
        """Past the white space and a marker of so many characters."""
        self.skip_blank()
        self.position += length
        self.column += length

    def at_space(self) -> bool:
        """Whether white space comes next."""
        return self.position < len(self.source) and self.source[self.position] in " \t"

    def rest(self) -> str:
        """The line from the position on, a half-used tab as spaces."""
        if self.split_tab:
            return " " * (4 - self.column % 4) + self.source[self.position + 1 :]
        return self.source[self.position :]
