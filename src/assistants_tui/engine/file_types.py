"""Which files file search takes, by extension, as in the Assistants guide's table of supported files."""

from pathlib import PurePath

SEARCHABLE = frozenset(
    {
        ".c",
        ".cpp",
        ".cs",
        ".css",
        ".doc",
        ".docx",
        ".go",
        ".html",
        ".java",
        ".js",
        ".json",
        ".md",
        ".pdf",
        ".php",
        ".pptx",
        ".py",
        ".rb",
        ".sh",
        ".tex",
        ".ts",
        ".txt",
    }
)


def extension(filename: str) -> str:
    """The part of a file's name that says of which kind it is, such as `.txt`; empty if it has none."""
    return PurePath(filename).suffix.lower()
