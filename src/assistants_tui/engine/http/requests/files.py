"""Bodies of the Files and Uploads endpoints."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from assistants_tui.engine.http.requests.common import ONE_LINE, RequestBody, UploadPartId
from assistants_tui.protocol import limits

PURPOSES = ("fine-tune", "assistants", "batch", "user_data", "vision", "evals")
"""What a file may be uploaded for."""


class FileExpiry(RequestBody):
    anchor: Literal["created_at"]
    seconds: Annotated[int, Field(ge=limits.FILE_EXPIRY_SECONDS[0], le=limits.FILE_EXPIRY_SECONDS[1])]


class FileForm(RequestBody):
    """The fields of a form beside the file."""

    purpose: str
    expires_after: FileExpiry | None = None


class NewUpload(RequestBody):
    filename: Annotated[str, StringConstraints(min_length=1), *ONE_LINE]
    bytes: Annotated[int, Field(ge=1, le=limits.MAX_UPLOAD_BYTES)]
    mime_type: str
    purpose: str
    expires_after: FileExpiry | None = None


class UploadCompletion(RequestBody):
    part_ids: Annotated[
        list[UploadPartId], Field(fail_fast=True, min_length=1, max_length=limits.MAX_UPLOAD_PARTS)
    ]
    md5: str | None = None
