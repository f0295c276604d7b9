"""Nothing that a terminal obeys leaves through a painted line."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter
from textual.widgets import Input, Label, OptionList, Static

from assistants_tui.settings.paths import user_paths
from assistants_tui.tui.app import AssistantsApp
from assistants_tui.tui.messages.message_view import MessageItem, MessageView, Note
from assistants_tui.tui.text.safety import SafeFilter, clean
from support.bare_app import BareApp

HOSTILE = (
    "a\x1b]0;title\x07b\x1b[31mc\x9b2Jd\x00e\x7ff\u202eg\u2066h\u200fi\ufeffj\u2028k\ud800l\x85m\r\u061cn"
)
FORBIDDEN = {
    chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, 0x2028, 0x2029)
} | {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x2070), 0xFEFF, *range(0xD800, 0xE000))}
BLACK = Color.parse("black")


def painted(segments: Sequence[Segment]) -> str:
    return "".join(segment.text for segment in SafeFilter().apply(list(segments), BLACK))


@given(st.text(st.one_of(st.sampled_from(sorted(FORBIDDEN)), st.characters())))
def test_no_unsafe_character_passes(text: str) -> None:
    result = painted([Segment(text), Segment(text, Style(bold=True))])
    assert not set(result) & FORBIDDEN
    assert not set(clean(text)) & (FORBIDDEN - {"\t", "\n"})
    assert (
        "".join(char for char in text if char not in FORBIDDEN)
        == "".join(char for char in painted([Segment(text)]) if char != "\ufffd" or "\ufffd" in text)
        or "\ufffd" in text
    )


def test_the_layout_stays_when_characters_are_removed() -> None:
    assert cell_len(painted([Segment(HOSTILE)])) == cell_len(HOSTILE)


def test_emoji_and_scripts_keep_their_joiners() -> None:
    text = "👩\u200d👧 ☁\ufe0f क्\u200dष می\u200cخواهم"
    assert painted([Segment(text)]) == text == clean(text)


def test_replacements_are_visible() -> None:
    assert clean("\x1b[0m\x7f\x9b\u202e") == "␛[0m␡\ufffd\ufffd"


def test_hyperlinks_are_dropped_and_control_segments_kept() -> None:
    control = Segment("\x1b[2J", None, [(ControlType.CLEAR,)])
    link = Segment("x", Style(link="https://evil.example", bold=True))
    first, second = SafeFilter().apply([control, link], BLACK)
    assert first is control
    assert second.style is not None
    assert (second.style.link, second.style.bold) == (None, True)


def test_clean_lines_are_passed_on_as_they_are() -> None:
    segments = [Segment("plain 日本"), Segment("\u00e9", Style(color="red"))]
    assert SafeFilter().apply(segments, BLACK) is segments


class Hostile(BareApp[None]):
    def get_line_filters(self) -> list[LineFilter]:
        return [*super().get_line_filters(), SafeFilter()]

    def compose(self) -> ComposeResult:
        yield Static(Content(HOSTILE))
        yield Label(Content(HOSTILE))
        yield Input(value=HOSTILE)
        yield OptionList(Content(HOSTILE))
        yield MessageView()


@pytest.mark.parametrize("text", [HOSTILE, "[red]not markup[/red] [@click=app.quit]x[/]", "]]]["])
async def test_a_whole_screen_is_safe(text: str) -> None:
    app = Hostile()
    async with app.run_test(size=(80, 40)) as pilot:
        view = app.query_one(MessageView)
        body = f"{text}\n\n# {text}\n\n- {text}\n\n`{text}`\n\n```{text}\n{text}\n```\n\n|{text}|\n|-|\n|{text}|\n\n[{text}](https://x.y)"
        view.set_items([MessageItem("m", text, False, text, body, (Note("file", text, text),))], older=False)
        view.scroll_home()
        await pilot.pause()
        seen = ""
        for y in range(view.size.height):
            strip = view.render_line(y)
            assert strip.cell_length == view.size.width
            seen += painted(list(strip))
        assert not set(seen) & FORBIDDEN
        screen = "".join(
            segment.text
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if not segment.control
        )
        assert not set(screen) & FORBIDDEN
        if "markup" in text:
            assert "[red]not markup[/red]" in seen


def test_a_crash_shows_no_variables_and_nothing_that_a_terminal_obeys() -> None:
    app = AssistantsApp(user_paths())
    key = "sk-canary-0123"
    try:
        raise ValueError(HOSTILE + "[red]not markup[/red]")
    except ValueError:
        app._fatal_error()
    (printed,) = app._exit_renderables
    shown = "".join(segment.text for segment in app.console.render(printed))
    assert "ValueError" in shown and "[red]not markup[/red]" in shown
    assert key not in shown.replace('key = "sk-canary-0123"', "")
    assert not set(shown) & (FORBIDDEN - {"\n"})
