"""Branches of a thread, on the real engine."""

from assistants_tui.service import message_text
from assistants_tui.service.changes import Changed
from assistants_tui.service.drafts import Draft
from assistants_tui.service.workspace import Workspace
from support.workspaces import backend


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
    said = [message_text.render_text(message).text for message in branch.messages.values()]
    assert said[0] == "2 + 3" and said[2] == "6 + 7" and "13" in said[3]
    assert len(origin.messages) == 4


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
