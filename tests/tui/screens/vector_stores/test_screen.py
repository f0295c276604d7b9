"""Vector stores from the keyboard: made, filled, read, searched, given away and deleted."""

import json
from pathlib import Path

import pytest
from filelock import FileLock

from assistants_tui.service.assistants.resources import store_of
from assistants_tui.settings.config import LOCAL
from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.screens.vector_stores.screen import VectorStoresScreen
from support.app import open_app, use_model
from support.model_endpoint import ModelEndpoint, Reply, Request, refuses


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    docs = tmp_path / "docs"
    (docs / "deep").mkdir(parents=True)
    (docs / "ships.md").write_text("# Ships\n\nThe *Aino* leaves at nine.\n")
    (docs / "deep" / "rooms.txt").write_text("The library closes at six.")
    (docs / "broken.pdf").write_bytes(b"%PDF-1.4 nonsense")
    (docs / "program.exe").write_bytes(b"MZ")
    (tmp_path / "chart.png").write_bytes(b"no picture")
    (docs / ".hidden.txt").write_text("hidden")
    return docs


async def test_a_folder_becomes_a_store_that_answers(folder: Path) -> None:
    # whoever has this lock reads the files: as long as nobody does, they wait
    reading = FileLock(user_paths().engine_dir(LOCAL.name) / "reading.lock")
    async with open_app((120, 40)) as driver:
        workspace = driver.chat.workspace
        await driver.press("f8")
        await driver.until_shown("No vector stores yet")
        screen = driver.app.screen
        assert isinstance(screen, VectorStoresScreen)
        await driver.press("n")
        await driver.until_shown("Name of the vector store")
        await driver.type("Harbour")
        await driver.until_shown("Harbour")
        await driver.press("a")
        await driver.until_shown("Add which files to Harbour?")
        await driver.until_shown("chart.png  10 B · file search does not read .png")
        with reading:
            await driver.press("ctrl+t", "enter")
            await driver.until_shown("·········· 0 of 3 files")
        await driver.until_shown("3 files  1 failed")
        for shown in ("✓ ships.md", "✓ rooms.txt", "✗ broken.pdf"):
            assert shown in driver.screen
        assert "program.exe" not in driver.screen
        assert "hidden" not in driver.screen

        await driver.press("t")
        await driver.until_shown("Search Harbour for")
        await driver.type("when does the library close")
        await driver.until_shown("rooms.txt")
        await driver.until_shown("The library closes at six.")
        assert "Found by words alone" in driver.screen

        screen.rows.focus()
        while "ships.md" not in screen.detail.items[0].author:
            await driver.press("down")
            await driver.pilot.pause()
        await driver.press("enter")
        await driver.until_shown("Piece 1 of 1")
        assert "The *Aino* leaves at nine." in driver.screen
        screen.rows.focus()
        await driver.press("d")
        await driver.until_shown("Take this file out of Harbour?")
        await driver.press("right", "enter")
        await driver.until_shown("2 files  1 failed")

        await driver.press("home", "A")
        await driver.until(
            lambda: workspace.assistants.chosen and store_of(dict(workspace.assistants.chosen))
        )
        assert workspace.assistants.chosen is not None
        assert {tool["type"] for tool in workspace.assistants.chosen["tools"]} == {
            "code_interpreter",
            "file_search",
        }
        await driver.press("d")
        await driver.until_shown("Delete Harbour?")
        await driver.press("right", "enter")
        await driver.until_shown("No vector stores yet")
        backend = await workspace.session.backend()
        assert (await backend.vector_stores.list()).items == []
        assert len((await backend.files.list()).items) == 3, "the files stay"


async def test_what_has_no_vector_is_said(tmp_path: Path) -> None:
    """One file is refused by the embedding endpoint: the list marks it, the details say why."""

    def vectors(request: Request) -> Reply:
        if any("secret" in text for text in request.body["input"]):
            return refuses(400, {"message": "The input was flagged."})
        data = [{"index": at, "embedding": [1.0, 0.5]} for at, _ in enumerate(request.body["input"])]
        return Reply([json.dumps({"data": data}).encode()], headers={"content-type": "application/json"})

    async with ModelEndpoint() as endpoint:
        endpoint.otherwise = vectors
        use_model(endpoint.url, 'embedding_model = "vectors"')
        async with open_app((120, 40)) as driver:
            backend = await driver.chat.workspace.session.backend()
            store = await backend.vector_stores.create("Notes")
            for name in ("plain.txt", "odd.txt"):
                path = tmp_path / name
                path.write_text("a secret" if name == "odd.txt" else "a note")
                file = await backend.files.upload(path, purpose="assistants")
                await backend.vector_stores.add_file(store["id"], file["id"])
            await driver.press("f8")
            await driver.until_shown("Notes")
            await driver.press("enter")
            await driver.until_shown("1 of 2 pieces, 1 refused")
            await driver.until_shown("! odd.txt")
            await driver.until_shown("✓ plain.txt")
            await driver.press("down")
            await driver.until_shown("The input was flagged.")


async def test_a_store_for_the_open_thread_replaces_another_only_when_wanted() -> None:
    async with open_app((120, 40)) as driver:
        await driver.type("2 + 3")
        await driver.until_answered()
        thread_id = driver.conversation.thread_id
        assert thread_id is not None
        backend = await driver.chat.workspace.session.backend()
        old = await backend.vector_stores.create("Old")
        await driver.press("f8")
        await driver.until_shown("Old")
        await driver.press("T")
        await driver.until_told("has Old from now on")
        await driver.press("R")
        await driver.until_shown("Name of the vector store")
        await driver.press("end", *"er", "enter")
        await driver.until_shown("Older")
        await driver.press("n")
        await driver.until_shown("Name of the vector store")
        await driver.type("New")
        await driver.until_shown("2 stores")
        await driver.press("T")
        await driver.until_shown("Now it is Older, which stays.")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen.name != "dialog")
        assert store_of(dict(await backend.threads.retrieve(thread_id))) == old["id"]
        await driver.press("T")
        await driver.until_shown("Replace it?")
        await driver.press("right", "enter")
        await driver.until_told("has New from now on")
        assert store_of(dict(await backend.threads.retrieve(thread_id))) != old["id"]
