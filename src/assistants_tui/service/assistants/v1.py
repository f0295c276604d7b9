"""Assistants of version 1 of the API in the form of version 2
(https://platform.openai.com/docs/assistants/migration)."""

from collections.abc import Mapping
from typing import Any

from assistants_tui.protocol.objects import Json

_TOOLS = {
    "retrieval": "file_search",
    "code-interpreter": "code_interpreter",  # an old page of documentation spelled it so
    "file-search": "file_search",
}


def migrated(fields: Mapping[str, Any]) -> tuple[Json, list[str]]:
    """The fields of an assistant in the form of version 2, and what was changed, a sentence each.

    What has that form already is returned as it is. `file_ids` go to the tools that read them: to the code
    interpreter as they are, to file search in a vector store that the server makes with the assistant.
    """
    after = dict(fields)
    told: list[str] = []
    tools = None
    if isinstance(fields.get("tools"), list):
        tools = after["tools"] = [_tool(tool, told) for tool in fields["tools"]]
    file_ids = after.pop("file_ids", None)
    if isinstance(file_ids, list) and file_ids:
        kinds = [tool.get("type") for tool in tools or () if isinstance(tool, dict)]
        after["tool_resources"] = _resources(after.get("tool_resources"), file_ids, kinds, told)
    return after, told


def _tool(tool: object, told: list[str]) -> object:
    if not isinstance(tool, dict) or (new := _TOOLS.get(str(tool.get("type")))) is None:
        return tool
    told.append(f"The tool “{tool['type']}” is called “{new}” now.")
    return {**tool, "type": new}


def _resources(present: object, file_ids: list[Any], kinds: list[Any], told: list[str]) -> Json:
    resources: Json = dict(present) if isinstance(present, dict) else {}
    count = f"{len(file_ids)} file" + ("s" if len(file_ids) > 1 else "")
    if "file_search" in kinds and "file_search" not in resources:
        resources["file_search"] = {"vector_stores": [{"file_ids": file_ids}]}
        told.append(f"{count} for file search: a vector store is made for them.")
    if ("code_interpreter" in kinds or "file_search" not in kinds) and "code_interpreter" not in resources:
        resources["code_interpreter"] = {"file_ids": file_ids}
        told.append(f"{count} for the code interpreter: they stand in tool_resources now.")
    return resources
