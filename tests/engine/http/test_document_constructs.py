"""Where real documents keep their words: each is uploaded, put into a store, and searched for them."""
# ruff: noqa: E501 (the table reads better in lines)

import io
import json
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence

import httpx2
import pytest

from support import documents
from support.engine import make, settled, upload

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORD = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DIAGRAM = f"<dgm:dataModel {WORD}><dgm:pt><dgm:t><a:p><a:r><a:t>{{}}</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:dataModel>"
CHART = (
    f"<c:chartSpace {WORD}><c:chart><c:title><a:p><a:r><a:t>{{}}</a:t></a:r></a:p></c:title><c:ser><c:cat>"
    "<c:pt><c:v>{}</c:v></c:pt></c:cat><c:val><c:pt><c:v>42.5</c:v></c:pt></c:val></c:ser></c:chart></c:chartSpace>"
)


WATERFALL = (  # as Excel and Word write it into a part of its own
    '<cx:chartSpace xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:cx="http://schemas.microsoft.com/office/drawing/2014/chartex"><cx:chartData><cx:data id="0">'
    '<cx:strDim type="cat"><cx:f>Sheet1!$A$2:$A$3</cx:f><cx:lvl ptCount="2"><cx:pt idx="0">Kultarr region</cx:pt>'
    '<cx:pt idx="1">South</cx:pt></cx:lvl></cx:strDim><cx:numDim type="val"><cx:f>Sheet1!$B$2:$B$3</cx:f>'
    '<cx:lvl ptCount="2" formatCode="General"><cx:pt idx="0">100</cx:pt><cx:pt idx="1">-20</cx:pt></cx:lvl>'
    '</cx:numDim></cx:data></cx:chartData><cx:chart><cx:title pos="t"><cx:tx><cx:rich><a:bodyPr/><a:p><a:r>'
    "<a:t>Kultarr </a:t></a:r><a:r><a:t>bridge</a:t></a:r></a:p></cx:rich></cx:tx></cx:title><cx:plotArea>"
    '<cx:plotAreaRegion><cx:series layoutId="waterfall" uniqueId="{1}"><cx:tx><cx:txData><cx:f>Sheet1!$B$1</cx:f>'
    "<cx:v>Profit</cx:v></cx:txData></cx:tx></cx:series></cx:plotAreaRegion></cx:plotArea></cx:chart></cx:chartSpace>"
)


def relations(*found: tuple[str, str]) -> str:
    """Relations of these kinds and targets, numbered from rId1. Links lead out of the document."""
    external = ' TargetMode="External"'
    rows = "".join(
        f'<Relationship Id="rId{number}" Type="{RELATIONS}/{kind}" Target="{target}"'
        f"{external if kind == 'hyperlink' else ''}/>"
        for number, (kind, target) in enumerate(found, 1)
    )
    xmlns = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{xmlns}">{rows}</Relationships>'


def word(
    body: str,
    related: Mapping[tuple[str, str], str | bytes] | None = None,
    *,
    links: Sequence[str] = (),
    main: str = "word/document.xml",
    divider: str = "/",
) -> bytes:
    """A document whose other parts are given by their kinds and file names. Its links are rId1, rId2, …"""
    folder, _, name = main.rpartition("/")
    related = related or {}
    parts: dict[str, str | bytes] = {
        "_rels/.rels": relations(("officeDocument", main)),
        main: f"<w:document {WORD}><w:body>{body}</w:body></w:document>",
        f"{folder}/_rels/{name}.rels": relations(*(("hyperlink", link) for link in links), *related),
    }
    parts |= {f"{folder}/{file}": text for (_, file), text in related.items()}
    return documents.archive({name.replace("/", divider): text for name, text in parts.items()})


def part(kind: str, text: str) -> str:
    return f"<w:{kind} {WORD}>{documents.paragraph(text)}</w:{kind}>"


def text_box(text: str) -> str:
    """As Word writes one: twice, for programs of two ages."""
    content = f"<w:txbxContent>{documents.paragraph(text)}</w:txbxContent>"
    return (
        f'<w:r><mc:AlternateContent><mc:Choice Requires="wps"><wps:txbx>{content}</wps:txbx></mc:Choice>'
        f"<mc:Fallback><w:pict><v:textbox>{content}</v:textbox></w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r>"
    )


def with_properties(package: bytes) -> bytes:
    """A document with properties, as Office keeps them."""
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Annual quenda count</dc:title><dc:subject>Census'
        "</dc:subject><dc:creator>Ada Wambenger</dc:creator><cp:keywords>marsupials; budget</cp:keywords>"
        "<dc:description>Draft for the board</dc:description><cp:lastModifiedBy>x</cp:lastModifiedBy>"
        "</cp:coreProperties>"
    )
    kind = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
    row = f'<Relationship Id="rId9" Type="{kind}" Target="docProps/core7.xml"/></Relationships>'
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    parts["_rels/.rels"] = parts["_rels/.rels"].replace("</Relationships>", row)
    return documents.archive(parts | {"docProps/core7.xml": core})


PROPERTIES = "Author: Ada Wambenger\nKeywords: marsupials; budget\nComments: Draft for the board"


def slides(
    related: Mapping[tuple[str, str], str | bytes], *, body: str = "", main: str = "ppt/presentation.xml"
) -> bytes:
    title = body or "<p:sp><p:txBody><a:p><a:r><a:t>Overview</a:t></a:r></a:p></p:txBody></p:sp>"
    shown = '<p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst>'
    folder, _, name = main.rpartition("/")
    parts: dict[str, str | bytes] = {
        "_rels/.rels": relations(("officeDocument", main)),
        main: f"<p:presentation {WORD}>{shown}</p:presentation>",
        f"{folder}/_rels/{name}.rels": relations(("slide", "slides/slide1.xml")),
        f"{folder}/slides/slide1.xml": f"<p:sld {WORD}>{title}<p:graphicFrame/></p:sld>",
        f"{folder}/slides/_rels/slide1.xml.rels": relations(
            *((k, file if k == "hyperlink" else f"../{file}") for k, file in related)
        ),
    }
    return documents.archive(
        parts | {f"{folder}/{file}": text for (kind, file), text in related.items() if kind != "hyperlink"}
    )


def field(instructions: str, words: str) -> str:
    """A field as Word writes it, its instructions in pieces."""
    half = len(instructions) // 2

    def mark(kind: str) -> str:
        return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'

    pieces = "".join(
        f'<w:r><w:instrText xml:space="preserve">{piece}</w:instrText></w:r>'
        for piece in (instructions[:half], instructions[half:])
    )
    return f"{mark('begin')}{pieces}{mark('separate')}<w:r><w:t>{words}</w:t></w:r>{mark('end')}"


def one_page(
    content: bytes, *annotations: bytes, further: Sequence[bytes] = (), catalog: bytes = b""
) -> bytes:
    """A PDF of one page with this content, in Helvetica (F1).

    The annotations are objects 6 and those that follow, and then come the `further` ones. `catalog` is what it
    says besides.
    """
    references = b" ".join(b"%d 0 R" % number for number in range(6, 6 + len(annotations)))
    return documents.pdf_objects(
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> /Annots [%s] >>" % references,
        stream(content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        *annotations,
        *further,
    )


def stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


def linked_pdf() -> bytes:
    """A PDF with a link that goes over two lines, one to another file, and one within the document."""
    action = b"<< /S /URI /URI (https://example.org/monjon?x=1) >>"
    return one_page(
        b"BT /F1 12 Tf 14 TL 20 250 Td (Read the monjon) Tj T* (manual today.) Tj T* (Annex) Tj ET",
        b"<< /Type /Annot /Subtype /Link /Rect [52 246 120 262] /A %s >>" % action,
        b"<< /Type /Annot /Subtype /Link /Rect [18 232 59 248] /A %s >>" % action,
        b"<< /Type /Annot /Subtype /Link /Rect [18 218 80 233] /A << /S /GoToR /F (annex/b.pdf) /D [0 /Fit] >> >>",
        b"<< /Type /Annot /Subtype /Link /Rect [18 100 80 120] /Dest [3 0 R /Fit] >>",
    )


def attached_to_a_place(content: bytes) -> bytes:
    """A PDF with a paper clip on its page, behind which is a text."""
    return one_page(
        b"",
        b"<< /Type /Annot /Subtype /FileAttachment /Rect [20 20 40 40] /FS 7 0 R /Contents (Minutes) >>",
        further=[
            b"<< /Type /Filespec /F (minutes.txt) /UF (minutes.txt) /EF << /F 8 0 R >> >>",
            stream(content),
        ],
    )


def spaced() -> bytes:
    """A PDF with wide letters, as browsers print them, and with letters that stand apart for other reasons."""

    def set_wide(words: str, gap: int) -> str:
        return " ".join(f"({letter}) -{gap}" for letter in words)

    content = (
        f"BT /F1 12 Tf 20 TL 20 250 Td [{set_wide('KALUTA CHAPTER', 150)}] TJ T* "
        f"[{set_wide('Its illness, in 12 years', 400)}] TJ T* (H e l l o  d i b b l e r) Tj T* (Grades a b c d e) Tj ET "
        + " ".join(
            f"BT /F1 12 Tf {20 + 12 * column} 100 Td ({cell}) Tj ET" for column, cell in enumerate("ABACD")
        )
    )
    return one_page(content.encode())


def form() -> bytes:
    """A PDF with filled-in fields, a comment and a note, none of which is in the page's own text."""
    return one_page(
        b"BT /F1 12 Tf 20 250 Td (Applicant) Tj ET",
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (surname) /V (Zyxwina Quokka) /DA (/F1 12 Tf 0 g) "
        b"/Rect [120 240 380 260] >>",
        b"<< /Type /Annot /Subtype /FreeText /DA (/F1 12 Tf) /Contents (Reviewed by Plumbago) "
        b"/Rect [20 100 380 120] >>",
        b"<< /Type /Annot /Subtype /Text /Contents (Ask Sesquipedal first) /Rect [20 50 40 70] >>",
        b"<< /Type /Annot /Subtype /Widget /FT /Btn /T (smoker) /V /Yes /AS /Yes "
        b"/AP << /N << /Yes 12 0 R >> >> /Rect [20 200 40 220] >>",
        b"<< /Type /Annot /Subtype /Widget /FT /Btn /T (diver) /V /Off /AS /Off "
        b"/AP << /N << /Yes 12 0 R >> >> /Rect [60 200 80 220] >>",
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /Ff 8192 /T (secret) /V (Opensesame) /DA (/F1 12 Tf 0 g) "
        b"/Rect [120 140 380 160] >>",
        further=[b"<< /Type /XObject /Subtype /Form /BBox [0 0 20 20] /Length 0 >>\nstream\n\nendstream"],
        catalog=b"/AcroForm << /Fields [6 0 R 9 0 R 10 0 R 11 0 R] /DR << /Font << /F1 5 0 R >> >> >>",
    )


def hyphenated() -> bytes:
    """A PDF as browsers print one: the hyphen at a line's end is U+2010 (here, the code of the tilde)."""
    content = b"BT /F1 12 Tf 20 250 Td 14 TL (The interna~) Tj T* (tionalization of quendas) Tj ET"
    meaning = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def "
        b"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <7E> <2010> endbfchar "
        b"endcmap end end"
    )
    return documents.pdf_objects(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        stream(content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /ToUnicode 6 0 R >>",
        stream(meaning),
    )


CONSTRUCTS: dict[str, tuple[bytes, str, str]] = {  # file name: content, query, text that must be found
    "textbox.docx": (
        word(f"<w:p><w:r><w:t>Beside</w:t></w:r>{text_box('Quokka inside')}</w:p>"),
        "quokka",
        "Quokka",
    ),
    "beside.docx": (
        word(f"<w:p><w:r><w:t>Beside</w:t></w:r>{text_box('Quokka')}<w:r><w:t>after</w:t></w:r></w:p>"),
        "beside after",
        "Beside after",
    ),
    "backslash in a target.docx": (
        word(
            documents.paragraph("Body."),
            {("header", r"parts\header1.xml"): part("hdr", "Contract QK-7781")},
            divider="\\",
        ),
        "contract QK-7781",
        "QK-7781",
    ),
    "header.docx": (
        word(documents.paragraph("Body."), {("header", "header1.xml"): part("hdr", "Contract QK-7781")}),
        "contract QK-7781",
        "QK-7781",
    ),
    "footer.docx": (
        word(documents.paragraph("Body."), {("footer", "f.xml"): part("ftr", "Confidential wombat")}),
        "wombat",
        "wombat",
    ),
    "comment.docx": (
        word(
            documents.paragraph("Body."), {("comments", "comments.xml"): part("comments", "Dugong says no")}
        ),
        "dugong",
        "Dugong says no",
    ),
    "footnote.docx": (
        word(documents.paragraph("Body."), {("footnotes", "notes7.xml"): part("footnotes", "See numbat")}),
        "numbat",
        "numbat",
    ),
    "endnote.docx": (
        word(documents.paragraph("Body."), {("endnotes", "e.xml"): part("endnotes", "See bilby")}),
        "bilby",
        "bilby",
    ),
    "picture.docx": (
        word(
            '<w:p><w:r><w:drawing><wp:inline xmlns:wp="urn:wp"><wp:docPr id="1" name="Picture 1" '
            'descr="Monjon on a rock"/></wp:inline></w:drawing></w:r></w:p>'
        ),
        "monjon",
        "Monjon on a rock",
    ),
    "watermark.docx": (
        word(
            documents.paragraph("Body."),
            {
                ("header", "header1.xml"): f"<w:hdr {WORD}><w:p><w:r><w:pict><v:shape>"
                '<v:textpath string="DRAFT for nabarlek"/></v:shape></w:pict></w:r></w:p></w:hdr>'
            },
        ),
        "nabarlek",
        "DRAFT for nabarlek",
    ),
    "smartart.docx": (
        word(documents.paragraph("Body."), {("diagramData", "data1.xml"): DIAGRAM.format("Potoroo step")}),
        "potoroo",
        "Potoroo step",
    ),
    "chart.docx": (
        word(documents.paragraph("Body."), {("chart", "chart1.xml"): CHART.format("Sales", "Quoll region")}),
        "quoll region",
        "Quoll region | 42.5",
    ),
    "inserted.docx": (
        word("<w:altChunk/>", {("aFChunk", "chunk.htm"): "<p>Echidna from a page</p>"}),
        "echidna",
        "Echidna",
    ),
    "renamed.docx": (
        word(documents.paragraph("Cuscus report"), main="word/document2.xml"),
        "cuscus",
        "Cuscus",
    ),
    "elsewhere.docx": (
        word(documents.paragraph("Dunnart report"), main="content/main.xml"),
        "dunnart",
        "Dunnart",
    ),
    "backslashes.docx": (word(documents.paragraph("Kowari report"), divider="\\"), "kowari", "Kowari"),
    "moved.docx": (
        word(
            "<w:p><w:moveFrom><w:r><w:t>Mulgara moved</w:t></w:r></w:moveFrom></w:p>"
            "<w:p><w:moveTo><w:r><w:t>Mulgara moved</w:t></w:r></w:moveTo></w:p>"
        ),
        "mulgara",
        "Mulgara moved",
    ),
    "hyperlink.docx": (
        word(
            '<w:p><w:r><w:t>See </w:t></w:r><w:hyperlink r:id="rId1"><w:r><w:t>the chuditch </w:t></w:r><w:r><w:t>handbook'
            '</w:t></w:r></w:hyperlink><w:r><w:t>, or </w:t></w:r><w:hyperlink r:id="rId1"><w:r><w:t>again</w:t></w:r>'
            '</w:hyperlink><w:hyperlink w:anchor="top"><w:r><w:t>.</w:t></w:r></w:hyperlink></w:p>',
            links=["https://example.org/handbook?id=7"],
        ),
        "chuditch",
        "See the chuditch handbook (https://example.org/handbook?id=7), or again.",
    ),
    "linking field.docx": (
        word(
            "<w:p>"
            + field(' HYPERLINK "mailto:ada@example.org" \\o "Write" ', "the boodie office")
            + field(" PAGE ", "7")
            + "</w:p>"
        ),
        "boodie",
        "the boodie office (mailto:ada@example.org)7",
    ),
    "simple field.docx": (
        word(
            '<w:p><w:fldSimple w:instr=" HYPERLINK &quot;https://example.org/a&quot; "><w:r><w:t>mala</w:t></w:r></w:fldSimple></w:p>'
        ),
        "mala",
        "mala (https://example.org/a)",
    ),
    "link in a header.docx": (
        word(
            documents.paragraph("Body."),
            {
                (
                    "header",
                    "header1.xml",
                ): f'<w:hdr {WORD}><w:p><w:hyperlink r:id="rId1"><w:r><w:t>Numbat portal'
                "</w:t></w:r></w:hyperlink></w:p></w:hdr>",
                ("other", "_rels/header1.xml.rels"): relations(("hyperlink", "https://portal.example.org/")),
            },
        ),
        "numbat portal",
        "Numbat portal (https://portal.example.org/)",
    ),
    "properties.docx": (with_properties(word(documents.paragraph("Body."))), "quenda wambenger", PROPERTIES),
    "waterfall.docx": (
        word(documents.paragraph("Body."), {("chartEx", "charts/chartEx1.xml"): WATERFALL}),
        "kultarr",
        "Kultarr region | South | 100 | -20\nKultarr bridge\nProfit",
    ),
    "object.docx": (
        word(
            documents.paragraph("Body."),
            {("package", "embeddings/a.docx"): word(documents.paragraph("Djoongari"))},
        ),
        "djoongari",
        "Djoongari",
    ),
    "link.pptx": (
        slides(
            {
                ("hyperlink", "https://wiki.example.org/"): "",
                ("hyperlink", "https://example.org/picture"): "",
            },
            body='<p:sp><p:txBody><a:p><a:r><a:t>our </a:t></a:r><a:r><a:rPr><a:hlinkClick r:id="rId1"/></a:rPr><a:t>woylie '
            '</a:t></a:r><a:r><a:rPr><a:hlinkClick r:id="rId1"/></a:rPr><a:t>wiki</a:t></a:r><a:r><a:t>, '
            'there</a:t></a:r></a:p></p:txBody></p:sp><p:pic><p:nvPicPr><p:cNvPr id="4" name="P"><a:hlinkClick '
            'r:id="rId2"/></p:cNvPr></p:nvPicPr></p:pic>',
        ),
        "woylie wiki",
        "our woylie wiki (https://wiki.example.org/), there\nhttps://example.org/picture",
    ),
    "properties.pptx": (with_properties(slides({})), "quenda wambenger", PROPERTIES),
    "treemap.pptx": (
        slides({("chartEx", "charts/chartEx1.xml"): WATERFALL}),
        "kultarr",
        "Kultarr region | South | 100 | -20",
    ),
    "smartart.pptx": (
        slides({("diagramData", "diagrams/data1.xml"): DIAGRAM.format("Phascogale approval")}),
        "phascogale",
        "Phascogale approval",
    ),
    "chart.pptx": (
        slides({("chart", "charts/chart1.xml"): CHART.format("Planigale sales", "North")}),
        "planigale",
        "Planigale sales",
    ),
    "notes.pptx": (
        slides(
            {("notesSlide", "notes/n1.xml"): f"<p:notes {WORD}><a:p><a:t>Say pademelon</a:t></a:p></p:notes>"}
        ),
        "pademelon",
        "Notes: Say pademelon",
    ),
    "comment.pptx": (
        slides(
            {("comments", "c/c1.xml"): f"<p:cmLst {WORD}><p:cm><p:text>Antechinus?</p:text></p:cm></p:cmLst>"}
        ),
        "antechinus",
        "Antechinus?",
    ),
    "picture.pptx": (
        documents.pptx(
            [
                (
                    '<p:pic><p:nvPicPr><p:cNvPr id="4" name="Picture 3" descr="Quokkas at dusk"/></p:nvPicPr></p:pic>',
                    "",
                )
            ]
        ),
        "quokkas dusk",
        "Quokkas at dusk",
    ),
    "footer.pptx": (  # on each of its slides
        documents.pptx([(documents.shape("ftr", "Confidential wambenger"), "")] * 2),
        "wambenger",
        "Confidential wambenger",
    ),
    "renamed.pptx": (
        slides({("chart", "charts/c.xml"): CHART.format("Ningaui", "x")}, main="deck/main.xml"),
        "ningaui",
        "Ningaui",
    ),
    "link.pdf": (
        linked_pdf(),
        "monjon manual",
        "the monjon manual: https://example.org/monjon?x=1\nAnnex: annex/b.pdf",
    ),
    "properties.pdf": (
        documents.pdf(
            [["Body"]],
            properties={"Title": "Annual quenda count", "Author": "Ada Wambenger", "Keywords": "marsupials"},
        ),
        "quenda wambenger",
        "Title: Annual quenda count\nAuthor: Ada Wambenger\nKeywords: marsupials",
    ),
    "attached.pdf": (
        documents.pdf([["Body"]], attachments={"notes.txt": b"The kowari is attached."}),
        "kowari attached",
        "# Attachment: notes.txt\n\nThe kowari is attached.",
    ),
    "attached twice.pdf": (
        documents.pdf(
            [["Body"]],
            attachments={
                "mail.pdf": documents.pdf(
                    [["Mail"]], attachments={"a.docx": word(documents.paragraph("Ningaui"))}
                )
            },
        ),
        "ningaui",
        "Ningaui",
    ),
    "portfolio.pdf": (
        documents.pdf([[]], attachments={"notes.txt": b"The pilbara is attached."}),
        "pilbara attached",
        "The pilbara is attached.",
    ),
    "paper clip.pdf": (attached_to_a_place(b"Minutes of the ampurta"), "ampurta", "Minutes of the ampurta"),
    "wide.pdf": (spaced(), "kaluta chapter", "KALUTA CHAPTER\nIts illness, in 12 years\nHello dibbler\n"),
    "lists of letters.pdf": (spaced(), "grades", "Grades a b c d e\nA B A C D"),
    "field.pdf": (form(), "surname Zyxwina", "surname: Zyxwina Quokka"),
    "remark.pdf": (form(), "reviewed plumbago", "Reviewed by Plumbago"),
    "note.pdf": (form(), "sesquipedal", "Ask Sesquipedal first"),
    "tick.pdf": (form(), "smoker", "smoker: Yes"),
    "hyphen.pdf": (hyphenated(), "internationalization", "internationalization of quendas"),
    "divided.pdf": (
        documents.pdf(
            [["Contract QK-", "7781 of Anna Meyer-", "Schulze, CONSUL-", "TANT for naviga-", "tion"]]
        ),
        "QK-7781",
        "Contract QK-7781 of Anna Meyer-Schulze, CONSULTANT for navigation",
    ),
    "junk.pdf": (b"\n" * 1500 + documents.pdf([["Thylacine after junk"]]), "thylacine", "Thylacine"),
    "gbk.txt": ("图书馆晚上六点关门。".encode("gbk"), "图书馆", "图书馆晚上六点关门"),
    "western.txt": (
        b"The caf\xe9 \x93Tui\x94 closes at six \x96 daily.",
        "café",
        "café “Tui” closes at six –",
    ),
    "gb2312.html": ("<meta charset=gb2312><p>镕基 bandicoot".encode("gbk"), "bandicoot", "镕基"),
    "buttons.html": (
        b"<p><button>Feed</button><button>Wallaroo</button><select><option>Daily</select>only",
        "wallaroo",
        "Feed Wallaroo",
    ),
    "link.html": (
        b'<base href="https://example.org/docs/"><p>The <a href="karora/guide">karora <b>guide</b></a>, '
        b'<a href="#top">top</a>, <a href="javascript:go()">go</a>, <a href="/docs/karora/guide">again</a>, '
        b'<a href="mailto:a@example.org">a@example.org</a><h2><a href="b">Bettongs</a></h2>',
        "karora guide",
        "The karora guide (https://example.org/docs/karora/guide), top, go, again, a@example.org\n\n"
        "## Bettongs\n\nhttps://example.org/docs/b",
    ),
    "map.html": (
        b'<map><area href="https://example.org/north" alt="Northern gudgeon"></map>',
        "gudgeon",
        "Northern gudgeon (https://example.org/north)",
    ),
    "properties.html": (
        b'<title>Count</title><meta name="Author" content="Ada Wambenger"><meta name=keywords content="a, b"><p>Body',
        "wambenger",
        "Author: Ada Wambenger",
    ),
    "latin1.html": (b'<meta charset="iso-8859-1"><p>bettong \x80 55', "bettong", "bettong € 55"),
    "undeclared.html": (b"<p>caf\xe9 woylie", "woylie", "café woylie"),
    "damaged.log": ("Größe ok\n".encode() * 99 + b"caf\xe9 boodie\n", "boodie", "boodie"),
    "ligatures.txt": (
        "The o\ufb03ce \ufb01le is in the drawer.".encode(),
        "office file",
        "o\ufb03ce \ufb01le",
    ),
    "decomposed.txt": (
        unicodedata.normalize("NFD", "Señor Núñez schließt spät.").encode(),
        unicodedata.normalize("NFC", "Núñez"),
        unicodedata.normalize("NFD", "Núñez"),
    ),
    "composed.txt": (
        unicodedata.normalize("NFC", "Die Behörde in Zürich.").encode(),
        unicodedata.normalize("NFD", "Behörde"),
        unicodedata.normalize("NFC", "Behörde"),
    ),
    "invisible.txt": (
        "inter\u00adnational organ\u200bisation".encode(),
        "international organisation",
        "organ",
    ),
    "fullwidth.txt": ("型番はＡＢＣ－１２３です。".encode(), "ABC-123", "型番"),
    "thai.txt": ("ห้องสมุดปิดเวลาหกโมงเย็นทุกวัน".encode(), "ห้องสมุด", "ปิด"),
    "escaped.json": (json.dumps({"name": "Éléphant rose"}).encode(), "éléphant rose", "Éléphant rose"),
    "Makefile": (b"glider:\n\tcc -o glider glider.c\n", "glider", "cc -o glider"),
}


@pytest.mark.parametrize("name", CONSTRUCTS)
async def test_its_words_are_found(shared: httpx2.AsyncClient, name: str) -> None:
    data, query, wanted = CONSTRUCTS[name]
    file = await upload(shared, name, data)
    store = await make(shared, "/vector_stores", file_ids=[file["id"]])
    state = await settled(shared, f"/vector_stores/{store['id']}")
    assert state["file_counts"]["completed"] == 1
    page = await make(shared, f"/vector_stores/{store['id']}/search", query=query)
    found = "\n".join(part["text"] for hit in page["data"] for part in hit["content"])
    assert wanted in found
    assert found.count(wanted) == 1 or name == "damaged.log", "nothing is read twice"
    content = (await shared.get(f"/vector_stores/{store['id']}/files/{file['id']}/content")).json()
    for piece in content["data"]:
        assert len(piece["text"]) == piece["end"] - piece["start"]


async def test_what_could_not_be_read_is_noted(shared: httpx2.AsyncClient) -> None:
    names = ("damaged.log", "gbk.txt", "thai.txt")
    files = [(await upload(shared, name, CONSTRUCTS[name][0]))["id"] for name in names]
    store = await make(shared, "/vector_stores", file_ids=files)
    await settled(shared, f"/vector_stores/{store['id']}")
    progress = (await shared.get(f"/vector_stores/{store['id']}/progress")).json()
    assert {note["file_id"]: note["text"] for note in progress["notes"]} == {
        files[0]: "One place could not be read and is shown as \N{REPLACEMENT CHARACTER}.",
        files[1]: "The file is not UTF-8; it was read as gb18030.",
    }
    assert (progress["embedding_model"], progress["fault"], progress["refused"]) == (None, None, 0)


async def test_a_field_for_a_password_is_not_read(shared: httpx2.AsyncClient) -> None:
    file = await upload(shared, "form.pdf", form())
    store = await make(shared, "/vector_stores", file_ids=[file["id"]])
    await settled(shared, f"/vector_stores/{store['id']}")
    content = await shared.get(f"/vector_stores/{store['id']}/files/{file['id']}/content")
    assert "smoker: Yes" in content.text
    assert "diver" not in content.text, "nobody ticked it"
    assert "secret" not in content.text
    assert "Opensesame" not in content.text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.docx", b"<html><body>Saved from a browser"),
        ("rich.docx", rb"{\rtf1 Saved from an editor}"),
        ("slides.docx", slides({})),
        ("open.docx", documents.archive({"mimetype": "application/vnd.oasis.opendocument.text"})),
        ("page.pptx", b"<html><body>Saved from a browser"),
        ("text.pptx", word(documents.paragraph("A report"))),
    ],
    ids=lambda value: value if isinstance(value, str) else "bytes",  # archives hold the time of day
)
async def test_another_kind_of_file_under_the_name(
    shared: httpx2.AsyncClient, name: str, data: bytes
) -> None:
    file = await upload(shared, name, data)
    store = await make(shared, "/vector_stores", file_ids=[file["id"]])
    await settled(shared, f"/vector_stores/{store['id']}")
    state = (await shared.get(f"/vector_stores/{store['id']}/files/{file['id']}")).json()
    kind = "Word document" if name.endswith(".docx") else "PowerPoint presentation"
    assert state["last_error"] == {
        "code": "invalid_file",
        "message": f"The file is not a {kind}, although its name ends in {name[-5:]}.",
    }
