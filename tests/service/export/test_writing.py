"""Exports of real threads of the engine, and writing them."""

from pathlib import Path

import pytest

from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.export.writing import collect, rendered, save, suggested_name
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.config import LOCAL, Config
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState


async def test_a_thread_with_code_is_read_with_its_steps(paths: Paths) -> None:
    workspace = Workspace(LOCAL, paths=paths, config=Config(), state=AppState(), assistant="Math Tutor")
    await workspace.session.connect()
    workspace.messages.send(Draft("I need to solve the equation `3x + 11 = 14`. Can you help me?"))
    await workspace.conversations.shown.settled()
    document = await collect(
        await workspace.session.backend(),
        workspace.file_names,
        workspace.conversations.shown.thread_id or "",
        title="An equation",
        assistants=workspace.assistants.names,
    )
    await workspace.close()
    assert [message["role"] for message in document.messages] == ["user", "assistant"]
    for form, part in (
        ("markdown", "*Code interpreter*"),
        ("html", "Code interpreter</summary>"),
        ("json", "3*x"),
    ):
        text = rendered(document, form)  # type: ignore[arg-type]  # the three formats
        assert part in text
        assert "x = 1" in text


def test_a_document_is_written_whole_and_never_over_another(tmp_path: Path) -> None:
    path = tmp_path / "thread.md"
    save(path, "one\n")
    with pytest.raises(ServiceError, match="exists") as raised:
        save(path, "two\n")
    assert raised.value.code == "exists"
    assert path.read_text() == "one\n"
    save(path, "two\n", overwrite=True)
    assert path.read_text() == "two\n"
    (tmp_path / "link.md").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ServiceError, match="exists"):
        save(tmp_path / "link.md", "x")
    with pytest.raises(ServiceError, match="cannot be written"):
        save(tmp_path / "missing" / "thread.md", "x")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.md", "thread.md"]


def test_the_suggested_name_is_safe() -> None:
    assert suggested_name("Sums: 2/3", "html") == "Sums_ 2_3.html"
    assert suggested_name("", "json") == "thread.json"
    assert suggested_name("../../etc/passwd", "markdown").endswith(".md")
