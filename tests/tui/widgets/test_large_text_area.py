"""Lines are wrapped while that costs little: a key in a long line wraps all of it again."""

from textual import events
from textual.app import App, ComposeResult

from assistants_tui.tui.widgets.large_text_area import (
    MAX_WRAPPED_LINE,
    MAX_WRAPPED_LINES,
    LargeTextArea,
)


class Form(App[None]):
    def compose(self) -> ComposeResult:
        yield LargeTextArea()


async def test_only_lines_that_are_short_enough_are_wrapped() -> None:
    app = Form()
    async with app.run_test(size=(80, 24)) as pilot:
        area = app.query_one(LargeTextArea)
        area.focus()
        wrapped = []
        for text in ("x" * MAX_WRAPPED_LINE, "\n" * (MAX_WRAPPED_LINES - 1)):
            for pasted in (text, f"x{text}\n", text):
                area.text = ""
                app.post_message(events.Paste(pasted))
                await pilot.pause()
                wrapped.append(area.soft_wrap)
                assert area.text == pasted
        assert wrapped == [True, False, True] * 2
        wrapped.clear()
        area.text = "x" * MAX_WRAPPED_LINE
        for key in ("left", "y", "backspace", "z", "ctrl+z"):
            await pilot.press(key)
            wrapped.append(area.soft_wrap)
        assert wrapped == [True, False, True, False, True]
    assert LargeTextArea("x" * (MAX_WRAPPED_LINE + 1)).soft_wrap is False
