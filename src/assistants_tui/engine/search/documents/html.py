"""HTML pages. What a browser would show, without its looks.

Python's own parser: it goes through the page once, whatever the nesting, which tree builders do not.
"""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

from assistants_tui.engine.search.documents.document import Document, TextBuilder
from assistants_tui.engine.search.documents.encodings import decode
from assistants_tui.engine.search.documents.links import Links

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BULLET = "- "
_HIDDEN = {"script", "style", "template", "svg", "iframe", "object", "noscript", "canvas", "datalist"}
_BOXES = {"img", "button", "select", "textarea"}  # they stand in a line, apart from the words beside them
_LINES = {"li", "dt", "dd", "tr", "br", "option", "caption", "legend"}
_CONTAINERS = (
    "address article aside blockquote body details dialog div dl fieldset figcaption figure footer form head "
    "header hr html main nav ol p pre section summary table tbody td tfoot th thead title ul"
)
_WITH_ATTRIBUTES = {"a", "area", "base", "meta", *_BOXES}
_PROPERTIES = {"author": "Author", "description": "Description", "keywords": "Keywords"}
_BLOCKS = {
    *_CONTAINERS.split(),
    *_HEADINGS,
    *_LINES,
}


def read_html(data: bytes) -> Document:
    declared = _CHARSET.search(data[:4096])
    text, note = decode(data, declared[1].decode("ascii", "replace") if declared else None)
    page = _Page()
    page.feed(text)
    page.close()
    return page.builder.build(note)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = TextBuilder()
        self._inline: list[str] = []
        self._hidden: str | None = None
        self._depth = 0  # of elements with the hidden one's name inside it
        self._heading: int | None = None
        self._in_title = False
        self._preformatted = False
        self._in_row = False
        self._links = Links()
        self._base = ""
        self._link = ""
        self._linked: list[str] = []  # the words of the open link
        self._below_heading: list[str] = []  # addresses of the links in it

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if self._hidden is not None:
            self._depth += tag == self._hidden
            return
        if tag in _HIDDEN:
            self._hidden, self._depth = tag, 1
            return
        if tag == "br" and (self._preformatted or self._heading is not None):
            self._inline.append("\n")
            return
        if tag in _WITH_ATTRIBUTES:
            self._read_attributes(tag, {name: value or "" for name, value in attributes})
        if tag in {"td", "th"} and self._in_row:
            if "".join(self._inline).strip():
                self._inline.append(" | ")
            return
        goes_on = (self._in_row and tag in {"p", "div", "br"}) or self._inline == [_BULLET]
        if tag in _BLOCKS and not goes_on:
            self._flush(as_line=tag in _LINES)
        if tag in _HEADINGS:
            self._heading = _HEADINGS[tag]
        elif tag == "title":
            self._in_title = True
        elif tag == "pre":
            self._preformatted = True
        elif tag == "tr":
            self._in_row = True
        elif tag == "li":
            self._inline.append(_BULLET)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in _HIDDEN:  # `<svg/>` has no end that would show the rest again
            self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden is not None:
            self._depth -= tag == self._hidden
            if self._depth <= 0:
                self._hidden = None
        elif tag == "a":
            self._end_link()
        elif tag in _BOXES:
            self._inline.append(" ")
        elif tag in _BLOCKS and not (self._in_row and tag in {"td", "th", "p", "div"}):
            self._flush(as_line=tag in _LINES)

    def handle_data(self, data: str) -> None:
        if self._hidden is None:
            self._say(data)

    def _read_attributes(self, tag: str, attributes: dict[str, str]) -> None:
        """What an element says in its attributes rather than between its tags."""
        if tag in {"a", "area"}:
            self._begin_link(attributes.get("href", ""))
        elif tag == "base":
            self._base = self._base or attributes.get("href", "")
        elif tag == "meta" and (name := _PROPERTIES.get(attributes.get("name", "").lower())):
            self._flush(as_line=False)
            self.builder.properties([(name, attributes.get("content", ""))])
        if tag in {"area", *_BOXES}:
            self._say(f" {attributes.get('alt', '')} ")
        if tag == "area":
            self._end_link()

    def _say(self, words: str) -> None:
        self._inline.append(words)
        if self._link:
            self._linked.append(words)

    def _begin_link(self, href: str) -> None:
        self._end_link()  # one inside another is none to browsers
        href = href.strip()
        try:
            self._link = "" if href.startswith("#") else urljoin(self._base, href)
        except ValueError:  # no address at all, such as http://[
            self._link = ""

    def _end_link(self) -> None:
        if self._link:
            words = "".join(self._linked)
            if self._heading is not None:  # the sections of a document are named by words alone
                self._below_heading.append(self._links.address(self._link, words))
            else:
                self._inline.append(self._links.after(words, self._link))
        self._link = ""
        self._linked.clear()

    def close(self) -> None:
        super().close()
        self._end_link()
        self._flush(as_line=False)

    def _flush(self, *, as_line: bool) -> None:
        """Write what has gathered since the last block began or ended."""
        if "".join(self._linked).strip():
            self._end_link()
        text = "" if self._inline == [_BULLET] else "".join(self._inline)
        self._inline.clear()
        heading, title, preformatted = self._heading, self._in_title, self._preformatted
        self._heading, self._in_title, self._preformatted, self._in_row = None, False, False, False
        if heading is not None or title:
            self.builder.heading(heading or 1, text)
            for address in self._below_heading:
                self.builder.paragraph(address)
            self._below_heading.clear()
        elif preformatted and text.strip():
            self.builder.add(text.strip("\n") + "\n\n")
        elif as_line:
            self.builder.line(text)
        else:
            self.builder.paragraph(text)
