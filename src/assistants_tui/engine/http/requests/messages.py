"""Bodies of the Threads and Messages endpoints."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, Tag

from assistants_tui.engine.http.requests.common import (
    Fields,
    FileId,
    Metadata,
    RequestBody,
    TypedBody,
    alternative,
    by_json_type,
)
from assistants_tui.engine.http.requests.tools import NewToolResources, ToolResources
from assistants_tui.protocol import limits

_Detail = Literal["auto", "low", "high"]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_MESSAGE_TEXT)]


class ImageFile(RequestBody):
    file_id: FileId
    detail: _Detail = "auto"


class ImageUrl(RequestBody):
    url: Annotated[str, StringConstraints(pattern=r"^(?i:https?://|data:image/)")]
    detail: _Detail = "auto"


class ContentPart(TypedBody):
    types: ClassVar = {name: Fields(needed=(name,)) for name in ("text", "image_file", "image_url")}

    type: Literal["text", "image_file", "image_url"]
    text: _Text | None = None
    image_file: ImageFile | None = None
    image_url: ImageUrl | None = None

    def to_wire(self) -> dict[str, Any]:
        """The part as message objects show it."""
        if self.text is not None:
            return text_part(self.text)
        return self.model_dump(exclude_none=True)


class AttachmentTool(RequestBody):
    type: Literal["code_interpreter", "file_search"]


class Attachment(RequestBody):
    file_id: FileId
    tools: Annotated[
        list[AttachmentTool], Field(fail_fast=True, min_length=1, max_length=limits.MAX_ATTACHMENT_TOOLS)
    ]


class NewMessage(RequestBody):
    role: Literal["user", "assistant"]
    content: Annotated[
        Annotated[_Text, Tag(alternative("text"))]
        | Annotated[
            list[ContentPart],
            Field(fail_fast=True, min_length=1, max_length=limits.MAX_CONTENT_PARTS),
            Tag(alternative("parts")),
        ],
        by_json_type(text=str, parts=list),
    ]
    attachments: (
        Annotated[list[Attachment], Field(fail_fast=True, max_length=limits.MAX_ATTACHMENTS)] | None
    ) = None
    metadata: Metadata | None = None

    def parts(self) -> list[dict[str, Any]]:
        """The content as message objects show it."""
        if isinstance(self.content, str):
            return [text_part(self.content)]
        return [part.to_wire() for part in self.content]


NewMessages = Annotated[list[NewMessage], Field(fail_fast=True, max_length=limits.MAX_MESSAGES_AT_ONCE)]


class MetadataChange(RequestBody):
    """All that a message or a run lets change."""

    metadata: Metadata | None = None


class NewThread(RequestBody):
    messages: NewMessages | None = None
    tool_resources: NewToolResources | None = None
    metadata: Metadata | None = None


class ThreadChanges(RequestBody):
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None


def text_part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": {"value": text, "annotations": []}}
