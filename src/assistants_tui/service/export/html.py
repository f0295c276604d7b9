"""A thread as one HTML file that needs nothing else: no script, no style sheet, no picture from elsewhere.

Everything from outside is escaped, and raw HTML in messages is shown as text. Links lead to http, https and
mailto only; pictures are embedded, and such as live elsewhere are links. A content security policy says the
same to the browser.
"""

import base64
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistants_tui.protocol.objects import Message, RunStep
from assistants_tui.service import message_text
from assistants_tui.service.export.document import (
    Document,
    calls,
    entries,
    line,
    picture_type,
    run_error,
    when,
)
from assistants_tui.service.safe_text import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
header, footer, .notes, time { color: GrayText; font-size: .875rem; }
article { border-left: 3px solid transparent; padding-left: 1rem; margin: 1.75rem 0; }
article, pre { overflow-wrap: anywhere; }
article.user { border-color: SlateBlue; }
h1 { font-size: 1.5rem; } article h2 { font-size: 1rem; margin: 0; } h2 time { font-weight: normal; }
pre { padding: .75rem; overflow-x: auto; background: color-mix(in srgb, CanvasText 7%, Canvas); }
code { font: .875em/1.5 ui-monospace, monospace; }
table { border-collapse: collapse; } td, th { border: 1px solid GrayText; padding: .2rem .6rem; }
img { max-width: 100%; } details { margin: 1rem 0 1rem 1rem; } summary { cursor: pointer; color: GrayText; }
.error { color: FireBrick; }
""".strip()
_SCHEMES = {"http", "https", "mailto"}


def render_html(document: Document) -> str:
    """The whole document."""
    writer = _Writer(document)
    title = escape(line(document.title))
    about = f"Thread {document.thread['id']} of the profile {document.profile}"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{title}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            f"<header><h1>{title}</h1>",
            f"<p>{escape(line(about))}, exported {when(document.exported_at)}</p></header>",
            "<main>",
            *writer.parts(),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


class _Writer:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._markdown = _markdown()

    def parts(self) -> Iterator[str]:
        for entry in entries(self._document):
            if entry.message is not None:
                yield self._message(entry.message)
            elif entry.step is not None:
                yield from self._step(entry.step)
            elif entry.ended is not None:
                yield f'<p class="error">{_text(run_error(entry.ended))}</p>'

    def _message(self, message: Message) -> str:
        document, shown = self._document, message_text.render_text(message)
        role = "user" if message["role"] == "user" else "assistant"
        time = f"<time>{when(message.get('created_at'))}</time>"
        notes = [f"[{note.number}] {_text(document.note_name(note))}" for note in shown.footnotes]
        attached = (document.file_name(one["file_id"]) for one in message.get("attachments") or ())
        notes += [f"Attached: {_text(name)}" for name in attached]
        if message.get("status") == "incomplete":
            reason = (message.get("incomplete_details") or {}).get("reason")
            notes.append(f"Incomplete: {_text(str(reason))}")
        return "\n".join(
            [
                f'<article class="{role}"><h2>{_text(document.author(message))} {time}</h2>',
                self._markdown.render(clean(shown.text)),
                *(self._picture(image) for image in shown.images),
                f'<ul class="notes">{"".join(f"<li>{note}</li>" for note in notes)}</ul>' if notes else "",
                "</article>",
            ]
        )

    def _picture(self, image: str) -> str:
        data = self._document.images.get(image, b"")
        name = _text(self._document.file_name(image))
        kind = picture_type(data)
        if kind is not None:
            return f'<p><img alt="{name}" src="data:{kind};base64,{base64.b64encode(data).decode()}"></p>'
        if _is_link(image):
            return f'<p><a rel="noreferrer" href="{escape(clean(image))}">{name}</a></p>'
        return f"<p>Picture: {name}</p>"

    def _step(self, step: RunStep) -> Iterator[str]:
        for kind, call in calls(step):
            match kind:
                case "code_interpreter":
                    outputs = [
                        _pre(str(output.get("logs") or ""))
                        if output.get("type") == "logs"
                        else self._picture(str((output.get("image") or {}).get("file_id") or ""))
                        for output in call.get("outputs") or ()
                    ]
                    yield _details("Code interpreter", _pre(str(call.get("input") or "")), *outputs)
                case "file_search":
                    found = [
                        f"<li>{_text(str(result.get('file_name') or result.get('file_id')))} "
                        f"({result.get('score', 0):.2f})</li>"
                        for result in call.get("results") or ()
                    ]
                    yield _details("File search", f"<ul>{''.join(found)}</ul>" if found else "")
                case "function":
                    output = [] if call.get("output") is None else [_pre(str(call["output"]))]
                    name = str(call.get("name") or "")
                    yield _details(f"Function {name}", _pre(str(call.get("arguments") or "")), *output)
                case _:
                    yield _details(kind)


def _text(text: str) -> str:
    return escape(line(text))


def _pre(text: str) -> str:
    return f"<pre><code>{escape(clean(text))}</code></pre>"


def _details(summary: str, *parts: str) -> str:
    return f"<details><summary>{_text(summary)}</summary>{''.join(parts)}</details>"


def _is_link(address: str) -> bool:
    try:
        return urlsplit(address.strip()).scheme.lower() in _SCHEMES
    except ValueError:
        return False


def _markdown() -> "MarkdownIt":
    """CommonMark with tables, where HTML is text, and pictures are not loaded from elsewhere."""
    from markdown_it import MarkdownIt

    class Parser(MarkdownIt):
        def validateLink(self, url: str) -> bool:
            return _is_link(url)

    parser = Parser("commonmark", {"html": False, "breaks": True})
    return parser.enable(["table", "strikethrough"]).disable("image")
