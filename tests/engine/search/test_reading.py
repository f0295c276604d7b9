"""What the readers find in real documents, and how they refuse those that have nothing to find."""

import io
import json
import random
import zipfile

import pytest
from matplotlib import pyplot
from matplotlib.backends.backend_pdf import PdfPages

from assistants_tui.engine.search.chunking import Chunking, chunks
from assistants_tui.engine.search.documents import attachments
from assistants_tui.engine.search.documents.document import Document
from assistants_tui.engine.search.documents.reading import read
from assistants_tui.engine.search.errors import IngestError
from support import documents


def refusal(data: bytes, filename: str) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read(data, filename)
    return caught.value


def page_of(document: Document, phrase: str) -> int:
    position = document.text.index(phrase)
    page = sum(page <= position for page in document.pages)
    assert document.text.count("\f", 0, position) == page - 1, "form feeds divide pages"
    return page


class TestPdf:
    def test_pages_in_several_fonts(self) -> None:
        found = read(
            documents.pdf(
                [
                    ["The lighthouse at Oulu", "was built in 1877 (by hand)."],
                    ["Its keeper", "wrote letters", "about naïve gulls – daily."],
                    [],
                    ["The end"],
                ]
            ),
            "tower.PDF",
        )
        assert len(found.pages) == 4
        assert page_of(found, "was built in 1877 (by hand).") == 1
        assert page_of(found, "about naïve gulls – daily.") == 2
        assert page_of(found, "The end") == 4
        assert not found.lined

    def test_embedded_fonts(self) -> None:
        out = io.BytesIO()
        # as TrueType: older versions draw letters outside of Latin-1 as pictures otherwise
        with pyplot.rc_context({"pdf.fonttype": 42}), PdfPages(out) as pages:
            for number, family in enumerate(("serif", "sans-serif", "monospace"), start=1):
                figure = pyplot.figure()
                figure.text(0.1, 0.5, f"Páge {number} of the αλφα report", family=family)
                pages.savefig(figure)
                pyplot.close(figure)
        found = read(out.getvalue(), "report.pdf")
        assert [page_of(found, f"Páge {number} of the αλφα report") for number in (1, 2, 3)] == [1, 2, 3]

    def test_bookmarks_are_headings(self) -> None:
        data = documents.pdf([["one"], ["two"], ["three"]], outline={"Basics": 0, "Tides": 2})
        found = read(data, "manual.pdf")
        assert [(heading.title, heading.offset) for heading in found.headings] == [
            ("Basics", found.pages[0]),
            ("Tides", found.pages[2]),
        ]

    def test_password(self) -> None:
        error = refusal(documents.pdf([["secret"]], user_password="open sesame"), "locked.pdf")
        assert error.code == "invalid_file"
        assert "password" in error.sentence

    def test_password_against_changes_only(self) -> None:
        found = read(documents.pdf([["free to read"]], user_password=""), "protected.pdf")
        assert "free to read" in found.text

    def test_scan_without_text(self) -> None:
        error = refusal(documents.pdf([[], []]), "scan.pdf")
        assert error.code == "invalid_file"
        assert "scan" in error.sentence

    @pytest.mark.parametrize(
        "data", [b"%PDF-1.7\n" + bytes(range(256)) * 8, b"Hello, I am text.", documents.pdf([["x"]])[:200]]
    )
    def test_damaged(self, data: bytes) -> None:
        assert refusal(data, "broken.pdf").code == "invalid_file"

    def test_flipped_bytes_are_read_or_refused(self) -> None:
        original = documents.pdf([["some words on a page"]] * 3)
        dice = random.Random(7)
        for _ in range(200):
            data = bytearray(original)
            for _ in range(8):
                data[dice.randrange(len(data))] = dice.randrange(256)
            try:
                assert read(bytes(data), "flipped.pdf").text
            except IngestError as error:
                assert error.code == "invalid_file"


class TestWord:
    def test_headings_tables_lists_and_notes(self) -> None:
        body = (
            documents.paragraph("Tide tables", "Title")
            + documents.paragraph("Preface to the tides", "berschrift1")
            + documents.paragraph("The moon pulls the sea.")
            + documents.paragraph("Harbours", "Heading2")
            + documents.table([["Port", "Height"], ["Oulu", "0.4 m"], ["Brest", "6 m"]])
            + "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>first point</w:t><w:tab/><w:t>here</w:t></w:r></w:p>"
            + documents.paragraph("After the table.")
        )
        found = read(
            documents.docx(
                body,
                footnotes=documents.paragraph("A footnote on neap tides."),
                styles={"berschrift1": "heading 1"},
            ),
            "tides.docx",
        )
        headings = [(1, "Tide tables"), (1, "Preface to the tides"), (2, "Harbours")]
        assert [(heading.level, heading.title) for heading in found.headings] == [*headings, (1, "Notes")]
        for heading in found.headings[:-1]:
            written = f"{'#' * heading.level} {heading.title}"
            assert found.text[heading.offset :].startswith(written)
        for line in ("Port | Height", "Oulu | 0.4 m", "- first point here", "A footnote on neap tides."):
            assert line in found.text.split("\n")

    def test_what_word_keeps_twice_is_read_once(self) -> None:
        both = (
            '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
            f"<mc:Choice><w:txbxContent>{documents.paragraph('boxed words')}</w:txbxContent></mc:Choice>"
            f"<mc:Fallback><w:txbxContent>{documents.paragraph('boxed words')}</w:txbxContent></mc:Fallback>"
            "</mc:AlternateContent>"
        )
        found = read(documents.docx(f"<w:p><w:r>{both}</w:r></w:p>"), "box.docx")
        assert found.text.count("boxed words") == 1

    def test_deleted_words_and_field_codes_stay_out(self) -> None:
        extra = (
            "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:instrText>PAGE</w:instrText></w:r>"
        )
        assert read(documents.docx(documents.paragraph("kept", extra=extra)), "a.docx").text.strip() == "kept"

    @pytest.mark.parametrize(
        ("kind", "name", "content"),
        [
            ("header", "header1.xml", "<w:hdr"),
            ("comments", "comments.xml", "<!DOCTYPE a><a/>"),
            ("footnotes", "footnotes.xml", "not XML"),
            ("aFChunk", "chunk.txt", "\x01\x02\x03" * 50),
        ],
    )
    def test_a_damaged_part_beside_the_text_costs_that_part(self, kind: str, name: str, content: str) -> None:
        relation = f'<Relationship Id="r1" Type="http://example.org/{kind}" Target="{name}"/>'
        relations = {"word/_rels/document.xml.rels": f"<Relationships>{relation}</Relationships>"}
        beside = {**relations, f"word/{name}": content}
        found = read(documents.docx(documents.paragraph("kept"), beside=beside), "a.docx")
        assert found.text.split()[0] == "kept"
        assert found.note is not None and "damaged" in found.note

    def test_zip_bomb(self) -> None:
        bomb = documents.archive({"word/document.xml": bytes(300 << 20)})
        error = refusal(bomb, "bomb.docx")
        assert error.code == "invalid_file"
        assert "unpacks" in error.sentence

    def test_zip_bomb_that_lies_about_its_size(self) -> None:
        data = bytearray(documents.archive({"word/document.xml": b"<a>" + b" " * (40 << 20)}))
        place = data.rindex(b"PK\x01\x02")
        data[place + 24 : place + 28] = (1000).to_bytes(4, "little")  # the directory's uncompressed size
        assert refusal(bytes(data), "liar.docx").code == "invalid_file"

    def test_deep_nesting(self) -> None:
        deep = documents.archive({"word/document.xml": "<w>" * 200_000})
        error = refusal(deep, "deep.docx")
        assert error.code == "invalid_file"
        assert "deep" in error.sentence

    def test_entities(self) -> None:
        laughs = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><a>&c;</a>'
        assert refusal(documents.archive({"word/document.xml": laughs}), "laugh.docx").code == "invalid_file"

    def test_password(self) -> None:
        error = refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "locked.docx")
        assert error.code == "invalid_file"
        assert "password" in error.sentence

    def test_encrypted_archive(self) -> None:
        data = bytearray(documents.docx(documents.paragraph("x")))
        place = data.index(b"PK\x01\x02")
        while place != -1:
            data[place + 8] |= 1
            place = data.find(b"PK\x01\x02", place + 4)
        assert "password" in refusal(bytes(data), "locked.docx").sentence

    @pytest.mark.parametrize(
        "data",
        [
            b"not a zip",
            documents.archive({"other.xml": "<a/>"}),
            documents.archive({"word/document.xml": "<a><b></a>"}),
            documents.docx(documents.paragraph("cut off"))[:-30],
            documents.docx(""),
        ],
        ids=["not a zip", "another archive", "broken XML", "cut off", "no text"],
    )
    def test_damaged_or_empty(self, data: bytes) -> None:
        assert refusal(data, "broken.docx").code == "invalid_file"

    def test_damaged_data_inside(self) -> None:
        data = bytearray(documents.docx(documents.paragraph("some words " * 50)))
        with zipfile.ZipFile(io.BytesIO(bytes(data))) as file:
            offset = file.getinfo("word/document.xml").header_offset
        data[offset + 60 : offset + 90] = bytes(30)
        assert refusal(bytes(data), "damaged.docx").code == "invalid_file"

    def test_old_format(self) -> None:
        error = refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "letter.doc")
        assert error.code == "unsupported_file"
        assert ".docx" in error.sentence


class TestPowerPoint:
    def test_slides_in_order_with_tables_and_notes(self) -> None:
        grid = (
            "<p:graphicFrame><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Port</a:t></a:r></a:p></a:txBody></a:tc>"
            "<a:tc><a:txBody><a:p><a:r><a:t>Height</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl>"
            "</p:graphicFrame>"
        )
        found = read(
            documents.pptx(
                [
                    (documents.shape("title", "Harbours") + documents.shape("body", "Oulu", "Brest"), ""),
                    (documents.shape("ctrTitle", "Heights") + grid, "Mention the storm surge."),
                ]
            ),
            "talk.pptx",
        )
        assert [heading.title for heading in found.headings] == ["Harbours", "Heights"]
        assert page_of(found, "Brest") == 1
        assert page_of(found, "Port | Height") == 2
        assert page_of(found, "Notes: Mention the storm surge.") == 2
        assert found.text.count("2") == 0  # the number of the slide

    def test_not_a_presentation(self) -> None:
        assert refusal(documents.docx(documents.paragraph("x")), "talk.pptx").code == "invalid_file"


class TestHtml:
    def test_what_a_browser_shows(self) -> None:
        page = """<!doctype html><html><head><title>Tide &amp; time</title>
        <style>p {color: red}</style></head>
        <body><nav>Menu</nav><h1>Harbours<br>of the <em>north</em></h1><p>One   para<b>graph</b>
        here.<p>Another<script>if (a < b) alert("hidden")</script> one.
        <ul><li>first<li><p>second</p></ul>
        <table><tr><th>Port<th>Height</tr><tr><td>Oulu</td><td><p>0.4 m</p></td></tr></table>
        <pre>def tide():
    return "high"</pre><svg><text>drawn</text></svg><img src="x" alt="a lighthouse"></body>"""
        found = read(page.encode(), "page.html")
        lines = found.text.split("\n")
        assert [heading.title for heading in found.headings] == ["Tide & time", "Harbours of the north"]
        for line in (
            *("One paragraph here.", "Another one.", "- first", "- second"),
            *("Port | Height", "Oulu | 0.4 m", '    return "high"', "a lighthouse"),
        ):
            assert line in lines
        for hidden in ("color", "alert", "drawn"):
            assert hidden not in found.text

    def test_declared_encoding(self) -> None:
        page = '<meta charset="iso-8859-1"><p>Überfahrt</p>'.encode("latin-1")
        assert "Überfahrt" in read(page, "page.htm").text
        assert "Überfahrt" in read(page.replace(b"iso-8859-1", b"no-such-set"), "page.htm").text

    def test_nesting_costs_nothing(self) -> None:
        assert read(b"<div>" * 300_000 + b"deep", "deep.html").text.strip() == "deep"

    def test_nothing_to_show(self) -> None:
        assert refusal(b"<html><script>var x</script></html>", "empty.html").code == "invalid_file"


class TestText:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    def test_encodings(self, encoding: str) -> None:
        text = "Grüße aus Oulu\nTide: 0.4 m, " + "and plain words. " * 20
        if encoding == "utf-32":
            text += "😀"
        assert read(text.encode(encoding), "notes.txt").text == text

    def test_line_ends(self) -> None:
        found = read(b"one\r\ntwo\rthree\n\nfive", "notes.txt")
        assert found.text == "one\ntwo\nthree\n\nfive"
        assert found.lined

    @pytest.mark.parametrize(
        ("text", "encoding", "name"),
        [
            ("naïve café, crème brûlée", "cp1252", "windows-1252"),
            ("Das Gebäude schließt um sechs – täglich.", "cp1252", "windows-1252"),
            ("Zażółć gęślą jaźń, biblioteka zamyka się o szóstej.", "cp1250", "windows-1250"),
            ("Библиотека закрывается в шесть часов.", "cp1251", "windows-1251"),
            ("Библиотека закрывается в шесть часов.", "koi8_r", "koi8-r"),
            ("图书馆晚上六点关门。", "gbk", "gb18030"),
            ("圖書館每天早上九點開門", "big5", "big5"),
            ("会議室の予約は総務部の田中に連絡してください。", "shift_jis", "shift-jis"),
            ("도서관은 매일 아침 아홉 시에 문을 엽니다.", "euc_kr", "euc-kr"),
        ],
    )
    def test_an_encoding_that_is_not_named_is_guessed_and_said(
        self, text: str, encoding: str, name: str
    ) -> None:
        found = read(text.encode(encoding), "menu.txt")
        assert found.text == text
        assert found.note == f"The file is not UTF-8; it was read as {name}."

    @pytest.mark.parametrize(
        ("label", "encoding", "text"),
        [
            ("gb2312", "gbk", "镕基"),
            ("iso-8859-1", "cp1252", "€ “quoted”"),
            ("us-ascii", "cp1252", "café – 5 €"),
            ("x-sjis", "shift_jis", "会議室"),
            ("ks_c_5601-1987", "euc_kr", "도서관"),
            ("windows-949", "cp949", "똠방각하"),
            ("tis-620", "cp874", "ห้องสมุด"),
            ("KOI8-R", "koi8_r", "Библиотека"),
            ("base64", "cp1252", "café"),
            ("idna", "cp1252", "café"),
            ("punycode", "cp1252", "café"),
            ("unicode_escape", "cp1252", "café \\u0041"),
            ("undefined", "cp1252", "café"),
            ("no-such-set", "cp1252", "café"),
        ],
    )
    def test_names_of_encodings_mean_what_browsers_take_them_for(
        self, label: str, encoding: str, text: str
    ) -> None:
        page = f'<meta http-equiv="Content-Type" content="text/html; charset={label}"><p>{text}</p>'
        found = read(page.encode(encoding), "page.html")
        assert found.text.strip() == text
        assert found.note is None or label in self.NO_CHARACTER_SETS

    NO_CHARACTER_SETS = frozenset(
        {"base64", "idna", "punycode", "unicode_escape", "undefined", "no-such-set"}
    )

    def test_one_bad_byte_costs_that_byte(self) -> None:
        data = "Die Gebäude schließen.\n".encode() * 50 + b"caf\xe9\n" + "Grüße.\n".encode() * 50
        found = read(data, "app.log")
        assert found.text.count("Gebäude schließen") == 50
        assert found.text.count("\N{REPLACEMENT CHARACTER}") == 1
        assert found.note == "One place could not be read and is shown as \N{REPLACEMENT CHARACTER}."
        assert read(b"\xff\xfea\x00\x00\xd8b\x00", "half.txt").text == "a\N{REPLACEMENT CHARACTER}b"

    @pytest.mark.parametrize(
        "data",
        [
            random.Random(1).randbytes(5000),
            b"\x7fELF\x02\x01\x01" + bytes(500),
            b"GIF89a" + bytes(range(32)) * 40,
        ],
    )
    def test_binary_data_under_the_name_of_a_text(self, data: bytes) -> None:
        error = refusal(data, "picture.txt")
        assert error.code == "invalid_file"
        assert "binary" in error.sentence

    def test_control_characters_become_blanks(self) -> None:
        found = read(b"\x1b[31mred\x1b[0m and more text " + b"x" * 300, "terminal.log").text
        assert "\x1b" not in found
        assert "[31mred" in found

    @pytest.mark.parametrize(("data", "word"), [(b"", "empty"), (b" \n\t\r\n ", "no text")])
    def test_empty_and_blank(self, data: bytes, word: str) -> None:
        error = refusal(data, "nothing.md")
        assert error.code == "invalid_file"
        assert word in error.sentence

    @pytest.mark.parametrize(
        "name", ["data.csv", "a.xlsx", "a.xml", "a.png", "a.zip", "a.exe", "data", "x.\x1b[0m", "a.ODT"]
    )
    def test_unsupported(self, name: str) -> None:
        error = refusal(b"a,b\n1,2\n", name)
        assert error.code == "unsupported_file"
        assert error.sentence.isprintable()

    def test_markdown_headings(self) -> None:
        text = "# Top\nintro\n\n## Part *one* ##\n```sh\n# a comment\n```\n### Deep\n#no heading\n"
        assert [(h.level, h.title) for h in read(text.encode(), "a.md").headings] == [
            (1, "Top"),
            (2, "Part *one*"),
            (3, "Deep"),
        ]

    def test_latex(self) -> None:
        text = "\\documentclass{article}\n\\section{Tides}\nThe sea $h(t)$.\n\\subsection*{Neap}\nLow.\n"
        found = read(text.encode(), "paper.tex")
        assert found.text == text
        assert [heading.title for heading in found.headings] == ["Tides", "Neap"]

    def test_json_and_css(self) -> None:
        text = json.dumps({"ports": [{"name": "Oulu"}]}, indent=1)
        assert read(text.encode(), "ports.json").text == text
        assert read(b"body { color: teal }", "style.css").text == "body { color: teal }"


SOURCES = {
    "c": ("struct tide { int h; };\nint height(void) {\n  return 1;\n}\n", ["tide"]),
    "cpp": ("namespace sea {\nclass Tide {\n};\n}\n", ["sea", "Tide"]),
    "cs": ("public class Tide {\n    public enum Kind { Neap }\n}\n", ["Tide", "Kind"]),
    "css": (".tide { height: 1px }\n", []),
    "go": (
        "package sea\n\nfunc (t *Tide) Height() int { return 1 }\ntype Tide struct{}\n",
        ["Height", "Tide"],
    ),
    "java": ("public final class Tide {\n  interface Moon {}\n}\n", ["Tide", "Moon"]),
    "js": ("export default function tide() {}\nclass Moon {}\n", ["tide", "Moon"]),
    "php": ("<?php\nclass Tide {\n  public function height() {}\n}\n", ["Tide", "height"]),
    "py": ("class Tide:\n    async def height(self):\n        pass\n", ["Tide", "height"]),
    "rb": ("module Sea\n  class Tide\n    def height\n    end\n  end\nend\n", ["Sea", "Tide", "height"]),
    "rs": ("pub(crate) fn height() {}\nimpl Tide {}\n", ["height", "Tide"]),
    "sh": ("function tide {\n  echo 1\n}\n", ["tide"]),
    "ts": ("export interface Tide { h: number }\nexport abstract class Moon {}\n", ["Tide", "Moon"]),
}


@pytest.mark.parametrize("suffix", SOURCES)
def test_source_code(suffix: str) -> None:
    text, names = SOURCES[suffix]
    found = read(text.encode(), f"sea.{suffix}")
    assert found.text == text
    assert found.lined
    assert [heading.title for heading in found.headings] == names


class TestAttachments:
    def test_what_cannot_be_read_costs_itself_alone(self) -> None:
        found = read(
            documents.pdf(
                [["The letter"]],
                attachments={
                    "table.csv": b"a,b",
                    "scan.pdf": documents.pdf([[]]),
                    "empty.txt": b"",
                    "broken.docx": b"PK\x03\x04",
                    "notes.md": b"# Aim\n\nFind the kowari.",
                },
            ),
            "letter.pdf",
        )
        assert found.text.startswith("The letter") and "Find the kowari." in found.text
        assert [heading.title for heading in found.headings] == ["Attachment: notes.md", "Aim"]
        for heading in found.headings:
            assert found.text[heading.offset :].startswith(f"# {heading.title}")
        assert found.note == (
            "The attachment table.csv was not read: Files of type .csv cannot be searched. "
            "Attach the file to the code interpreter instead. "
            "The attachment scan.pdf was not read: The PDF has no text, only pictures: it may be a scan. "
            "Attach a copy with recognised text (OCR). "
            "The attachment empty.txt was not read: The file is empty. "
            "The attachment broken.docx was not read: The Word document is damaged and cannot be opened."
        )

    def test_their_text_is_on_no_page(self) -> None:
        found = read(
            documents.pdf([["One"], ["Two"]], attachments={"in.pdf": documents.pdf([["A"], ["B"]])}), "a.pdf"
        )
        assert (len(found.pages), page_of(found, "Two")) == (2, 2)
        pieces = list(chunks(found, Chunking(100, 0)))
        assert [piece.page for piece in pieces] == [1]
        assert found.after_pages == found.text.index("\n\n# Attachment: in.pdf")
        long = "The kowari is small. " * 200
        found = read(documents.pdf([["One"]], attachments={"a.txt": long.encode()}), "a.pdf")
        pages = [piece.page for piece in chunks(found, Chunking(100, 0))]
        assert (pages[0], set(pages[1:])) == (1, {None})

    def test_a_scan_with_attachments_that_cannot_be_read(self) -> None:
        error = refusal(documents.pdf([[]], attachments={"table.csv": b"a,b"}), "a.pdf")
        assert error.sentence.startswith("The PDF has no text") and "table.csv was not read" in error.sentence

    def test_depth_number_size_and_time_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = documents.pdf([["The innermost"]])
        for level in (3, 2, 1):
            data = documents.pdf([[f"Level {level}"]], attachments={f"{level}.pdf": data})
        found = read(data, "a.pdf")
        assert "Level 3" in found.text and "innermost" not in found.text
        assert "3.pdf was not read: It lies too deep inside other attachments." in str(found.note)

        many = {f"{number}.txt": b"kowari %d." % number for number in range(130)}
        found = read(documents.pdf([["Many"]], attachments=many), "a.pdf")
        assert found.text.count("kowari") == 100
        assert found.note == "Of its 130 attachments, 100 were read."

        large = {"large.txt": b"x" * (65 << 20), "small.txt": b"kowari"}
        found = read(documents.pdf([["Large"]], attachments=large), "a.pdf")
        assert "kowari" in found.text
        assert found.note == "The attachment large.txt was not read: It is too large."

        monkeypatch.setattr(attachments, "_MOST_SECONDS", -1.0)
        found = read(documents.pdf([["Slow"]], attachments=many), "a.pdf")
        assert "kowari" not in found.text and "takes too long" in str(found.note)
        assert str(found.note).endswith("90 more attachments were not or not wholly read.")

    def test_a_name_of_a_stranger(self) -> None:
        name = "a\\nb" + "x" * 300 + ".txt"
        found = read(documents.pdf([["Body"]], attachments={name: b"kowari"}), "a.pdf")
        [heading] = found.headings
        assert "\n" not in heading.title and len(heading.title) < 230
