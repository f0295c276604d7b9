"""Documents for tests, written byte by byte, so that each of them is known and some of them are wrong."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence

FONTS = ("Helvetica", "Times-Roman", "Courier", "Helvetica-BoldOblique")

_PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


def pdf(
    pages: Sequence[Sequence[str]],
    *,
    outline: Mapping[str, int] | None = None,
    attachments: Mapping[str, bytes] | None = None,
    properties: Mapping[str, str] | None = None,
    user_password: str | None = None,
    owner_password: str = "owner",
) -> bytes:
    """A PDF (ISO 32000-1) whose pages have these lines, each in the next of four fonts.

    `outline` are bookmarks: title and page, from 0; `attachments` are files by their names. With a user
    password the document cannot be opened without it; an empty one leaves it open to read, and protected
    only against changes.
    """
    objects: dict[int, bytes] = {}
    fonts = " ".join(f"/F{index} {3 + index} 0 R" for index in range(len(FONTS)))
    for index, name in enumerate(FONTS):
        font = f"<</Type/Font/Subtype/Type1/BaseFont/{name}/Encoding/WinAnsiEncoding>>"
        objects[3 + index] = font.encode()
    number = 3 + len(FONTS)
    kids = []
    streams = []
    for lines in pages:
        content = ["BT 14 TL 72 760 Td"]
        for index, line in enumerate(lines):
            escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            content.append(f"/F{index % len(FONTS)} 11 Tf ({escaped}) Tj T*")
        content.append("ET")
        streams.append((number + 1, "\n".join(content).encode("cp1252")))
        objects[number] = (
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {number + 1} 0 R"
            f"/Resources<</Font<<{fonts}>>>>>>"
        ).encode()
        kids.append(number)
        number += 2
    catalog = "<</Type/Catalog/Pages 2 0 R"
    if outline:
        items = list(range(number + 1, number + 1 + len(outline)))
        objects[number] = (
            f"<</Type/Outlines/First {items[0]} 0 R/Last {items[-1]} 0 R/Count {len(items)}>>".encode()
        )
        for item, (title, page) in zip(items, outline.items(), strict=True):
            following = f"/Next {item + 1} 0 R" if item != items[-1] else ""
            objects[item] = (
                f"<</Title({title})/Parent {number} 0 R{following}/Dest[{kids[page]} 0 R/Fit]>>".encode()
            )
        catalog += f"/Outlines {number} 0 R"
        number = items[-1] + 1
    if attachments:
        names = " ".join(f"({name}){number + 2 * index} 0 R" for index, name in enumerate(attachments))
        catalog += f"/Names<</EmbeddedFiles<</Names[{names}]>>>>"
        for name, attached in attachments.items():
            objects[number] = f"<</Type/Filespec/F({name})/UF({name})/EF<</F {number + 1} 0 R>>>>".encode()
            streams.append((number + 1, attached))
            number += 2
    objects[1] = f"{catalog}>>".encode()
    listed = " ".join(f"{kid} 0 R" for kid in kids)
    objects[2] = f"<</Type/Pages/Kids[{listed}]/Count {len(kids)}>>".encode()
    trailer = ""
    if properties:
        objects[number] = "".join(
            ["<<", *(f"/{name}({text})" for name, text in properties.items()), ">>"]
        ).encode()
        trailer = f"/Info {number} 0 R"
        number += 1
    key = b""
    if user_password is not None:
        key, encryption = _encryption(user_password, owner_password)
        objects[number] = encryption
        trailer += f"/Encrypt {number} 0 R/ID[<{'00' * 16}><{'00' * 16}>]"
        number += 1
    for stream, data in streams:
        body = _rc4(_object_key(key, stream), data) if key else data
        objects[stream] = b"<</Length %d>>stream\n%s\nendstream" % (len(body), body)
    return _assemble(objects, trailer)


def pdf_objects(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1, the first of which is its catalogue."""
    return _assemble(dict(enumerate(objects, 1)), "")


def _assemble(objects: dict[int, bytes], trailer: str) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    offsets = {}
    for number in sorted(objects):
        offsets[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, objects[number]))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for number in sorted(objects):
        out.write(b"%010d 00000 n \n" % offsets[number])
    out.write(f"trailer<</Size {len(objects) + 1}/Root 1 0 R{trailer}>>\nstartxref\n{start}\n%%EOF".encode())
    return out.getvalue()


def _encryption(user: str, owner: str) -> tuple[bytes, bytes]:
    """The file key and the dictionary of the standard security handler, revision 2: 40 bits of RC4."""

    def padded(password: str) -> bytes:
        return (password.encode() + _PADDING)[:32]

    owner_entry = _rc4(hashlib.md5(padded(owner)).digest()[:5], padded(user))
    permissions = (-44).to_bytes(4, "little", signed=True)
    key = hashlib.md5(padded(user) + owner_entry + permissions + bytes(16)).digest()[:5]
    user_entry = _rc4(key, _PADDING)
    text = f"<</Filter/Standard/V 1/R 2/O<{owner_entry.hex()}>/U<{user_entry.hex()}>/P -44>>"
    return key, text.encode()


def _object_key(key: bytes, number: int) -> bytes:
    return hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[: len(key) + 5]


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return out.getvalue()


_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def paragraph(text: str, style: str = "", extra: str = "") -> str:
    """A paragraph of a Word document; its runs are split in the middle of the text, as Word likes to do."""
    half = len(text) // 2
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    runs = "".join(
        f'<w:r><w:t xml:space="preserve">{part}</w:t></w:r>' for part in (text[:half], text[half:])
    )
    return f"<w:p>{properties}{runs}{extra}</w:p>"


def table(rows: Iterable[Iterable[str]]) -> str:
    """A table of a Word document."""
    lines = "".join(
        "<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>" for row in rows
    )
    return f"<w:tbl>{lines}</w:tbl>"


def docx(
    body: str,
    *,
    footnotes: str = "",
    styles: Mapping[str, str] | None = None,
    beside: Mapping[str, str] | None = None,
) -> bytes:
    """A Word document. `styles`: names by the IDs that paragraphs use; `beside`: other parts, by name."""
    parts = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": f"<w:document {_WORD}><w:body>{body}</w:body></w:document>",
    }
    if footnotes:
        parts["word/footnotes.xml"] = (
            f"<w:footnotes {_WORD}><w:footnote>{footnotes}</w:footnote></w:footnotes>"
        )
    if styles:
        named = "".join(
            f'<w:style w:styleId="{key}"><w:name w:val="{name}"/></w:style>' for key, name in styles.items()
        )
        parts["word/styles.xml"] = f"<w:styles {_WORD}>{named}</w:styles>"
    return archive({**parts, **(beside or {})})


_SLIDE = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def shape(placeholder: str, *lines: str) -> str:
    """A shape of a slide with text in it."""
    text = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines)
    kind = f'<p:nvSpPr><p:nvPr><p:ph type="{placeholder}"/></p:nvPr></p:nvSpPr>'
    return f"<p:sp>{kind}<p:txBody>{text}</p:txBody></p:sp>"


def pptx(slides: Sequence[tuple[str, str]]) -> bytes:
    """A presentation of slides, each its shapes and the text of its notes.

    The parts are numbered backwards: the order of slides is in the presentation, not in the file names.
    """
    parts = {"[Content_Types].xml": "<Types/>"}
    relations, listed = "", ""
    for index, (shapes, notes) in enumerate(slides):
        name = f"slide{len(slides) - index}"
        relations += f'<Relationship Id="rId{index}" Type="{_RELATION}/slide" Target="slides/{name}.xml"/>'
        listed += f'<p:sldId id="{256 + index}" r:id="rId{index}"/>'
        parts[f"ppt/slides/{name}.xml"] = f"<p:sld {_SLIDE}>{shapes}</p:sld>"
        if notes:
            body = shape("sldNum", str(index + 1)) + shape("body", notes)
            parts[f"ppt/notesSlides/for-{name}.xml"] = f"<p:notes {_SLIDE}>{body}</p:notes>"
            parts[f"ppt/slides/_rels/{name}.xml.rels"] = (
                f'<Relationships><Relationship Id="n" Type="{_RELATION}/notesSlide" '
                f'Target="../notesSlides/for-{name}.xml"/></Relationships>'
            )
    parts["ppt/presentation.xml"] = (
        f"<p:presentation {_SLIDE}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>"
    )
    parts["ppt/_rels/presentation.xml.rels"] = f"<Relationships>{relations}</Relationships>"
    return archive(parts)
