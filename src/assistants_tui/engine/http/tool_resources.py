"""The files and vector stores that assistants and threads give to their tools."""

from collections.abc import Sequence

from assistants_tui.engine.http.context import Work
from assistants_tui.engine.http.errors import bad_request
from assistants_tui.engine.http.requests.tools import (
    NewFileSearchResources,
    NewToolResources,
    StoreToMake,
    ToolResources,
)
from assistants_tui.engine.http.requests.vector_stores import FileInStore
from assistants_tui.engine.http.storing_files import check_files, put_in_store
from assistants_tui.engine.store import threads, vector_stores
from assistants_tui.engine.store.assistants import StoredAssistant
from assistants_tui.engine.store.vector_stores import StoredVectorStore
from assistants_tui.protocol import limits, objects
from assistants_tui.protocol.objects import (
    CodeInterpreterResources,
    FileSearchResources,
    Json,
    Thread,
)

_THREAD_STORE_EXPIRY = {"anchor": "last_active_at", "days": 7}  # per the Assistants guide


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
    if resources.file_search is not None:
        store_ids = resources.file_search.vector_store_ids
        known = await vector_stores.several(work.connection, work.owner, store_ids, work.engine.now())
        missing = [store_id for store_id in store_ids if store_id not in known]
        if missing:
            raise bad_request(
                f"No vector store found with id '{missing[0]}'.", param=f"{path}.file_search.vector_store_ids"
            )
        if isinstance(resources.file_search, NewFileSearchResources):
            made = [
                await _make_store(work, store, f"{path}.file_search.vector_stores[{index}].file_ids")
                for index, store in enumerate(resources.file_search.vector_stores)
            ]
            store_ids = [*store_ids, *made]
        shown["file_search"] = {"vector_store_ids": store_ids}
    return shown


async def _make_store(work: Work, asked: StoreToMake, path: str) -> str:
    values = {"name": "", "metadata": asked.metadata or {}}
    store = await vector_stores.create(work.connection, work.owner, work.engine.now(), values)
    entries = [
        FileInStore(file_id=file_id, chunking_strategy=asked.chunking_strategy) for file_id in asked.file_ids
    ]
    if entries:
        await put_in_store(work, store, entries, path, fail_unsupported=True)
    return store["id"]


def of_run(assistant: StoredAssistant, thread: Thread) -> Json:
    """What runs show: the resources of their assistant and of their thread, together.

    The reference has no such field, but the service sends it, and `code_interpreter` always.
    """
    named: dict[tuple[str, str], dict[str, None]] = {("code_interpreter", "file_ids"): {}}
    for holder in (assistant, thread):
        resources: Json = dict(holder["tool_resources"] or {})
        for tool, lists in resources.items():
            for name, object_ids in lists.items():
                named.setdefault((tool, name), {}).update(dict.fromkeys(object_ids))
    return {tool: {name: list(object_ids)} for (tool, name), object_ids in named.items()}


async def attach(work: Work, thread: Thread, attachments: Sequence[Json], path: str) -> Thread:
    """Give a thread the files that a message brings for its tools, and return the thread as it is then."""
    if not attachments:
        return thread
    await check_files(work, [attachment["file_id"] for attachment in attachments], path)
    resources: objects.ToolResources = thread["tool_resources"] or {}
    for_code = _for_tool("code_interpreter", attachments)
    if for_code:
        known = (resources.get("code_interpreter") or CodeInterpreterResources()).get("file_ids", [])
        merged = list(dict.fromkeys([*known, *for_code]))
        if len(merged) > limits.MAX_CODE_FILES:
            raise bad_request(
                f"Invalid '{path}': the thread would have {len(merged)} files for the code interpreter, but "
                f"{limits.MAX_CODE_FILES} is the most it can have.",
                param=path,
                code="array_above_max_length",
            )
        resources = {**resources, "code_interpreter": {"file_ids": merged}}
    for_search = _for_tool("file_search", attachments)
    if for_search:
        store = await _thread_store(work, resources)
        entries = [FileInStore(file_id=file_id) for file_id in for_search]
        await put_in_store(work, store, entries, path)
        resources = {**resources, "file_search": {"vector_store_ids": [store["id"]]}}
    changed = await threads.change(work.connection, work.owner, thread["id"], {"tool_resources": resources})
    return changed or thread


async def _thread_store(work: Work, resources: objects.ToolResources) -> StoredVectorStore:
    """The store that a thread searches, made on first use."""
    now = work.engine.now()
    for store_id in (resources.get("file_search") or FileSearchResources()).get("vector_store_ids", []):
        store = await vector_stores.get(work.connection, work.owner, store_id, now)
        if store is not None and store["status"] != "expired":
            await vector_stores.use(work.connection, [store_id], now)
            return store
    values = {"name": "", "metadata": {}, "expires_after": _THREAD_STORE_EXPIRY}
    return await vector_stores.create(work.connection, work.owner, now, values)


def _for_tool(tool: str, attachments: Sequence[Json]) -> list[str]:
    return [attachment["file_id"] for attachment in attachments if {"type": tool} in attachment["tools"]]
