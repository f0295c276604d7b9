"""Which tools may read an attached file: what the assistant has, and what the file's kind allows."""

from pathlib import PurePath

from assistants_tui.service.wire import Assistant, Attachment, FileObject, Tool

SEARCHABLE = frozenset(
    ".c .cpp .cs .css .doc .docx .go .html .java .js .json .md .pdf .php .pptx .py .rb .sh .tex .ts .txt".split()
)
"""Extensions that file search reads (https://platform.openai.com/docs/assistants/tools/file-search)."""


def attachment(file: FileObject, assistant: Assistant) -> Attachment:
    """The file for every tool of the assistant that can use it; code interpreter when none can."""
    kinds = {tool["type"] for tool in assistant.get("tools") or ()}
    tools: list[Tool] = []
    if "file_search" in kinds and PurePath(file["filename"]).suffix.lower() in SEARCHABLE:
        tools.append({"type": "file_search"})
    if "code_interpreter" in kinds or not tools:
        tools.append({"type": "code_interpreter"})
    return {"file_id": file["id"], "tools": tools}
