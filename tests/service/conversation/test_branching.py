from pathlib import Path
from typing import Any

import pytest

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.service.client.backend import open_backend
from assistants_tui.service.conversation.branching import MESSAGES_PER_CALL, branch, copied, up_to
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import Profile
from assistants_tui.settings.paths import user_paths
from support.served import served


def message(number: int, *content: Any, role: str = "user", **fields: Any) -> Any:
    return {"id": f"msg_{number}", "role": role, "content": list(content), **fields}


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": {"value": value, "annotations": [{"type": "file_path"}]}}


def test_a_copy_has_the_words_the_pictures_the_files_and_the_metadata() -> None:
    picture = {"type": "image_file", "image_file": {"file_id": "file_1", "detail": "auto"}}
    attachments = [
        {"file_id": "file_2", "tools": [{"type": "code_interpreter"}]},
        {"file_id": "f", "tools": []},
    ]
    original = message(1, text("Look"), picture, attachments=attachments, metadata={"k": "v"})
    assert copied(original) == {
        "role": "user",
        "content": [{"type": "text", "text": "Look"}, picture],
        "attachments": attachments[:1],
        "metadata": {"k": "v"},
    }


def test_what_says_nothing_is_not_copied() -> None:
    assert copied(message(1, role="assistant")) is None
    assert copied(message(1, text(""), role="assistant")) is None
    refusal = message(1, {"type": "refusal", "refusal": "No."}, role="assistant")
    assert copied(refusal) == {"role": "assistant", "content": [{"type": "text", "text": "No."}]}


def test_a_branch_ends_before_or_with_a_message() -> None:
    messages = [message(number) for number in range(3)]
    assert [one["id"] for one in up_to(messages, "msg_1", including=False)] == ["msg_0"]
    assert [one["id"] for one in up_to(messages, "msg_1", including=True)] == ["msg_0", "msg_1"]


@pytest.mark.parametrize("stays", [False, True])
async def test_a_branch_that_fails_half_way_is_deleted_and_says_why(tmp_path: Path, stays: bool) -> None:
    """Also where the server refuses to delete it."""
    engine = create_app(EngineSettings(tmp_path / "engine"))

    async def full(scope: Any, receive: Any, send: Any) -> None:
        refused = {"POST": "/messages", "DELETE": "" if stays else "-"}.get(scope.get("method", ""), "-")
        if scope["type"] == "http" and scope["path"].endswith(refused):
            await send({"type": "http.response.start", "status": 400, "headers": []})
            words = f'{{"error": {{"message": "No {scope["method"]} here."}}}}'
            await send({"type": "http.response.body", "body": words.encode()})
        else:
            await engine(scope, receive, send)

    async with served(full) as url:
        backend = await open_backend(Profile("full", "openai", base_url=f"{url}/v1"), paths=user_paths())
        messages = [message(number, text("Look")) for number in range(MESSAGES_PER_CALL + 1)]
        with pytest.raises(ServiceError, match="No POST here"):
            await branch(backend, messages, {})
        left = await backend.threads.list()
        assert left is not None and len(left.items) == stays
        await backend.close()
