"""A workspace on the embedded engine: what is sent, with which files and options, and what is kept of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistants_tui.service.attachments import AttachedFile, Use
from assistants_tui.service.backend import Backend
from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.config import LOCAL, Config, RunSettings
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState


@pytest.fixture
async def workspace(paths: Paths) -> AsyncIterator[Workspace]:
    """Connected, with nothing in it but the starter assistants."""
    opened = await connected(paths)
    yield opened
    await opened.close()


async def connected(paths: Paths, runs: RunSettings | None = None) -> Workspace:
    profile = replace(LOCAL, runs=runs or RunSettings())
    opened = Workspace(profile, paths=paths, config=Config(), state=AppState())
    await opened.connect()
    assert opened.error is None
    return opened


async def backend(workspace: Workspace) -> Backend:
    return await workspace.connection.backend()


def choose(workspace: Workspace, name: str) -> str:
    found = next(key for key, value in workspace.assistant_names.items() if value == name)
    workspace.choose_assistant(found)
    return found


async def test_files_go_with_the_message_each_in_its_way(workspace: Workspace, tmp_path: Path) -> None:
    csv, picture, paste = tmp_path / "speech.csv", tmp_path / "plot.png", tmp_path / "paste.txt"
    csv.write_text("year,count\n1,2\n")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n....")
    paste.write_text("A long text.")
    choose(workspace, "Math Tutor")
    seen: list[tuple[str, int]] = []
    conversation = workspace.conversation
    conversation.subscribe(
        lambda: seen.extend(item.uploading for item in conversation.outbox if item.uploading)
    )
    files = (
        AttachedFile("speech.csv", csv),
        AttachedFile("plot.png", picture),
        AttachedFile("paste.txt", paste, pasted=True),
    )
    workspace.send(Draft("Look at these.", files))
    await conversation.settled()
    message = next(iter(conversation.messages.values()))
    assert [part["type"] for part in message["content"]] == ["text", "image_file"]
    assert message["content"][0]["text"]["value"] == "Look at these.\n\nA long text."
    (attached,) = message["attachments"] or []
    assert attached["tools"] == [{"type": "code_interpreter"}]
    names = {
        (await (await backend(workspace)).files.retrieve(one))["filename"]
        for one in (attached["file_id"], message["content"][1]["image_file"]["file_id"])
    }
    assert names == {"speech.csv", "plot.png"}
    assert ("speech.csv", 0) in seen
    assert not paste.exists(), "the file that we wrote for the paste is gone"
    assert csv.exists()


async def test_a_file_that_cannot_be_read_holds_the_message_back_and_a_second_try_sends_it_once(
    workspace: Workspace, tmp_path: Path
) -> None:
    good, late = tmp_path / "good.txt", tmp_path / "late.txt"
    good.write_text("here")
    conversation = workspace.conversation
    files = (AttachedFile("good.txt", good, use=Use.CODE), AttachedFile("late.txt", late, use=Use.CODE))
    workspace.send(Draft("Read them.", files))
    await conversation.settled()
    (item,) = conversation.outbox
    assert item.state == "failed"
    assert "late.txt" in str(item.error)
    assert conversation.thread_id is None, "nothing was created for nothing"
    late.write_text("there")
    conversation.retry(item.id)
    await conversation.settled()
    assert not conversation.outbox
    listed = await (await backend(workspace)).files.list()
    assert sorted(one["filename"] for one in listed.items) == ["good.txt", "late.txt"]


async def test_what_no_server_would_take_is_refused_before_anything_is_sent(workspace: Workspace) -> None:
    file = AttachedFile("a.txt", Path("a.txt"), use=Use.CODE)
    for draft, said in ((Draft("", (file,)), "needs a text"), (Draft("x" * 256_001), "256,001")):
        with pytest.raises(ServiceError, match=said):
            workspace.send(draft)
    assert not workspace.conversation.outbox


async def test_options_of_the_thread_and_of_one_message_reach_the_run(workspace: Workspace) -> None:
    tutor, helper = choose(workspace, "HR Helper"), choose(workspace, "Math Tutor")
    tutor, helper = helper, tutor
    conversation = workspace.conversation
    conversation.options = {"temperature": 0.5, "metadata": {"from": "thread"}}
    workspace.send(Draft("2 + 3", options={"assistant_id": helper, "metadata": {"from": "message"}}))
    await conversation.settled()
    workspace.send(Draft("3 + 4"))
    await conversation.settled()
    first, second = (state.run for state in conversation.runs.values())
    assert first is not None
    assert second is not None
    assert (first["assistant_id"], first["temperature"], first["metadata"]) == (
        helper,
        0.5,
        {"from": "message"},
    )
    assert (second["assistant_id"], second["metadata"]) == (tutor, {"from": "thread"})


async def test_a_thread_is_answered_again_without_a_new_message(workspace: Workspace) -> None:
    conversation = workspace.conversation
    workspace.send(Draft("2 + 3"))
    await conversation.settled()
    helper = choose(workspace, "HR Helper")
    workspace.run()
    await conversation.settled()
    assert len(conversation.runs) == 2
    assert [message["role"] for message in conversation.messages.values()] == [
        "user",
        "assistant",
        "assistant",
    ]
    answer = list(conversation.messages.values())[-1]
    assert answer["assistant_id"] == helper
    await conversation.update_message(answer["id"], {"kept": "yes"})
    assert conversation.messages[answer["id"]]["metadata"] == {"kept": "yes"}
    await conversation.delete_message(answer["id"])
    assert len(conversation.messages) == 2
    page = await (await backend(workspace)).threads.messages(conversation.thread_id or "")
    assert len(page.items) == 2


async def test_a_spent_balance_sends_nothing_at_all(paths: Paths) -> None:
    workspace = await connected(paths, RunSettings(token_balance=5, min_tokens_per_request=10))
    workspace.send(Draft("2 + 3"))
    await workspace.conversation.settled()
    (item,) = workspace.conversation.outbox
    assert item.error is not None
    assert item.error.kind == "budget"
    assert "5" in item.error.what
    listed = await (await backend(workspace)).threads.list()
    assert listed is not None
    assert listed.items == []
    draft = workspace.conversation.take_back(item.id)
    assert draft is not None
    assert draft.text == "2 + 3"
    await workspace.close()
