"""The options of the next runs: read, refused with a sentence, and given back."""

from textual.widgets import Input, Select

from assistants_tui.tui.dialogs.run_options import RunOptionsScreen
from support.dialogs import HOSTILE, TINY, open_dialog

ASSISTANTS = {"asst_1": "Tutor", "asst_2": HOSTILE}


async def test_options_are_read_and_mistakes_stand_below_their_fields() -> None:
    before = {"temperature": 0.5, "reasoning_effort": "low"}
    screen = RunOptionsScreen(before, assistants=ASSISTANTS, tools=["code_interpreter"])  # type: ignore[arg-type]
    async with open_dialog(screen) as dialog:
        await dialog.until_shown("Options of the next runs")
        field = dialog.app.screen.query_one("#option-temperature", Input)
        assert field.value == "0.5"
        field.value = "3"
        await dialog.press("ctrl+s")
        assert dialog.app.focused is field
        await dialog.until_shown("A number from 0 to 2 is needed here.")
        field.value = ""
        dialog.app.screen.query_one("#option-assistant_id", Select).value = "asst_2"
        dialog.app.screen.query_one("#option-metadata", Input).value = "a = b; c = d"
        await dialog.press("ctrl+t")
        assert dialog.answers == [
            (
                "thread",
                {"reasoning_effort": "low", "assistant_id": "asst_2", "metadata": {"a": "b", "c": "d"}},
            )
        ]
        await dialog.show(RunOptionsScreen({}, assistants={}, tools=[]))
        await dialog.resize(TINY)
        for _ in range(3):
            await dialog.press("tab")
        await dialog.until_shown("Model")
        dialog.app.screen.query_one("#option-metadata", Input).focus()
        await dialog.until_shown("Metadata")
        assert "For the next message" in dialog.text
        await dialog.resize((60, 20))
        dialog.app.screen.query_one("#option-assistant_id", Select).focus()
        await dialog.until_shown("as the assistant has it")
        await dialog.resize((160, 50))
        assert dialog.app.screen.query_one(".dialog").outer_size == (84, 22)
        await dialog.press("escape")
        assert dialog.answers[1:] == [None]
