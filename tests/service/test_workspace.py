"""A workspace on the embedded engine: what is sent, with which files and options, and what is kept of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.service import views
from assistants_tui.service.changes import Changed
from assistants_tui.service.client.backend import Backend
from assistants_tui.service.conversation.run_notices import RunEnded
from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.files.attachments import AttachedFile, Use
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.config import LOCAL, Config, Profile, RunSettings
from assistants_tui.settings.files import locked
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState
from assistants_tui.settings.threads import ThreadIndex
from support.model_endpoint import DONE, ModelEndpoint, Reply, chunk, says
from support.served import served


@pytest.fixture
async def workspace(paths: Paths) -> AsyncIterator[Workspace]:
    """Connected, with nothing in it but the starter assistants."""
    opened = await connected(paths)
    yield opened
    await opened.close()


async def connected(paths: Paths, runs: RunSettings | None = None, model_url: str | None = None) -> Workspace:
    profile = replace(LOCAL, runs=runs or RunSettings(), model_url=model_url, default_model="served")
    opened = Workspace(profile, paths=paths, config=Config(), state=AppState())
    await opened.session.connect()
    assert opened.session.error is None
    return opened


async def backend(workspace: Workspace) -> Backend:
    return await workspace.session.backend()


def choose(workspace: Workspace, name: str) -> str:
    found = next(key for key, value in workspace.assistants.names.items() if value == name)
    workspace.assistants.choose(found)
    return found


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


async def test_a_branch_begins_with_copies_and_leaves_the_thread_alone(workspace: Workspace) -> None:
    first = workspace.conversations.shown
    workspace.conversations.keep_options({"temperature": 0.1})
    for text in ("2 + 3", "7 * 6"):
        workspace.messages.send(Draft(text))
        await first.settled()
    asked = [message["id"] for message in first.messages.values() if message["role"] == "user"]
    await workspace.branches.branch(asked[1], including=False)
    second = workspace.conversations.shown
    assert second is not first
    assert len(second.messages) == 2
    assert second.options == {"temperature": 0.1}
    thread = await (await backend(workspace)).threads.retrieve(second.thread_id or "")
    assert thread["metadata"] == {"branched_from": first.thread_id, "branched_at": asked[1]}
    workspace.messages.send(Draft("1 + 1"))
    await second.settled()
    assert len(first.messages) == 4
    await workspace.conversations.open(first.thread_id or "")
    await workspace.branches.branch(asked[0], including=False)
    assert workspace.conversations.shown.thread_id is None, "nothing stands before the first message"
    assert workspace.conversations.shown.options == {"temperature": 0.1}


async def test_what_goes_to_a_branch_goes_there_whatever_is_looked_at(workspace: Workspace) -> None:
    workspace.messages.send(Draft("2 + 3"))
    await workspace.conversations.shown.settled()
    workspace.messages.send(Draft("4 + 5"))
    origin = workspace.conversations.shown
    await origin.settled()
    second = list(origin.messages)[2]

    def look_away(changed: Changed) -> None:
        if workspace.conversations.shown.thread_id not in (None, origin.thread_id):
            workspace.conversations.new()  # while the branch is still being read

    workspace.feed.subscribe(look_away)
    branch = await workspace.branches.send_instead(second, Draft("6 + 7"))
    await branch.settled()
    assert workspace.conversations.shown.thread_id is None and not workspace.conversations.shown.outbox
    said = [views.shown_text(message).text for message in branch.messages.values()]
    assert said[0] == "2 + 3" and said[2] == "6 + 7" and "13" in said[3]
    assert len(origin.messages) == 4


async def test_what_is_written_for_a_thread_to_come_is_found_there_when_another_was_opened(
    workspace: Workspace,
) -> None:
    workspace.messages.send(Draft("2 + 3"))
    await workspace.conversations.shown.settled()
    first = workspace.conversations.shown.thread_id or ""
    workspace.conversations.new()
    coming = workspace.conversations.shown
    workspace.messages.send(Draft("4 + 5"))
    workspace.drafts.put(None, Draft("and 6 + 7?"))
    await workspace.conversations.open(first)
    await coming.settled()
    assert workspace.drafts.get(coming.thread_id) == Draft("and 6 + 7?")
    assert workspace.drafts.get(None) == Draft("")


async def test_a_long_branch_has_all_messages_in_their_order(workspace: Workspace) -> None:
    server = await backend(workspace)
    said = [{"role": "user" if n % 2 == 0 else "assistant", "content": f"number {n}"} for n in range(70)]
    thread = await server.threads.create({"messages": said[:32]})
    for body in said[32:]:
        await server.threads.add_copy(thread["id"], body)
    await workspace.conversations.add(thread["id"])
    last = list(workspace.conversations.shown.messages)[-1]
    await workspace.branches.branch(last, including=True)
    copies = [
        message["content"][0]["text"]["value"] for message in workspace.conversations.shown.messages.values()
    ]
    assert copies == [f"number {n}" for n in range(70)]


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


async def test_each_change_of_the_history_can_be_taken_back(workspace: Workspace) -> None:
    workspace.messages.send(Draft("2 + 3"))
    await workspace.conversations.shown.settled()
    thread_id = workspace.conversations.shown.thread_id or ""
    await workspace.threads.refresh()
    before = workspace.threads.shown
    await workspace.threads.rename(thread_id, "Sums")
    await workspace.threads.pin(thread_id, True)
    await workspace.threads.archive(thread_id, True)
    assert workspace.threads.shown == []
    await workspace.threads.show_archive(True)
    assert [one.title for one in workspace.threads.shown] == ["Sums"]
    await workspace.threads.show_archive(False)
    await workspace.threads.forget(thread_id)
    said = [await workspace.threads.undo() for _ in range(4)]
    assert said[0] == "Undone: “Sums” had been removed from the history."
    assert said[3] == "Undone: “2 + 3” had been renamed."
    assert workspace.threads.shown == before
    assert await workspace.threads.undo() is None
    with pytest.raises(ServiceError, match="at least one character"):
        await workspace.threads.rename(thread_id, "  ")
    assert await workspace.threads.undo() is None, "what failed cannot be taken back"


async def test_a_run_that_ends_in_the_background_leaves_a_mark(workspace: Workspace) -> None:
    ended: list[RunEnded] = []
    workspace.run_notices.watch(ended.append)
    conversation = workspace.conversations.shown
    workspace.messages.send(Draft("Tell me what you can do"))
    workspace.conversations.new()
    await conversation.settled()
    thread_id = conversation.thread_id or ""
    assert ended == [RunEnded(thread_id, "Tell me what you can do", "completed", True)]
    assert workspace.threads.unread == {thread_id}
    await workspace.conversations.open(thread_id)
    assert workspace.threads.unread == frozenset()


async def test_a_run_that_waits_for_functions_is_told_once(workspace: Workspace) -> None:
    ended: list[RunEnded] = []
    workspace.run_notices.watch(ended.append)
    choose(workspace, "Weather Bot")
    workspace.messages.send(Draft("What is the weather in Oulu?"))
    await workspace.conversations.shown.settled()
    assert [(one.outcome, one.in_background) for one in ended] == [
        ("waits for the outputs of functions", False)
    ]


async def test_options_of_a_thread_are_there_after_a_restart(workspace: Workspace, paths: Paths) -> None:
    workspace.conversations.keep_options({"temperature": 0.5})
    workspace.messages.send(Draft("2 + 3"))
    await workspace.conversations.shown.settled()
    thread_id = workspace.conversations.shown.thread_id
    await workspace.close()
    again = Workspace(LOCAL, paths=paths, config=Config(), state=AppState(), thread_id=thread_id)
    assert again.conversations.shown.options == {"temperature": 0.5}
    again.conversations.keep_options({})
    await again.close()
    assert ThreadIndex(paths.threads_file).list("local")[0].run_options is None


async def test_what_was_read_is_found_until_it_is_deleted(workspace: Workspace) -> None:
    workspace.messages.send(Draft("How many zebras are 2 + 3?"))
    await workspace.conversations.shown.settled()
    thread_id = workspace.conversations.shown.thread_id or ""
    await settled(workspace)
    (hit,) = await workspace.search.find("zebra")
    assert (hit.thread_id, hit.role) == (thread_id, "user")
    await workspace.messages.delete_message(hit.message_id)
    assert await workspace.search.find("zebra") == []
    assert await workspace.conversations.shown.read_until(hit.message_id) is False


async def test_threads_of_the_server_are_offered_and_taken(workspace: Workspace) -> None:
    server = await backend(workspace)
    thread = await server.threads.create({"messages": [{"role": "user", "content": "From elsewhere"}]})
    found = await workspace.threads.history.unknown_threads()
    assert [one["id"] for one in found or ()] == [thread["id"]]
    await workspace.threads.adopt(found or ())
    assert [one.title for one in workspace.threads.shown] == ["From elsewhere"]
    assert await workspace.threads.history.unknown_threads() == []
    with pytest.raises(ServiceError, match="has no thread"):
        await workspace.conversations.add("thread_nobody_knows")


async def test_file_names_are_asked_for_once_and_deleted_files_keep_their_ids(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("text")
    server = await backend(workspace)
    file = await server.files.upload(tmp_path / "a.txt")
    told: list[Changed] = []
    known = asyncio.Event()

    def changed(what: Changed) -> None:
        told.append(what)
        known.set()

    workspace.feed.subscribe(changed)
    assert workspace.file_names.name(file["id"]) == file["id"]
    await known.wait()
    assert workspace.file_names.name(file["id"]) == "a.txt"
    assert told == [Changed.FILES]
    assert await workspace.file_names.names([file["id"], "file-gone"]) == {file["id"]: "a.txt"}


async def test_the_balance_falls_by_what_runs_use(paths: Paths) -> None:
    workspace = await connected(paths, RunSettings(token_balance=100_000))
    workspace.messages.send(Draft("2 + 3"))
    await workspace.conversations.shown.settled()
    await settled(workspace)
    used = workspace.conversations.shown.run_pages.usage.tokens
    assert used > 0
    assert workspace.session.balance == 100_000 - used
    await workspace.close()


async def settled(workspace: Workspace) -> None:
    """Let what the workspace does beside the conversation come to its end."""
    while workspace._tasks._tasks:
        await workspace._tasks.wait()


async def test_the_way_back_to_a_thread_is_on_the_disk_before_anything_is_in_it(
    workspace: Workspace, paths: Paths
) -> None:
    conversation = workspace.conversations.shown
    with locked(paths.threads_file):  # as by another window
        workspace.messages.send(Draft("2 + 2"))
        server = await backend(workspace)
        while not (listed := await server.threads.list()) or not listed.items:
            await asyncio.sleep(0.01)
        for _ in range(20):
            assert not (await server.threads.messages(listed.items[0]["id"])).items
            await asyncio.sleep(0.01)
    await conversation.settled()
    assert conversation.thread_id == listed.items[0]["id"]
    assert ThreadIndex(paths.threads_file).get("local", conversation.thread_id) is not None
    assert len(conversation.messages) == 2


async def test_what_is_wrong_with_the_file_of_the_history_is_told_and_survived(paths: Paths) -> None:
    paths.threads_file.parent.mkdir(parents=True)
    paths.threads_file.write_text("[[threads")
    opened = await connected(paths)
    (problem,) = opened.problems.take()
    assert "it is not TOML" in problem and "is kept as" in problem
    paths.threads_file.unlink()
    paths.threads_file.with_name("threads.previous.toml").unlink(missing_ok=True)
    paths.threads_file.mkdir()
    again = await connected(paths)
    assert again.threads.shown == ()
    assert again.problems.take() == [f"{paths.threads_file} cannot be read: Is a directory."]
    await again.close()
    await opened.close()


def cannot_be_written(path: Path) -> Path:
    """Let every write of a file of the user be refused; returns what has to go for that to end."""
    link = path.with_name(f"{path.stem}.previous{path.suffix}")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(path.with_name("nowhere"))
    return link


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


async def test_what_could_not_be_sent_is_a_draft_at_the_next_start(paths: Paths, tmp_path: Path) -> None:
    picture = tmp_path / "plot.png"
    picture.write_bytes(b"\x89PNG")
    cannot_be_written(paths.threads_file)
    first = Workspace(LOCAL, paths=paths, config=Config(), state=AppState(), keep=lambda write: write())
    await first.session.connect()
    for text in ("2 + 3", "7 * 6"):
        first.messages.send(Draft(text, (AttachedFile("plot.png", picture, use=Use.PICTURE),)))
    await first.conversations.shown.settled()
    first.drafts.put(None, Draft("half a sen"))
    await first.close()
    first.drafts.put(None, Draft("half a sentence"))  # somebody types until the end
    again = Workspace(LOCAL, paths=paths, config=Config(), state=AppState())
    assert again.drafts.get(None) == Draft(
        "2 + 3\n\n7 * 6\n\nhalf a sentence", (AttachedFile("plot.png", picture, use=Use.PICTURE),)
    )
    await again.close()


async def test_what_is_written_while_a_thread_is_made_belongs_to_it(
    workspace: Workspace, paths: Paths
) -> None:
    conversation = workspace.conversations.shown
    with locked(paths.threads_file):  # as by another window
        workspace.messages.send(Draft("2 + 2"))
        await until(lambda: any(item.sending for item in conversation.outbox))
        workspace.drafts.put(None, Draft("And 3 + 3?"))
    await conversation.settled()
    assert workspace.drafts.get(None) == Draft("")
    assert workspace.drafts.get(conversation.thread_id) == Draft("And 3 + 3?")


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def test_who_gives_up_closing_leaves_nothing_half_closed(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await connected(paths)
    impatient = asyncio.create_task(opened.close())
    await asyncio.sleep(0)
    impatient.cancel()
    monkeypatch.setattr(opened.file_names, "close", failing)  # a part that breaks costs no other its end
    with pytest.raises(OSError, match="disk"):
        await opened.close()
    assert impatient.cancelled()
    assert not opened._connection.is_open


async def failing() -> None:
    raise OSError("the disk is gone")


async def test_a_history_that_cannot_be_read_is_told_once_and_threads_open_all_the_same(
    workspace: Workspace, paths: Paths
) -> None:
    workspace.messages.send(Draft("2 + 3"))
    await workspace.conversations.shown.settled()
    thread_id = workspace.conversations.shown.thread_id
    await workspace.close()
    paths.threads_file.unlink()
    paths.threads_file.mkdir()
    again = Workspace(LOCAL, paths=paths, config=Config(), state=AppState(), thread_id=thread_id)
    assert again.threads.title_of(thread_id or "") == thread_id
    assert not again.conversations.foreign_thread, "nobody can say that it is not in the history"
    assert again.problems.take() == [f"{paths.threads_file} cannot be read: Is a directory."]
    await again.session.connect()
    await again.conversations.shown.open()
    assert len(again.conversations.shown.messages) == 2
    paths.threads_file.rmdir()
    await again.conversations.notice()
    assert again.threads.title_of(thread_id or "") == thread_id
    assert again.conversations.foreign_thread == thread_id, "now it can be read"
    await again.close()


async def turn(workspace: Workspace, text: str) -> None:
    workspace.messages.send(Draft(text))
    await workspace.conversations.shown.settled()
    await settled(workspace)


def texts(workspace: Workspace) -> list[str]:
    return [
        views.shown_text(message).text
        for message in workspace.conversations.shown.messages.values()
        if message["role"] == "user"
    ]


async def test_two_windows_show_one_conversation_without_a_hole(workspace: Workspace, paths: Paths) -> None:
    """What one window adds, the other shows once it has seen that the thread was used, in the right order."""
    await turn(workspace, "one")
    thread_id = workspace.conversations.shown.thread_id
    assert thread_id is not None
    other = await connected(paths)
    await other.conversations.open(thread_id)
    await turn(other, "two")
    await turn(other, "three")
    drawn = list(workspace.conversations.shown.messages.values())
    await turn(workspace, "four")  # before the first window has looked
    await until(lambda: len(workspace.conversations.shown.messages) == 8)
    assert texts(workspace) == ["one", "two", "three", "four"]
    now = [id(message) for message in workspace.conversations.shown.messages.values()]
    assert now[:2] == [*map(id, drawn)], "what has not changed is not drawn again"
    await until(lambda: len(workspace.conversations.shown.runs) == 4)
    listed = (await (await backend(workspace)).runs.list(thread_id)).items
    assert list(workspace.conversations.shown.runs) == [run["id"] for run in reversed(listed)]
    await other.conversations.open(thread_id)  # going to a thread that is held reads what is new in it, too
    await other.conversations.shown.settled()
    assert texts(other) == ["one", "two", "three", "four"]
    await other.messages.delete_message(next(iter(other.conversations.shown.messages)))
    await workspace.conversations.open(thread_id)
    await workspace.conversations.shown.settled()
    assert texts(workspace) == ["two", "three", "four"]
    await other.close()


async def test_a_run_that_another_window_has_begun_is_followed(workspace: Workspace, paths: Paths) -> None:
    await turn(workspace, "one")
    assert workspace.conversations.shown.thread_id is not None
    other = await connected(paths)
    await other.conversations.open(workspace.conversations.shown.thread_id)
    choose(other, "Weather Bot")
    await turn(other, "What is the weather in San Francisco?")
    assert other.conversations.shown.activity == "waiting"
    await workspace.conversations.notice()
    await until(lambda: workspace.conversations.shown.activity == "waiting")
    run_id = next(reversed(workspace.conversations.shown.runs))
    assert run_id == next(reversed(other.conversations.shown.runs))
    workspace.messages.send(Draft("two"))  # it waits until the other window has answered
    await workspace.conversations.shown.settled()
    calls = other.functions.calls(other.conversations.shown)
    assert calls is not None
    await calls.settled()
    calls.write(calls.calls[0].id, "3 degrees")
    await until(lambda: other.conversations.shown.activity == "idle")
    await settled(other)
    await workspace.conversations.notice()
    await until(
        lambda: (
            workspace.conversations.shown.activity == "idle" and len(workspace.conversations.shown.runs) == 3
        )
    )
    assert workspace.conversations.shown.runs[run_id].status == "completed"
    assert texts(workspace)[-1] == "two"
    await other.conversations.notice()
    await until(lambda: texts(other) == texts(workspace) and other.conversations.shown.activity == "idle")
    await turn(other, "What is the weather in Bath?")
    await workspace.conversations.notice()
    await until(lambda: workspace.conversations.shown.activity == "waiting")
    await other.conversations.shown.cancel()
    await other.conversations.shown.settled()
    await settled(other)
    await workspace.conversations.notice()
    await until(lambda: workspace.conversations.shown.activity == "idle")
    latest = workspace.conversations.shown.latest_run
    assert latest is not None and latest.status == "cancelled"
    await other.close()


async def test_a_message_that_another_window_was_ahead_of_waits_for_another_try(
    workspace: Workspace, paths: Paths
) -> None:
    await turn(workspace, "one")
    conversation = workspace.conversations.shown
    assert conversation.thread_id is not None
    other = await connected(paths)
    await other.conversations.open(conversation.thread_id)
    choose(other, "Weather Bot")
    await turn(other, "What is the weather in Oulu?")
    await turn(workspace, "two")  # before this window has looked
    (item,) = conversation.outbox
    assert item.state == "failed" and item.error is not None
    await until(lambda: conversation.activity == "waiting")
    await other.conversations.shown.cancel()
    await other.conversations.shown.settled()
    await settled(other)
    await workspace.conversations.notice()
    await until(lambda: conversation.activity == "idle")
    conversation.sender.retry(item.id)
    await conversation.settled()
    assert texts(workspace) == ["one", "What is the weather in Oulu?", "two"]
    await other.close()


async def test_the_runs_of_another_window_are_followed_one_after_the_other(paths: Paths) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    held = [
        Reply([chunk({"content": "Once"}), go_on, chunk(finish_reason="stop"), DONE])
        for go_on in (first, second)
    ]
    async with ModelEndpoint(says("Zero."), *held) as endpoint:
        one, other = [await connected(paths, model_url=endpoint.url) for _ in range(2)]
        await turn(one, "zero")
        assert one.conversations.shown.thread_id is not None
        await other.conversations.open(one.conversations.shown.thread_id)
        other.messages.send(Draft("one"))
        other.messages.send(Draft("two"))
        await until(lambda: len(other.conversations.shown.runs) == 2)
        await settled(other)
        await one.conversations.notice()
        await until(
            lambda: one.conversations.shown.activity == "working" and len(one.conversations.shown.runs) == 2
        )
        first.set()
        await until(lambda: len(other.conversations.shown.runs) == 3)
        await settled(other)
        await one.conversations.notice()  # before it has asked how the first of them stands
        await until(lambda: len(one.conversations.shown.runs) == 3)
        second.set()
        await until(lambda: one.conversations.shown.activity == other.conversations.shown.activity == "idle")
        assert texts(one) == texts(other) == ["zero", "one", "two"]
        assert [state.status for state in one.conversations.shown.runs.values()] == ["completed"] * 3
        await other.close()
        await one.close()


async def test_a_thread_that_another_window_has_deleted_stays_to_be_read(workspace: Workspace) -> None:
    await turn(workspace, "one")
    conversation = workspace.conversations.shown
    before = dict(conversation.messages)
    await (await backend(workspace)).threads.delete(conversation.thread_id or "")
    conversation.look_again()
    await conversation.settled()
    assert conversation.messages == before
    assert conversation.error is None


async def test_the_app_waits_for_no_lock_of_another_window(workspace: Workspace, paths: Paths) -> None:
    await turn(workspace, "one")
    thread_id = workspace.conversations.shown.thread_id
    assert thread_id is not None
    guard = workspace.threads._index._guard

    def held() -> bool:
        free = guard.acquire(blocking=False)
        if free:
            guard.release()
        return not free

    with locked(paths.threads_file):  # as by another window
        change = asyncio.create_task(workspace.threads.history.rename(thread_id, "another"))
        await until(held)
        assert workspace.threads.title_of(thread_id) == "one"  # what is drawn from the event loop
    await change
    assert workspace.threads.title_of(thread_id) == "another"


@pytest.mark.parametrize("missed", ["/messages", "/steps"])
async def test_what_another_window_did_is_read_once_the_server_answers_again(
    paths: Paths, tmp_path: Path, missed: str
) -> None:
    """Whether the list could not be read, or the run that it has: the end of an answer is not missed."""
    failed = 0
    broken = False
    engine = create_app(EngineSettings(tmp_path / "engine", starter_assistants=True))

    async def flaky(scope: Any, receive: Any, send: Any) -> None:
        nonlocal failed
        if broken and scope["type"] == "http" and scope["path"].endswith(missed):
            failed += 1
            headers = [(b"x-should-retry", b"false")]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body"})
        else:
            await engine(scope, receive, send)

    async with served(flaky) as url:
        profile = Profile(name="shared", kind="openai", base_url=f"{url}/v1")
        one, other = (Workspace(profile, paths=paths, config=Config(), state=AppState()) for _ in range(2))
        for window in (one, other):
            await window.session.connect()
        await turn(one, "2 + 3")
        assert one.conversations.shown.thread_id is not None
        await other.conversations.open(one.conversations.shown.thread_id)
        await turn(other, "7 * 6")
        broken = True
        await one.conversations.notice()
        await until(lambda: failed)
        await one.conversations.shown.settled()
        assert one.conversations.shown.error is None, "nobody asked for anything"
        broken = False
        await one.conversations.notice()
        await one.conversations.shown.settled()
        assert one.conversations.shown.messages == other.conversations.shown.messages
        assert one.conversations.shown.runs == other.conversations.shown.runs
        await other.close()
        await one.close()


async def test_a_thread_is_read_from_a_server_that_cannot_list_runs(paths: Paths, tmp_path: Path) -> None:
    """As LiteLLM's proxy answers."""
    engine = create_app(EngineSettings(tmp_path / "engine", starter_assistants=True))

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].endswith("/runs"):
            await send({"type": "http.response.start", "status": 405, "headers": []})
            await send({"type": "http.response.body"})
        else:
            await engine(scope, receive, send)

    async with served(proxy) as url:
        profile = Profile(name="shared", kind="openai", base_url=f"{url}/v1")
        one, other = (Workspace(profile, paths=paths, config=Config(), state=AppState()) for _ in range(2))
        for window in (one, other):
            await window.session.connect()
        await turn(one, "2 + 3")
        assert one.conversations.shown.thread_id is not None
        conversation = await other.conversations.open(one.conversations.shown.thread_id)
        assert conversation.error is None
        assert list(conversation.messages) == list(one.conversations.shown.messages)
        await other.close()
        await one.close()


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
        profile = Profile(name="shared", kind="openai", base_url=f"{url}/v1")
        window = Workspace(profile, paths=paths, config=Config(), state=AppState())
        await window.session.connect()
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
