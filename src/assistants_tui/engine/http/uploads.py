"""The Uploads endpoints: files that are too large or too precious to send in one piece."""

import hashlib
from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistants_tui.engine.http.context import Context, Work, context, owner, writing
from assistants_tui.engine.http.errors import bad_request, enumerated, not_found
from assistants_tui.engine.http.files import check_purpose, check_quota, expiry
from assistants_tui.engine.http.multipart import read_form
from assistants_tui.engine.http.path_ids import path_id
from assistants_tui.engine.http.requests.files import FileExpiry, NewUpload, UploadCompletion
from assistants_tui.engine.http.validation import read_body
from assistants_tui.engine.http.validation_errors import missing
from assistants_tui.engine.store import files, uploads
from assistants_tui.engine.store.uploads import Part
from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Upload


async def create(request: Request) -> Response:
    body = await read_body(request, NewUpload)
    check_purpose(body.purpose)
    async with writing(request) as work:
        await check_quota(work, body.bytes)
        upload = await uploads.create(work.connection, work.owner, work.engine.now(), body.given())
    return JSONResponse(upload)


async def add_part(request: Request) -> Response:
    engine = context(request)
    upload_id = path_id(request, "upload_id")
    async with engine.database.read() as connection:
        await _pending(connection, engine, owner(request), upload_id)
    form = await read_form(request, engine.blobs, "data", limits.MAX_UPLOAD_PART_BYTES)
    if form.blob is None:
        raise missing("data")
    try:
        async with writing(request) as work:
            upload = await _pending(work.connection, engine, work.owner, upload_id, lock=True)
            arrived = sum(part.bytes for part in await uploads.parts(work.connection, upload_id))
            if arrived + form.bytes > upload["bytes"]:
                raise bad_request(
                    f"The parts of {upload_id} would have {arrived + form.bytes} bytes together, "
                    f"but the upload was announced with {upload['bytes']}."
                )
            values = {"bytes": form.bytes, "blob": form.blob}
            part = await uploads.add_part(work.connection, work.owner, upload_id, engine.now(), values)
    except BaseException:
        await engine.blobs.remove(form.blob)
        raise
    return JSONResponse(part)


async def complete(request: Request) -> Response:
    engine = context(request)
    upload_id = path_id(request, "upload_id")
    body = await read_body(request, UploadCompletion)
    async with engine.database.read() as connection:
        arrived = await uploads.parts(
            connection, upload_id
        )  # before it is known that nobody has deleted them
        upload = await _pending(connection, engine, owner(request), upload_id)
    try:
        blob = await _join(engine, upload, _in_order(arrived, body.part_ids), body.md5)
    except FileNotFoundError:  # somebody else may have ended the upload meanwhile
        async with engine.database.read() as connection:
            await _pending(connection, engine, owner(request), upload_id)
        raise
    try:
        async with writing(request) as work:
            # Joining took its time, in which the same may have happened.
            await _pending(work.connection, engine, work.owner, upload_id, lock=True)
            await check_quota(work, upload["bytes"])
            asked = await uploads.expires_after(work.connection, upload_id)
            expires_after = FileExpiry.model_validate(asked) if asked else None
            await _forget_parts(work, upload_id)
            completed = await uploads.end(work.connection, upload_id, "completed")
            values = {
                "bytes": upload["bytes"],
                "filename": upload["filename"],
                "purpose": upload["purpose"],
                "expires_at": expiry(engine, upload["purpose"], expires_after),
                "blob": blob,
            }
            file = await files.create(work.connection, work.owner, engine.now(), values)
    except BaseException:
        await engine.blobs.remove(blob)
        raise
    return JSONResponse(completed | {"file": file})


async def cancel(request: Request) -> Response:
    upload_id = path_id(request, "upload_id")
    async with writing(request) as work:
        await _pending(work.connection, work.engine, work.owner, upload_id, lock=True)
        await _forget_parts(work, upload_id)
        cancelled = await uploads.end(work.connection, upload_id, "cancelled")
    return JSONResponse(cancelled)


async def _pending(
    connection: AsyncConnection, engine: Context, owner: str, upload_id: str, *, lock: bool = False
) -> Upload:
    """An upload that still takes parts, or the answer why there is none."""
    upload = await uploads.get(connection, owner, upload_id, engine.now(), lock=lock)
    if upload is None:
        raise not_found("upload", upload_id)
    if upload["status"] != "pending":
        raise bad_request(f"Upload {upload_id} is {upload['status']}; only a pending one can be changed.")
    return upload


def _in_order(arrived: list[Part], part_ids: list[str]) -> list[Part]:
    by_id = {part.id: part for part in arrived}
    unknown = [part_id for part_id in part_ids if part_id not in by_id]
    if unknown:
        raise bad_request(f"No such part in this upload: {enumerated(unknown)}", param="part_ids")
    if len(set(part_ids)) < len(part_ids):
        raise bad_request(
            "Invalid 'part_ids': a part is named twice.", param="part_ids", code="invalid_value"
        )
    return [by_id[part_id] for part_id in part_ids]


async def _join(engine: Context, upload: Upload, parts: list[Part], md5: str | None) -> str:
    """The blob that the parts make together, after checking that it is what was announced."""
    total = sum(part.bytes for part in parts)
    if total != upload["bytes"]:
        raise bad_request(
            f"The parts named have {total} bytes together, but the upload was announced with "
            f"{upload['bytes']}.",
            param="part_ids",
        )
    digest = hashlib.md5(usedforsecurity=False)  # the API's choice, to notice damage

    async def chunks() -> AsyncIterator[bytes]:
        for part in parts:
            async for chunk in engine.blobs.read(part.blob):
                digest.update(chunk)
                yield chunk

    blob, _ = await engine.blobs.store(chunks(), total)
    if md5 is not None and digest.hexdigest() != md5.lower():
        await engine.blobs.remove(blob)
        raise bad_request(f"The MD5 of the parts is {digest.hexdigest()}, not {md5}.", param="md5")
    return blob


async def _forget_parts(work: Work, upload_id: str) -> None:
    parts = await uploads.parts(work.connection, upload_id)
    work.afterwards(lambda: work.engine.blobs.remove(*(part.blob for part in parts)))


routes = [
    Route("/uploads", create, methods=["POST"]),
    Route("/uploads/{upload_id}/parts", add_part, methods=["POST"]),
    Route("/uploads/{upload_id}/complete", complete, methods=["POST"]),
    Route("/uploads/{upload_id}/cancel", cancel, methods=["POST"]),
]
