"""File search through its door: what is found, in which order, within which limits."""

import asyncio

import pytest

from assistants_tui.engine.search.chunking import Chunking
from assistants_tui.engine.search.errors import IngestError
from assistants_tui.engine.search.results import Ranking
from assistants_tui.engine.search.search import FileSearch
from assistants_tui.engine.store import vector_store_files
from support import documents
from support.patience import until
from support.search import Library

LOGBOOK = "".join(f"Day {day}: wind from the north, nothing to report.\n" for day in range(400))


async def test_a_document_is_found_by_what_it_says(library: Library) -> None:
    await library.add("tower.txt", "The lighthouse keeper climbs the stairs at dusk and lights the lamp.")
    await library.add("harbour.md", "# Harbour rules\n\nShips pay a fee before they leave.\n")
    report = documents.pdf([["Annual report"], ["Tides rose by two centimetres"]])
    await library.add("report.pdf", report)
    assert (await library.found("who is lighting lamps?"))[0] == "tower.txt"
    assert (await library.found("fees for ships"))[0] == "harbour.md"
    (hit, *_) = await library.find("rising tides")
    assert hit.filename == "report.pdf"
    assert hit.text == hit.text[: hit.end - hit.start]
    assert hit.page == 1
    assert hit.line is None
    assert 0 < hit.score <= 1
    assert await library.find("zeppelin") == []
    assert await library.find("the of and") == []
    assert await library.find("") == []


async def test_hits_say_where_they_are(library: Library) -> None:
    text = LOGBOOK + "\n# Storm\n\nThe sea took the jetty.\n"
    file_id = await library.add("log.md", text, attributes={"year": 1877})
    (hit, *_) = await library.find("sea jetty")
    assert (hit.store_id, hit.file_id, hit.filename) == (library.store, file_id, "log.md")
    assert hit.attributes == {"year": 1877}
    assert text[hit.start : hit.end] == hit.text
    assert "jetty" in hit.text
    assert hit.line == text.count("\n", 0, hit.start) + 1
    (only,) = [
        chunk async for chunk in library.search.chunks(library.store, file_id) if "jetty" in chunk.text
    ]
    assert (only.start, only.end, only.heading) == (hit.start, hit.end, hit.heading)


async def test_chunks_give_back_the_whole_text(library: Library) -> None:
    file_id = await library.attach("log.txt", LOGBOOK)
    done = await library.ingest(file_id, chunking=Chunking(100, 50))
    chunks = [chunk async for chunk in library.search.chunks(library.store, file_id)]
    assert len(chunks) == done.chunk_count > 50
    assert done.usage_bytes == sum(len(chunk.text.encode()) for chunk in chunks)
    text, at = "", 0
    for chunk in chunks:
        text += chunk.text[at - chunk.start :]
        at = chunk.end
    assert text == LOGBOOK
    assert [chunk async for chunk in library.search.chunks(library.store, "file-none")] == []


async def test_names_and_headings_count(library: Library) -> None:
    filler = "Some words about this and that, at length. " * 10
    await library.add("vacation-policy.txt", filler)
    await library.add("other.txt", filler)
    assert (await library.found("vacation policy"))[0] == "vacation-policy.txt"


async def test_words_that_stand_together_win(library: Library) -> None:
    far = "The parental rules came first. " + "Nothing to see here at all. " * 20 + "You may leave now."
    near = "Nothing to see here at all. " * 20 + "Rules for parental leave are new. You may go now."
    await library.add("far.txt", far)
    await library.add("near.txt", near)
    assert await library.found("parental leave") == ["near.txt", "far.txt"]
    ranked = await library.find("parental leave", ranking=Ranking(rerank=False))
    assert {hit.filename for hit in ranked} == {"near.txt", "far.txt"}
    assert all(0 < hit.score <= 1 for hit in ranked)


async def test_identifiers(library: Library) -> None:
    await library.add("a.py", "def parse_file_name(path):\n    return path.stem\n")
    await library.add("b.java", "class HttpServerFactory {\n  int port;\n}\n")
    assert await library.found("parse file name") == ["a.py"]
    assert await library.found("parseFileName") == ["a.py"]
    assert await library.found("http server") == ["b.java"]


async def test_other_languages(library: Library) -> None:
    await library.add("ja.txt", "灯台は海岸に立っています。夜になると光ります。")
    await library.add("fr.txt", "Le gardien du phare écrit des lettres à la mairie.")
    assert await library.found("海岸の灯台") == ["ja.txt"]
    assert await library.found("gardien ecrit") == ["fr.txt"]


async def test_results_are_limited(library: Library) -> None:
    for number in range(12):
        await library.add(f"{number}.txt", f"storm number {number} " + "took the jetty away " * (1 + number))
    assert len(await library.find("storm jetty")) == 10
    assert len(await library.find("storm jetty", max_results=3)) == 3
    hits = await library.find("storm jetty", max_results=50)
    assert len(hits) == 12
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    limit = hits[4].score
    chosen = await library.find("storm jetty", max_results=50, ranking=Ranking(score_threshold=limit))
    assert {hit.file_id for hit in chosen} == {hit.file_id for hit in hits if hit.score >= limit}
    assert await library.find("storm jetty", ranking=Ranking(score_threshold=1.0)) == []


async def test_token_budget(library: Library) -> None:
    for number in range(5):
        await library.add(f"{number}.txt", f"storm {number} " * 50)  # 100 tokens and more
    hits = await library.find("storm", token_budget=350)
    assert 1 <= len(hits) <= 3
    assert len(await library.find("storm", token_budget=1)) == 1
    assert len(await library.find("storm", token_budget=10_000)) == 5


async def test_several_queries_are_answered_together(library: Library) -> None:
    await library.add("a.txt", "The tower is forty metres high.")
    await library.add("b.txt", "Masons from Oulu built everything here.")
    hits = await library.search.search([library.store], ["height metres tower", "built by masons"])
    assert {hit.filename for hit in hits} == {"a.txt", "b.txt"}
    assert len({(hit.file_id, hit.start) for hit in hits}) == len(hits)


async def test_one_long_document_does_not_crowd_out_others(library: Library) -> None:
    await library.add("long.txt", "storm over the sea " * 600, chunking=Chunking(100, 50))
    await library.add("short.txt", "a storm, once")
    hits = await library.find("storm", max_results=5)
    assert "short.txt" in [hit.filename for hit in hits]


async def test_stores_are_apart(library: Library) -> None:
    other = await library.new_store()
    await library.add("mine.txt", "the secret storm")
    await library.add("theirs.txt", "another secret storm", store=other)
    assert await library.found("secret storm") == ["mine.txt"]
    assert await library.found("secret storm", stores=[other]) == ["theirs.txt"]
    assert set(await library.found("secret storm", stores=[library.store, other])) == {
        "mine.txt",
        "theirs.txt",
    }
    assert await library.found("secret storm", stores=["vs_none"]) == []


async def test_a_long_text_as_a_query(library: Library) -> None:
    await library.add("log.txt", LOGBOOK)
    assert await library.found(LOGBOOK * 20) == ["log.txt"]


async def test_only_what_is_completed_is_found(library: Library) -> None:
    file_id = await library.attach("storm.txt", "a storm")
    await library.search.ingest(library.store, file_id, library.path(file_id), "storm.txt", Chunking())
    assert await library.found("storm") == []
    async with library.database.write() as connection:
        (row,) = await vector_store_files.waiting(connection)
        await vector_store_files.settle(connection, row, "completed")
    assert await library.found("storm") == ["storm.txt"]


async def test_detached_files_are_found_no_more(library: Library) -> None:
    kept = await library.add("kept.txt", "a storm over the sea")
    gone = [await library.add(f"gone{number}.txt", "a storm over the sea storm") for number in range(150)]
    assert len(await library.find("storm", max_results=50)) == 50
    for file_id in gone:
        await library.detach(file_id)
    (hit,) = await library.find("storm")
    assert hit.file_id == kept
    await library.detach(kept)
    assert await library.find("storm") == []


async def test_a_file_attached_again_is_found_once(library: Library) -> None:
    file_id = await library.add("log.txt", "a storm")
    async with library.database.write() as connection:
        new = vector_store_files.NewFile(file_id, {"again": True}, {"type": "auto"})
        await vector_store_files.attach(connection, "me", library.store, 1, [new])
    assert await library.find("storm") == []
    await library.ingest(file_id)
    (hit,) = await library.find("storm")
    assert hit.attributes == {"again": True}


async def test_ingesting_twice_changes_nothing(library: Library) -> None:
    file_id = await library.attach("log.txt", LOGBOOK)
    first = await library.ingest(file_id)
    path = library.path(file_id)
    path.unlink()  # not read again
    assert await library.search.ingest(library.store, file_id, path, "log.txt", Chunking()) == first


async def test_a_file_that_leaves_while_it_is_read(library: Library) -> None:
    file_id = await library.attach("log.txt", LOGBOOK * 200)
    path = library.path(file_id)
    reading = asyncio.create_task(library.search.ingest(library.store, file_id, path, "log.txt", Chunking()))

    async def begun() -> bool:
        return (await library.search.progress()).reading > 0

    await until("it is being read", begun, pause=0)
    await library.detach(file_id)
    with pytest.raises(IngestError, match="taken out"):
        await reading
    with pytest.raises(IngestError, match="taken out"):
        await library.search.ingest(library.store, file_id, path, "log.txt", Chunking())


async def test_a_broken_file_fails_alone(library: Library) -> None:
    good = [await library.attach(f"{number}.txt", f"storm {number}") for number in range(6)]
    bad = [
        await library.attach("locked.pdf", documents.pdf([["x"]], user_password="secret")),
        await library.attach("bomb.docx", documents.archive({"word/document.xml": bytes(300 << 20)})),
        await library.attach("empty.txt", b""),
        await library.attach("picture.txt", bytes(range(256)) * 10),
        await library.attach("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ]
    results = await asyncio.gather(
        *(library.ingest(file_id) for file_id in [*bad, *good]), return_exceptions=True
    )
    codes = [result.code for result in results if isinstance(result, IngestError)]
    assert codes == ["invalid_file"] * 4 + ["unsupported_file"]
    assert len(await library.find("storm")) == 6


async def test_two_engines_on_the_same_data(library: Library) -> None:
    """Two windows of the application do this."""
    other = FileSearch(library.data_dir, library.database)
    other.start()
    files = [await library.attach(f"{number}.txt", LOGBOOK + f"storm {number}") for number in range(10)]
    await asyncio.gather(*(library.ingest(file_id) for file_id in files))
    assert len({hit.file_id for hit in await other.search([library.store], ["storm"], max_results=20)}) == 10
    assert len({hit.file_id for hit in await library.find("storm", max_results=20)}) == 10
    both = await library.attach("both.txt", LOGBOOK * 50)
    path = library.path(both)
    one, two = await asyncio.gather(
        library.search.ingest(library.store, both, path, "both.txt", Chunking()),
        other.ingest(library.store, both, path, "both.txt", Chunking()),
    )
    assert one == two
    positions = [chunk.start async for chunk in other.chunks(library.store, both)]
    assert len(positions) == len(set(positions)) == one.chunk_count
    await other.close()


async def test_progress(library: Library) -> None:
    assert (await library.search.progress()).chunks == 0
    done = await library.ingest(await library.attach("log.txt", LOGBOOK))
    await library.find("wind")
    progress = await library.search.progress()
    assert (progress.reading, progress.chunks, progress.with_words) == (0, done.chunk_count, done.chunk_count)
    assert progress.embedding_model is None
