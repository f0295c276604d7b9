"""The files and vector stores that assistants and threads give to their tools."""

from collections.abc import Sequence

from assistants_tui.engine.api.context import Work
from assistants_tui.engine.api.errors import bad_request
from assistants_tui.engine.api.requests.tools import NewToolResources, ToolResources
from assistants_tui.engine.store import files, threads
from assistants_tui.engine.store.objects import Json

MAX_FILES = 20
"""How many files the code interpreter is given by an assistant, and by a thread."""

_USABLE = ("assistants", "assistants_output", "user_data", "vision")


async def check_files(work: Work, file_ids: Sequence[str], path: str) -> None:
    """Refuse files that do not exist or are not for tools. `path` is the field that names them."""
    found = await files.several(work.connection, work.owner, file_ids, work.engine.now())
    missing = [file_id for file_id in file_ids if file_id not in found]
    if missing:
        raise bad_request(f"No such File object: {', '.join(missing)}", param=path)
    for file_id in file_ids:
        purpose = found[file_id]["purpose"]
        if purpose not in _USABLE:
            raise bad_request(
                f"Invalid '{path}': the file {file_id} has the purpose '{purpose}'. "
                "Upload it with the purpose 'assistants' to use it here.",
                param=path,
                code="invalid_value",
            )


async def resolve(
    work: Work, resources: NewToolResources | ToolResources | None, path: str = "tool_resources"
) -> Json:
    """What objects show for the resources of a request, everything that they name having been checked."""
    shown: Json = {}
    if resources is None:
        return shown
    if resources.code_interpreter is not None:
        file_ids = list(dict.fromkeys(resources.code_interpreter.file_ids))
        await check_files(work, file_ids, f"{path}.code_interpreter.file_ids")
        shown["code_interpreter"] = {"file_ids": file_ids}
    return shown


async def attach(work: Work, thread: Json, attachments: Sequence[Json], path: str) -> Json:
    """Give a thread the files that a message brings for its tools, and return the thread as it is then."""
    if not attachments:
        return thread
    await check_files(work, [attachment["file_id"] for attachment in attachments], path)
    resources = thread["tool_resources"]
    for_code = _for_tool("code_interpreter", attachments)
    if for_code:
        known = (resources.get("code_interpreter") or {}).get("file_ids", [])
        merged = list(dict.fromkeys([*known, *for_code]))
        if len(merged) > MAX_FILES:
            raise bad_request(
                f"Invalid '{path}': the thread would have {len(merged)} files for the code interpreter, but "
                f"{MAX_FILES} is the most it can have.",
                param=path,
                code="array_above_max_length",
            )
        resources = resources | {"code_interpreter": {"file_ids": merged}}
    changed = await threads.change(work.connection, work.owner, thread["id"], {"tool_resources": resources})
    return changed or thread


def _for_tool(tool: str, attachments: Sequence[Json]) -> list[str]:
    return [attachment["file_id"] for attachment in attachments if {"type": tool} in attachment["tools"]]
