"""The lines of the list of a thread's files."""

from collections.abc import Mapping

from textual.content import Content

from assistants_tui.service.files.name_cache import FileNameCache
from assistants_tui.service.files.thread_files import ThreadFile
from assistants_tui.service.local_paths import size_words
from assistants_tui.tui.text.safety import clean

_SIGNS = {"attached": "⎘", "produced": "▣", "cited": "❝"}
_WORDS = {
    "attached": "Attached to a message",
    "produced": "Made by the assistant",
    "cited": "Cited in an answer",
}


def file_row(file: ThreadFile, files: FileNameCache, running: Mapping[str, int]) -> Content:
    """A file with its size, or with how much of its download is through."""
    found = files.file(file.file_id)
    name = (found.get("filename") if found is not None else "") or file.name or file.file_id
    size = found.get("bytes") if found is not None else None
    percent = running.get(file.file_id)
    if percent is not None:
        tail = (f"  ↓ {percent} %", "$text-accent")
    else:
        tail = (f"  {size_words(size)}" if isinstance(size, int) else "", "$muted")
    return Content.assemble((f"{_SIGNS[file.origin]} ", "$text-accent"), clean(name).replace("\n", " "), tail)


def file_facts(file: ThreadFile, files: FileNameCache) -> str:
    """What is known of a file, as Markdown."""
    found = files.file(file.file_id)
    facts = [_WORDS[file.origin] + "."]
    if found is None:
        facts.append("The server says nothing about it: it may be deleted.")
    else:
        purpose, size = found.get("purpose"), found.get("bytes")
        facts += [f"- size: `{size:,} bytes`"] if isinstance(size, int) else []
        facts += [f"- purpose: `{purpose}`"] if purpose else []
    facts.append(f"- file: `{file.file_id}`")
    return "\n".join(facts)
