"""A thread as JSON: the server's own objects, and what is needed to read them without the server."""

import base64
import json

from assistants_tui.service.export.document import Document, picture_type


def render_json(document: Document) -> str:
    """The whole document. Characters beyond ASCII are escaped, so that it is safe to print."""
    return (
        json.dumps(
            {
                "format": "assistants-tui thread",
                "version": 1,
                "title": document.title,
                "profile": document.profile,
                "exported_at": document.exported_at,
                "thread": document.thread,
                "messages": list(document.messages),
                "runs": [{**run, "steps": list(steps)} for run, steps in document.runs],
                "assistants": dict(document.assistants),
                "files": {
                    file_id: {
                        "filename": document.files.get(file_id),
                        **(_content(data) if (data := document.images.get(file_id)) is not None else {}),
                    }
                    for file_id in {**document.files, **document.images}
                },
            },
            indent=2,
        )
        + "\n"
    )


def _content(data: bytes) -> dict[str, str | None]:
    return {"content_type": picture_type(data), "base64": base64.b64encode(data).decode()}
