"""The Files endpoints."""

import re

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from assistants_tui.engine.http.context import Context, Work, context, owner, writing
from assistants_tui.engine.http.errors import FilesApiError, bad_request, no_file
from assistants_tui.engine.http.multipart import Form, read_form
from assistants_tui.engine.http.paging import page_request, page_response
from assistants_tui.engine.http.requests.common import CONTROL_CHARACTERS
from assistants_tui.engine.http.requests.files import PURPOSES, FileExpiry, FileForm
from assistants_tui.engine.http.validation import check
from assistants_tui.engine.http.validation_errors import missing
from assistants_tui.engine.store import files
from assistants_tui.engine.store.files import StoredFile
from assistants_tui.protocol import limits
from assistants_tui.protocol.names import has_control_characters
from assistants_tui.protocol.objects import Json

_BATCH_SECONDS = 30 * 24 * 3600  # files for batches go by themselves, per the Files API reference
_INPUT_PURPOSES = ("assistants", "user_data")


async def create(request: Request) -> Response:
    engine = context(request)
    form = await read_form(request, engine.blobs, "file", engine.settings.max_file_bytes)
    if form.blob is None:
        raise missing("file")
    try:
        fields = _fields(form)
        check_purpose(fields.purpose)
        if not form.filename:
            raise bad_request("Invalid 'file': the part has no file name.", param="file")
        if has_control_characters(form.filename):
            raise bad_request(
                CONTROL_CHARACTERS.replace("{path}", "file"), param="file", code="invalid_value"
            )
        values = {
            "bytes": form.bytes,
            "filename": form.filename,
            "purpose": fields.purpose,
            "expires_at": expiry(engine, fields.purpose, fields.expires_after),
            "blob": form.blob,
        }
        async with writing(request) as work:
            await check_quota(work, form.bytes)
            file = await files.create(work.connection, work.owner, engine.now(), values)
    except BaseException:
        await engine.blobs.remove(form.blob)
        raise
    return JSONResponse(file)


def check_purpose(purpose: str) -> None:
    """Refuse an unknown purpose, in the words of the hosted service."""
    if purpose not in PURPOSES:
        raise FilesApiError(400, f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'", param="purpose")


def expiry(engine: Context, purpose: str, expires_after: FileExpiry | None) -> int | None:
    """When a file that is stored now goes away by itself."""
    if expires_after is not None:
        return engine.now() + expires_after.seconds
    return engine.now() + _BATCH_SECONDS if purpose == "batch" else None


async def check_quota(work: Work, size: int) -> None:
    """Refuse a file for which its owner has no room."""
    total = await files.total_bytes(work.connection, work.owner) + size
    quota = work.engine.settings.file_quota_bytes
    if total > quota:
        raise bad_request(
            f"This file would make {total} bytes of files, but you may store {quota}. "
            "Delete files that you no longer need."
        )


async def listing(request: Request) -> Response:
    engine = context(request)
    wanted = page_request(request, default=limits.MAX_FILES_PAGE, maximum=limits.MAX_FILES_PAGE)
    purpose = request.query_params.get("purpose") or None
    async with engine.database.read() as connection:
        page = await files.page(connection, owner(request), wanted, engine.now(), purpose=purpose)
    return page_response(page)


async def retrieve(request: Request) -> Response:
    return JSONResponse(await _get(request))


async def content(request: Request) -> Response:
    engine = context(request)
    file = await _get(request)
    if file["purpose"] in _INPUT_PURPOSES and not engine.settings.allow_input_download:
        raise bad_request(f"Not allowed to download files of purpose: {file['purpose']}")
    async with engine.database.read() as connection:
        blob = await files.blob(connection, owner(request), file["id"], engine.now())
    if blob is None:
        raise no_file(file["id"])
    return FileResponse(
        engine.blobs.path(blob), media_type="application/octet-stream", filename=_plain(file["filename"])
    )


def _plain(filename: str) -> str:
    """The name to save a file under: without folders, and without what changes how it reads."""
    last = re.split(r"[/\\]", filename)[-1]
    name = "".join(character for character in last if character.isprintable())
    return name if name.strip(". ") else "file"


async def delete(request: Request) -> Response:
    file_id: str = request.path_params["file_id"]
    async with writing(request) as work:
        blob = await files.remove(work.connection, work.owner, file_id)
        if blob is None:
            raise no_file(file_id)
        work.afterwards(lambda: work.engine.blobs.remove(blob))
    return JSONResponse({"id": file_id, "object": "file", "deleted": True})


def _fields(form: Form) -> FileForm:
    """The form's fields as the object that a JSON body would hold."""
    value: Json = {}
    expires_after: Json = {}
    for name, text in form.fields.items():
        if name == "expires_after[seconds]":
            digits = text.isascii() and text.isdigit() and len(text) < 19
            expires_after["seconds"] = int(text) if digits else text
        elif name == "expires_after[anchor]":
            expires_after["anchor"] = text
        else:
            value[name] = text
    return check(value | ({"expires_after": expires_after} if expires_after else {}), FileForm)


async def _get(request: Request) -> StoredFile:
    engine = context(request)
    file_id: str = request.path_params["file_id"]
    async with engine.database.read() as connection:
        found = await files.get(connection, owner(request), file_id, engine.now())
    if found is None:
        raise no_file(file_id)
    return found


routes = [
    Route("/files", create, methods=["POST"]),
    Route("/files", listing, methods=["GET"]),
    Route("/files/{file_id}", retrieve, methods=["GET"]),
    Route("/files/{file_id}", delete, methods=["DELETE"]),
    Route("/files/{file_id}/content", content, methods=["GET"]),
]
