"""A table that is attached becomes a chart, which the message and the step of its code show."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from assistants_tui.tui.widgets.picture_view import PictureView
from support.app import open_app

pytestmark = pytest.mark.skipif(find_spec("matplotlib") is None, reason="charts need the extra `code`")


async def test_the_tutor_draws_an_attached_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tides.csv").write_text("port,height\nOulu,0.4\nBath,9\nVaasa,0.2\n")
    async with open_app((140, 50), assistant="Data Visualizer") as driver:
        await driver.type("/attach tides.csv")
        await driver.until_shown("⎘ tides.csv")
        await driver.type("Chart this.")
        await driver.until_answered()
        assert driver.texts[-1].startswith("`tides.csv` has 3 rows with the columns port, height.")
        assert "The chart shows height." in driver.texts[-1]

        [image] = [
            part["image_file"]["file_id"]
            for message in driver.conversation.messages.values()
            for part in message["content"]
            if part["type"] == "image_file"
        ]
        assert driver.conversation.latest_run is not None
        [code, _] = driver.conversation.latest_run.steps.values()
        outputs = code["step_details"]["tool_calls"][0]["code_interpreter"]["outputs"]
        assert [one["image"]["file_id"] for one in outputs if one["type"] == "image"] == [image]
        backend = await driver.chat.workspace.session.backend()
        assert (await backend.files.retrieve(image))["purpose"] == "assistants_output"
        await driver.until_shown("▣ image-1.png")

        driver.chat.query_one("#run-tree").focus()
        await driver.press("home", *["down"] * 4)
        view = driver.chat.query_one(PictureView)
        await driver.until(lambda: view.display and "▀" in driver.screen)
