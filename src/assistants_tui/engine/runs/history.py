"""Reads from the store what a run's prompt is made of."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from assistants_tui.engine.code_interpreter.file_names import safe_names
from assistants_tui.engine.models import tokens
from assistants_tui.engine.runs import prompt
from assistants_tui.engine.runs.tool_definitions import ToolBox
from assistants_tui.engine.store import assistants, files, messages, run_steps, threads
from assistants_tui.engine.store.blobs import BlobStore
from assistants_tui.engine.store.messages import StoredMessage
from assistants_tui.engine.store.runs import StoredRun
from assistants_tui.protocol import file_kinds
from assistants_tui.protocol.objects import CodeInterpreterResources, Json

# Without a known context the newest messages up to this many tokens are read: more than most models take.
_DEFAULT_BUDGET = 120_000
_MAX_IMAGE_BYTES = 20 << 20  # what vision endpoints accept


async def of_thread(
    connection: AsyncConnection,
    blobs: BlobStore,
    owner: str,
    run: StoredRun,
    *,
    now: int,
    budget: int | None,
    code_names: Mapping[str, str] | None = None,
) -> list[Json]:
    """The thread as messages for the model, oldest first, without what the run itself has written.

    Files that code can read are called as code finds them: `code_names`, by file ID.

    Reads from the newest back, as far as the budget in tokens or the run's truncation strategy goes, and the
    first message of the user: the cost does not grow with the thread.
    """
    strategy = run["truncation_strategy"] or {}
    limit = strategy["last_messages"] if strategy.get("type") == "last_messages" else None
    free = budget or _DEFAULT_BUDGET
    newest: list[StoredMessage] = []
    complete = True
    async with aclosing(messages.newest_first(connection, run["thread_id"])) as stored:
        async for message in stored:
            if message["run_id"] == run["id"]:
                continue
            if limit is not None and len(newest) >= limit:
                break
            if newest and free <= 0:
                complete = False
                break
            newest.append(message)
            free -= sum(
                tokens.of_text(part["text"]["value"]) for part in message["content"] if part["type"] == "text"
            )
    chosen = newest[::-1]
    if limit is None and not complete:
        first = await messages.first_of_user(connection, run["thread_id"])
        if first is not None and first["id"] not in {message["id"] for message in chosen}:
            chosen.insert(0, first)
    names: dict[str, str] = {}
    images: dict[str, str] = {}
    if ids := _file_ids(chosen):
        known = await files.several(connection, owner, ids, now)
        names = {file_id: file["filename"] for file_id, file in known.items()} | dict(code_names or {})
        images = await _images(connection, blobs, owner, chosen, now)
    shaped = (prompt.of_thread_message(message, names, images) for message in chosen)
    return [message for message in shaped if message is not None]


async def of_run(
    connection: AsyncConnection,
    run: StoredRun,
    owner: str,
    tools: ToolBox,
    remarks: Mapping[str, str],
    returned: Mapping[str, Json],
) -> tuple[list[Json], list[list[Json]]]:
    """What a run that goes on after a wait has said and done before, and what each search of it has found.

    `remarks`: what the model was told of searches beside their results, by call ID.
    `returned`: what the server wants back with the results of calls, by step ID.
    """
    steps = await run_steps.of_run(connection, run["id"])
    written = {}
    for step in steps:
        details = step["step_details"]
        if details["type"] == "message_creation":
            message_id = details["message_creation"]["message_id"]
            message = await messages.get(connection, owner, run["thread_id"], message_id)
            if message is not None:
                written[message_id] = message
    found = [
        call["file_search"].get("results", [])
        for step in steps
        for call in step["step_details"].get("tool_calls", ())
        if call["type"] == "file_search"
    ]
    return prompt.of_steps(steps, written, tools, remarks, returned), found


@dataclass(frozen=True, slots=True)
class CodeFiles:
    """The files that code can read."""

    paths: dict[str, Path]
    """Where their bytes are, by their names in /mnt/data."""
    names: dict[str, str]
    """Those names, by file ID."""


async def code_files(
    connection: AsyncConnection, blobs: BlobStore, owner: str, run: StoredRun, *, now: int
) -> CodeFiles:
    """The files for code: the assistant's and the thread's. Equal names get a number."""
    ids: list[str] = []
    assistant = await assistants.get(connection, owner, run["assistant_id"])
    thread = await threads.get(connection, owner, run["thread_id"])
    for holder in (assistant, thread):
        resources = (holder["tool_resources"] if holder is not None else None) or {}
        ids += (resources.get("code_interpreter") or CodeInterpreterResources()).get("file_ids", [])
    known = await files.several(connection, owner, ids, now)
    found: dict[str, Path] = {}
    for file_id in dict.fromkeys(ids):
        blob = await files.blob(connection, owner, file_id, now) if file_id in known else None
        if blob is not None:
            found[file_id] = blobs.path(blob)
    uploaded = (known[file_id]["filename"].replace("\\", "/").rpartition("/")[2] for file_id in found)
    names = dict(zip(found, safe_names(uploaded), strict=True))
    return CodeFiles({names[file_id]: path for file_id, path in found.items()}, names)


def _file_ids(chosen: Sequence[StoredMessage]) -> list[str]:
    ids = [attachment["file_id"] for message in chosen for attachment in message["attachments"] or ()]
    return ids + _image_ids(chosen)


def _image_ids(chosen: Sequence[StoredMessage]) -> list[str]:
    return [
        part["image_file"]["file_id"]
        for message in chosen
        for part in message["content"]
        if part["type"] == "image_file"
    ]


async def _images(
    connection: AsyncConnection, blobs: BlobStore, owner: str, chosen: Sequence[StoredMessage], now: int
) -> dict[str, str]:
    """The user's images as data URLs, because an endpoint cannot fetch them from here."""
    wanted = _image_ids([message for message in chosen if message["role"] == "user"])
    urls = {}
    for file_id in dict.fromkeys(wanted):
        file = await files.get(connection, owner, file_id, now)
        blob = await files.blob(connection, owner, file_id, now)
        if file is None or blob is None or file["bytes"] > _MAX_IMAGE_BYTES:
            continue
        try:
            data = await asyncio.to_thread(blobs.path(blob).read_bytes)
        except OSError:
            continue
        kind = file_kinds.kind_of(file["filename"])
        media_type = (kind.image and kind.media_type) or "image/png"
        urls[file_id] = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    return urls
