"""Sending in the shown conversation, on the real engine: files, options, answers, and what is refused."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.files.attachments import AttachedFile, Use
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.config import RunSettings
from assistants_tui.settings.files import locked
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.threads import ThreadIndex
from support.patience import until
from support.served import served
from support.workspaces import backend, cannot_be_written, choose, connected, connected_to, settled, turn


async def test_files_go_with_the_message_each_in_its_way(workspace: Workspace, tmp_path: Path) -> None:
    csv, picture, paste = tmp_path / "speech.csv", tmp_path / "plot.png", tmp_path / "paste.txt"
    csv.write_text("year,count\n1,2\n")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n....")
    paste.write_text("A long text.")
    choose(workspace, "Math Tutor")
    seen: list[tuple[str, int]] = []
    conversation = workspace.conversations.shown
    conversation.subscribe(
        lambda: seen.extend(item.uploading for item in conversation.outbox if item.uploading)
    )
    files = (
        AttachedFile("speech.csv", csv),
        AttachedFile("plot.png", picture),
        AttachedFile("paste.txt", paste, pasted=True),
    )
    workspace.messages.send(Draft("Look at these.", files))
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
    conversation = workspace.conversations.shown
    files = (AttachedFile("good.txt", good, use=Use.CODE), AttachedFile("late.txt", late, use=Use.CODE))
    workspace.messages.send(Draft("Read them.", files))
    await conversation.settled()
    (item,) = conversation.outbox
    assert item.state == "failed"
    assert "late.txt" in str(item.error)
    assert conversation.thread_id is None, "nothing was created for nothing"
    late.write_text("there")
    conversation.sender.retry(item.id)
    await conversation.settled()
    assert not conversation.outbox
    listed = await (await backend(workspace)).files.list()
    assert sorted(one["filename"] for one in listed.items) == ["good.txt", "late.txt"]


async def test_what_no_server_would_take_is_refused_before_anything_is_sent(workspace: Workspace) -> None:
    file = AttachedFile("a.txt", Path("a.txt"), use=Use.CODE)
    for draft, said in ((Draft("", (file,)), "needs a text"), (Draft("x" * 256_001), "256,001")):
        with pytest.raises(ServiceError, match=said):
            workspace.messages.send(draft)
    assert not workspace.conversations.shown.outbox


async def test_options_of_the_thread_and_of_one_message_reach_the_run(workspace: Workspace) -> None:
    tutor, helper = choose(workspace, "HR Helper"), choose(workspace, "Math Tutor")
    tutor, helper = helper, tutor
    conversation = workspace.conversations.shown
    conversation.options = {"temperature": 0.5, "metadata": {"from": "thread"}}
    workspace.messages.send(Draft("2 + 3", options={"assistant_id": helper, "metadata": {"from": "message"}}))
    await conversation.settled()
    workspace.messages.send(Draft("3 + 4"))
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
    conversation = workspace.conversations.shown
    workspace.messages.send(Draft("2 + 3"))
    await conversation.settled()
    helper = choose(workspace, "HR Helper")
    workspace.messages.run()
    await conversation.settled()
    assert len(conversation.runs) == 2
    assert [message["role"] for message in conversation.messages.values()] == [
        "user",
        "assistant",
        "assistant",
    ]
    answer = list(conversation.messages.values())[-1]
    assert answer["assistant_id"] == helper
    await conversation.pages.update_metadata(answer["id"], {"kept": "yes"})
    assert conversation.messages[answer["id"]]["metadata"] == {"kept": "yes"}
    await conversation.delete_message(answer["id"])
    assert len(conversation.messages) == 2
    page = await (await backend(workspace)).threads.messages(conversation.thread_id or "")
    assert len(page.items) == 2


async def test_a_spent_balance_sends_nothing_at_all(paths: Paths) -> None:
    workspace = await connected(paths, RunSettings(token_balance=5, min_tokens_per_request=10))
    workspace.messages.send(Draft("2 + 3"))
    await workspace.conversations.shown.settled()
    (item,) = workspace.conversations.shown.outbox
    assert item.error is not None
    assert item.error.kind == "budget"
    assert "5" in item.error.what
    listed = await (await backend(workspace)).threads.list()
    assert listed is not None
    assert listed.items == []
    draft = workspace.conversations.shown.sender.take_back(item.id)
    assert draft is not None
    assert draft.text == "2 + 3"
    await workspace.close()


async def test_answering_again_replaces_the_answer(workspace: Workspace) -> None:
    conversation = workspace.conversations.shown
    workspace.messages.send(Draft("2 + 3"))
    await conversation.settled()
    old = list(conversation.messages)
    await workspace.messages.answer_again()
    await conversation.settled()
    assert next(iter(conversation.messages)) == old[0]
    assert len(conversation.messages) == 2
    assert old[1] not in conversation.messages


async def test_a_message_is_sent_if_its_answer_is_there_though_its_run_could_not_be_followed(
    paths: Paths, tmp_path: Path
) -> None:
    """The stream says nothing that can be read, and the server knows no other way to a run."""
    engine = create_app(EngineSettings(tmp_path / "engine", starter_assistants=True))
    answers = True

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        async def garbled(message: Any) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b'data: {"chunk": 1}\n\n' if message["body"] else b""}
            await send(message)

        runs = scope["type"] == "http" and scope["path"].split("/")[-1] == "runs"
        if runs and (scope["method"] == "GET" or not answers):
            await send({"type": "http.response.start", "status": 405, "headers": []})
            await send({"type": "http.response.body"})
        else:
            await engine(scope, receive, garbled if runs else send)

    async with served(proxy) as url:
        window = await connected_to(url, paths)
        conversation = window.conversations.shown
        for count, question in enumerate(("2 + 3", "4 + 5"), 1):
            await turn(window, question)
            assert conversation.outbox == ()
            assert len(conversation.messages) == 2 * count
        window.messages.run()  # once more, without a message
        await conversation.settled()
        await settled(window)
        assert conversation.outbox == ()
        assert len(conversation.messages) == 5
        answers = False
        await turn(window, "6 + 7")
        assert [one.state for one in window.conversations.shown.outbox] == ["failed"]
        await window.close()


async def test_nothing_is_said_in_a_thread_that_would_not_be_found_again(
    workspace: Workspace, paths: Paths
) -> None:
    link = cannot_be_written(paths.threads_file)
    conversation = workspace.conversations.shown
    workspace.messages.send(Draft("2 + 3"))
    await conversation.settled()
    (item,) = conversation.outbox
    assert (item.state, item.text, item.posted) == ("failed", "2 + 3", False)
    assert "is a symbolic link" in str(item.error)
    assert "Nothing was sent, because the new thread would not be found again." in str(item.error)
    assert conversation.thread_id is None
    listed = await (await backend(workspace)).threads.list()
    assert listed is not None
    assert listed.items == [], "no thread is left that nobody knows"
    workspace.conversations.new()
    assert workspace.conversations.shown is not conversation
    workspace.messages.send(Draft("7 * 6"))  # goes the same way
    await workspace.conversations.shown.settled()
    workspace.conversations.new()
    assert workspace.conversations.shown is conversation, "what could not be sent is still there"
    link.unlink()
    conversation.sender.retry(item.id)
    await conversation.settled()
    assert len(conversation.messages) == 2
    cannot_be_written(paths.threads_file)
    with pytest.raises(ServiceError, match="symbolic link"):
        await workspace.branches.branch(list(conversation.messages)[1], including=True)
    listed = await (await backend(workspace)).threads.list()
    assert listed is not None
    assert [one["id"] for one in listed.items] == [conversation.thread_id]
    assert [one.title for one in ThreadIndex(paths.threads_file).list("local")] == ["2 + 3"]


async def test_the_way_back_to_a_thread_is_on_the_disk_before_anything_is_in_it(
    workspace: Workspace, paths: Paths
) -> None:
    conversation = workspace.conversations.shown
    with locked(paths.threads_file):  # as by another window
        workspace.messages.send(Draft("2 + 2"))
        server = await backend(workspace)

        async def threads() -> list[str]:
            listed = await server.threads.list()
            return [one["id"] for one in listed.items] if listed else []

        await until("the thread is there", threads)
        [thread_id] = await threads()
        for _ in range(20):
            assert not (await server.threads.messages(thread_id)).items
            await asyncio.sleep(0.01)
    await conversation.settled()
    assert conversation.thread_id == thread_id
    assert ThreadIndex(paths.threads_file).get("local", thread_id) is not None
    assert len(conversation.messages) == 2
