"""Kinds of files, by their names: what file search reads, what models look at, the type each is sent with.

The base is the guides' tables of supported files. What the system knows of media types differs from them, and
from one system to the next (it takes `.ts` for a video), so it is not asked for these. Any file may go to the
code interpreter.
"""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

Reader = Literal["text", "json", "markdown", "latex", "source", "html", "pdf", "docx", "pptx"]
"""How file search reads a file."""

_OFFICE = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True, slots=True)
class FileKind:
    """What can be done with a file of some extension."""

    media_type: str | None = None
    """The type that it is sent with; None: the guides have none for it."""
    reader: Reader | None = None
    """How file search reads it; None: not at all."""
    searchable: bool = False
    """Whether the API takes it for file search. It takes Word 97-2003, too, which our engine cannot read."""
    image: bool = False
    """Whether models look at it."""


_SEARCHED: dict[Reader, str] = {
    "text": (
        "txt css log yaml yml toml ini cfg conf properties env diff patch srt vtt less scss sass graphql "
        "csl bib po"
    ),
    "json": "json jsonl ipynb",
    "markdown": "md markdown mdx rst adoc org",
    "latex": "tex",
    "source": (
        "asm bash bat c cc clj cmake cpp cs cxx dart el erl ex exs f90 fs go gradle groovy h hcl hh hpp hs "
        "java jl js jsx kt kts lisp lua m mjs mk ml nim pas php pl proto ps1 py pyi r rb rs scala sh sql "
        "svelte swift tcl tf ts tsx vb vue zig"
    ),
    "html": "html htm xhtml",
    "pdf": "pdf",
    "docx": "docx",
    "pptx": "pptx",
}
_MEDIA_TYPES = {
    "c": "text/x-c",
    "cpp": "text/x-c++",
    "cs": "text/x-csharp",
    "css": "text/css",
    "csv": "application/csv",
    "doc": "application/msword",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "gif": "image/gif",
    "html": "text/html",
    "java": "text/x-java",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript",
    "json": "application/json",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "php": "text/x-php",
    "png": "image/png",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "py": "text/x-python",
    "rb": "text/x-ruby",
    "sh": "application/x-sh",
    "svg": "image/svg+xml",
    "tar": "application/x-tar",
    "tex": "text/x-tex",
    "ts": "application/typescript",
    "txt": "text/plain",
    "webp": "image/webp",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}
_IMAGES = frozenset({"gif", "jpeg", "jpg", "png", "webp"})
_ACCEPTED_UNREAD = frozenset({"doc"})
# Files that are known by their whole names.
_NAMES = {
    "makefile": "mk",
    "gnumakefile": "mk",
    "dockerfile": "bash",
    "containerfile": "bash",
    "jenkinsfile": "groovy",
    "gemfile": "rb",
    "rakefile": "rb",
    "vagrantfile": "rb",
    "readme": "txt",
    "license": "txt",
    "licence": "txt",
    "copying": "txt",
    "changelog": "txt",
    "authors": "txt",
    "notice": "txt",
}


def _table() -> dict[str, FileKind]:
    readers = {name: reader for reader, names in _SEARCHED.items() for name in names.split()}
    return {
        name: FileKind(
            media_type=_MEDIA_TYPES.get(name),
            reader=readers.get(name),
            searchable=name in readers or name in _ACCEPTED_UNREAD,
            image=name in _IMAGES,
        )
        for name in sorted({*readers, *_MEDIA_TYPES, *_IMAGES, *_ACCEPTED_UNREAD})
    }


KINDS = _table()
"""By extension, in lower case and without the dot."""
SEARCHABLE = tuple(f".{name}" for name, kind in KINDS.items() if kind.searchable)
"""Extensions that file search takes, in order."""
_OTHER = FileKind()


def extension(filename: str) -> str:
    """The part of a file's name that says of which kind it is, such as `.txt`; empty if it has none."""
    return PurePath(filename).suffix.lower()


def kind_of(filename: str) -> FileKind:
    """The kind of a file of that name; one that nothing is known of if it is none of the table."""
    suffix = extension(filename)[1:] or _NAMES.get(PurePath(filename).name.lower(), "")
    return KINDS.get(suffix, _OTHER)
