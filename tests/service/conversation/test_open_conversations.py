"""Conversations that are opened, left and found again, in one window."""

from pathlib import Path
from typing import Any

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.service.drafts import Draft
from assistants_tui.service.files.attachments import AttachedFile, Use
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.config import LOCAL, Config
from assistants_tui.settings.files import locked
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState
from assistants_tui.settings.threads import ThreadIndex
from support.served import served
from support.workspaces import cannot_be_written, connected_to, turn, until


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
        one, other = [await connected_to(url, paths) for _ in range(2)]
        await turn(one, "2 + 3")
        assert one.conversations.shown.thread_id is not None
        conversation = await other.conversations.open(one.conversations.shown.thread_id)
        assert conversation.error is None
        assert list(conversation.messages) == list(one.conversations.shown.messages)
        await other.close()
        await one.close()
