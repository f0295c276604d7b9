from typing import Any

from assistants_tui.service.conversation.branching import copied, up_to


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
