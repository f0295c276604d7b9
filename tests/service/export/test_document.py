"""Exports of threads: what they hold, in which order, and that no text gets out of its place."""

import base64
import json
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.service.export.document import Document, entries, picture_type
from assistants_tui.service.export.html import render_html
from assistants_tui.service.export.json import render_json
from assistants_tui.service.export.markdown import render_markdown

PNG = b"\x89PNG\r\n\x1a\nrest"
HOSTILE = st.one_of(
    st.text(),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "</code></pre><img src=x onerror=alert(1)>",
            "[x](javascript:alert(1)) ![y](http://tracker.example/p.png) [z](https://ok.example)",
            "<http://[bad> <javascript:alert(1)> <https://fine.example>",
            "\x1b]0;title\x07 \u202e",
            "```\n~~~~\n````",
            '"><svg onload=alert(1)>',
            "[1]: javascript:alert(1)\n\n[1]",
            "[a](data:text/html;base64,PHNjcmlwdD4=)",
            "a\n# Heading\n* * *\n<!-- ",
        ]
    ),
)


def message(number: int, text: str, role: str = "user", run: str | None = None, **fields: Any) -> Any:
    return {
        "id": f"msg_{number}",
        "role": role,
        "created_at": number,
        "run_id": run,
        "assistant_id": "asst_1" if role == "assistant" else None,
        "content": [{"type": "text", "text": {"value": text, "annotations": []}}],
        **fields,
    }


def made(message_id: str) -> Any:
    return {"type": "message_creation", "step_details": {"message_creation": {"message_id": message_id}}}


def code(source: str, *outputs: Any) -> Any:
    call = {"type": "code_interpreter", "code_interpreter": {"input": source, "outputs": list(outputs)}}
    return {"type": "tool_calls", "step_details": {"tool_calls": [call]}}


def function(name: str, arguments: str, output: str | None = None) -> Any:
    call = {"type": "function", "function": {"name": name, "arguments": arguments, "output": output}}
    return {"type": "tool_calls", "step_details": {"tool_calls": [call]}}


def document(messages: Any, runs: Any = (), **fields: Any) -> Document:
    thread: Any = {"id": "thread_1"}
    given: dict[str, Any] = {"title": "Sums", "profile": "local", "exported_at": 1_700_000_000, **fields}
    return Document(thread=thread, messages=messages, runs=runs, assistants={"asst_1": "Math Tutor"}, **given)


@pytest.fixture
def whole() -> Document:
    cited = message(3, "See 【4:0†report.pdf】.", "assistant", "run_1")
    cited["content"][0]["text"]["annotations"] = [
        {
            "type": "file_citation",
            "text": "【4:0†report.pdf】",
            "start_index": 4,
            "end_index": 20,
            "file_citation": {"file_id": "file_1"},
        }
    ]
    shown = message(4, "Here.", "assistant", "run_1", status="incomplete", incomplete_details={"reason": "x"})
    shown["content"].append({"type": "image_file", "image_file": {"file_id": "file_2"}})
    asked = message(1, "Add *them*.", attachments=[{"file_id": "file_3", "tools": []}])
    run: Any = {"id": "run_1", "status": "completed", "created_at": 2}
    failed: Any = {
        "id": "run_2",
        "status": "failed",
        "created_at": 5,
        "last_error": {"message": "No <luck>."},
    }
    log = {"type": "logs", "logs": "5\n"}
    image = {"type": "image", "image": {"file_id": "file_2"}}
    steps = [code("print(2 + 3)", log, image), made("msg_3"), function("f", "{}", "done"), made("msg_4")]
    return document(
        [asked, cited, shown],
        [(run, steps), (failed, [])],
        files={"file_1": "report.pdf", "file_2": "plot.png", "file_3": "a_b.csv"},
        images={"file_2": PNG},
    )


def test_steps_stand_between_the_messages_where_they_happened(whole: Document) -> None:
    order = [
        entry.message["id"]
        if entry.message is not None
        else entry.ended["id"]
        if entry.ended is not None
        else entry.step and entry.step["step_details"]["tool_calls"][0]["type"]
        for entry in entries(whole)
    ]
    assert order == ["msg_1", "code_interpreter", "msg_3", "function", "msg_4", "run_2"]


def test_a_run_that_wrote_nothing_stands_at_its_time() -> None:
    failed: Any = {"id": "run_1", "status": "failed", "created_at": 2}
    between = document([message(1, "a"), message(3, "b")], [(failed, [function("f", "{}")])])
    happened = list(entries(between))
    assert [entry.message is not None for entry in happened] == [True, False, False, True]
    assert happened[1].step is not None
    assert happened[2].ended is failed


def test_markdown_has_everything(whole: Document) -> None:
    text = render_markdown(whole)
    assert text.startswith(
        "# Sums\n\nThread `thread_1` of the profile local, exported 2023-11-14 22:13 UTC\n"
    )
    for part in (
        "## You\n\n*1970-01-01 00:00 UTC*\n\nAdd *them*.\n\n- Attached: a\\_b.csv (`file_3`)",
        "## Math Tutor",
        "See [1].\n\n- \\[1\\] report.pdf (`file_1`)",
        "```python\nprint(2 + 3)\n```\n\n```\n5\n```\n\n![plot.png][picture-1]",
        "*Function f*\n\n```json\n{}\n```\n\n```\ndone\n```",
        "- Incomplete: x",
        "> The run is failed. No \\<luck\\>.",
        f"[picture-1]: data:image/png;base64,{base64.b64encode(PNG).decode()}",
    ):
        assert part in text


def test_html_has_everything(whole: Document) -> None:
    text = render_html(whole)
    for part in (
        "<title>Sums</title>",
        "<p>Add <em>them</em>.</p>",
        "<li>Attached: a_b.csv</li>",
        "<li>[1] report.pdf</li>",
        "<pre><code>print(2 + 3)</code></pre>",
        f'<img alt="plot.png" src="data:image/png;base64,{base64.b64encode(PNG).decode()}">',
        "<summary>Function f</summary>",
        '<p class="error">The run is failed. No &lt;luck&gt;.</p>',
    ):
        assert part in text


def test_json_has_the_objects_as_they_are(whole: Document) -> None:
    kept = json.loads(render_json(whole))
    assert kept["messages"] == list(whole.messages)
    assert [run["id"] for run in kept["runs"]] == ["run_1", "run_2"]
    assert kept["runs"][0]["steps"] == whole.runs[0][1]
    assert base64.b64decode(kept["files"]["file_2"]["base64"]) == PNG
    assert kept["files"]["file_3"] == {"filename": "a_b.csv"}


def test_only_pictures_are_pictures() -> None:
    assert picture_type(PNG) == "image/png"
    assert picture_type(b"RIFF....WEBP") == "image/webp"
    for data in (b"", b"<svg onload=alert(1)>", b"%PDF-", b"RIFF....WAVE"):
        assert picture_type(data) is None


class Page(HTMLParser):
    """Collects what a browser would act on, and the visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


# fmt: off
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "article", "h1", "h2", "h3", "h4",
    "h5", "h6", "p", "time", "ul", "ol", "li", "a", "img", "em", "strong", "s", "code", "pre", "blockquote",
    "hr", "br", "table", "thead", "tbody", "tr", "th", "td", "details", "summary",
}
# fmt: on


def hostile_document(texts: list[str]) -> Document:
    name, said, source, output, argument = texts
    messages = [
        message(1, said, attachments=[{"file_id": name, "tools": []}]),
        message(2, output, "assistant", "run_1", status="incomplete", incomplete_details={"reason": name}),
    ]
    messages[1]["content"].append({"type": "image_file", "image_file": {"file_id": name}})
    messages[1]["content"].append({"type": "image_url", "image_url": {"url": said}})
    run: Any = {"id": "run_1", "status": "failed", "created_at": 1, "last_error": {"message": argument}}
    steps = [code(source, {"type": "logs", "logs": output}), function(name, argument, said), made("msg_2")]
    return document(
        messages, [(run, steps)], title=name, files={name: argument}, images={said: b"<svg onload=alert(1)>"}
    )


@given(st.lists(HOSTILE, min_size=5, max_size=5))
def test_no_text_gets_out_of_the_html(texts: list[str]) -> None:
    page = Page(render_html(hostile_document(texts)))
    for tag, attributes in page.tags:
        assert tag in ALLOWED
        assert not any(name.startswith("on") for name in attributes)
        if tag == "img":
            assert (attributes["src"] or "").startswith("data:image/")
        if "href" in attributes:
            assert (attributes["href"] or "").lower().startswith(("http:", "https:", "mailto:"))
        assert "style" not in attributes or attributes["style"] in {
            "text-align:left",
            "text-align:right",
            "text-align:center",
        }
    assert [tag for tag, _ in page.tags].count("article") == 2


@given(st.lists(HOSTILE, min_size=5, max_size=5))
def test_no_control_character_gets_into_an_export(texts: list[str]) -> None:
    thread = hostile_document(texts)
    for text in (render_html(thread), render_markdown(thread), render_json(thread)):
        assert not any(ord(char) < 32 and char not in "\n\t" for char in text)
        assert "\u202e" not in text
        text.encode()


@given(HOSTILE)
def test_code_stays_in_its_block_and_names_on_their_line(text: str) -> None:
    from markdown_it import MarkdownIt

    failed: Any = {"id": "run_1", "status": "completed", "created_at": 1}
    steps = [code(text, {"type": "logs", "logs": "END OF LOGS"})]
    rendered = render_markdown(document([message(1, "Hello")], [(failed, steps)], title=text))
    tokens = MarkdownIt("commonmark").parse(rendered)
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h1", "h2"]
    assert [token.content for token in tokens if token.type == "fence"][1:] == ["END OF LOGS\n"]
