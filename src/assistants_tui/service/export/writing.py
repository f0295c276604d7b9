"""Reading a whole thread for an export, and writing the document."""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from assistants_tui.protocol.objects import Message, Run, RunStep
from assistants_tui.service import message_text
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.export.document import SUFFIXES, Document, Format, calls, picture_type
from assistants_tui.service.file_names import safe_file_name
from assistants_tui.service.files.name_cache import FileNameCache

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend

MAX_PICTURE = 20 * 1024**2
"""Bytes of a picture that is embedded; a larger one is only named."""
_AT_ONCE = 4
"""Runs and pictures that are read at the same time."""


async def collect(
    backend: "Backend",
    names: FileNameCache,
    thread_id: str,
    *,
    title: str,
    assistants: Mapping[str, str],
) -> Document:
    """Everything of a thread. Pictures and names that the server does not have any more are left out.

    Raises `ServiceError`.
    """
    thread, messages, runs = await asyncio.gather(
        backend.threads.retrieve(thread_id), _messages(backend, thread_id), _runs(backend, thread_id)
    )
    limit = asyncio.Semaphore(_AT_ONCE)

    async def steps_of(run: Run) -> list[RunStep]:
        async with limit:
            return await backend.runs.steps(thread_id, run["id"])

    async def picture(file_id: str) -> bytes:
        async with limit:
            try:
                data, _ = await backend.files.read(file_id, MAX_PICTURE + 1)
            except ServiceError:
                return b""
            return data if len(data) <= MAX_PICTURE else b""

    steps = await asyncio.gather(*(steps_of(run) for run in runs))
    pictures = list(dict.fromkeys(_pictures(messages, (step for listed in steps for step in listed))))
    contents = await asyncio.gather(*map(picture, pictures))
    return Document(
        title=title,
        profile=backend.profile.name,
        exported_at=int(time.time()),
        thread=thread,
        messages=messages,
        runs=list(zip(runs, steps, strict=True)),
        assistants=assistants,
        files=await names.names(dict.fromkeys([*_files(messages), *pictures])),
        images={key: data for key, data in zip(pictures, contents, strict=True) if picture_type(data)},
    )


def rendered(document: Document, form: Format) -> str:
    """The document in a format. Takes a while for long threads: call it in a thread."""
    if form == "markdown":
        from assistants_tui.service.export.markdown import render_markdown

        return render_markdown(document)
    if form == "html":
        from assistants_tui.service.export.html import render_html

        return render_html(document)
    from assistants_tui.service.export.json import render_json

    return render_json(document)


def suggested_name(title: str, form: Format) -> str:
    """A file name for an export."""
    return safe_file_name(title.replace("/", "_")[:100], fallback="thread") + SUFFIXES[form]


def save(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write a document: all of it, or nothing. Blocks on the disk.

    Raises `ServiceError`, with the code `exists` if there is something already and `overwrite` is not given.
    """
    try:
        if not overwrite and (path.exists() or path.is_symlink()):
            raise ServiceError(f"{path} exists.", kind="settings", code="exists", no_effect=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="\n") as file:
                file.write(text)
            if overwrite:
                Path(name).replace(path)
            else:  # never over what another program has put there meanwhile
                path.hardlink_to(name)
        finally:
            Path(name).unlink(missing_ok=True)
    except FileExistsError:
        raise ServiceError(f"{path} exists.", kind="settings", code="exists", no_effect=True) from None
    except OSError as error:
        raise ServiceError(
            f"{path} cannot be written: {error.strerror}.",
            "Choose another place.",
            kind="settings",
            no_effect=True,
        ) from error


async def _messages(backend: "Backend", thread_id: str) -> list[Message]:
    found: dict[str, Message] = {}
    after: str | None = None
    while True:
        page = await backend.threads.messages(thread_id, after=after)
        known = len(found)
        found.update((message["id"], message) for message in page.items)
        after = page.next_cursor
        if after is None or len(found) == known:
            return list(reversed(found.values()))


async def _runs(backend: "Backend", thread_id: str) -> list[Run]:
    found: dict[str, Run] = {}
    after: str | None = None
    while True:
        page = await backend.runs.list(thread_id, limit=100, after=after)
        known = len(found)
        found.update((run["id"], run) for run in page.items)
        after = page.next_cursor
        if after is None or len(found) == known:
            return list(reversed(found.values()))


def _pictures(messages: Iterable[Message], steps: Iterable[RunStep]) -> Iterator[str]:
    for message in messages:
        yield from (image for image in message_text.render_text(message).images if image and "/" not in image)
    for step in steps:
        for _, call in calls(step):
            for output in call.get("outputs") or ():
                if file_id := (output.get("image") or {}).get("file_id"):
                    yield str(file_id)


def _files(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        yield from (one["file_id"] for one in message.get("attachments") or ())
        yield from (note.file_id for note in message_text.render_text(message).footnotes if note.file_id)
