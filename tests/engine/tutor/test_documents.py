"""The tutor on documents: it quotes what they say, cites it, and says when they say nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support.engine import settled, upload
from support.engines import Event, ServedEngine, data_of, engine, names, text_of

HANDBOOK = b"""# Staff handbook

Welcome to Norwind. This handbook explains how we work.

## Vacation

Full-time employees get 25 days of paid leave each year. Unused days
expire at the end of March of the following year.

## Expenses

- Train tickets are refunded in full.
- Hotel nights are refunded up to 120 euros per night.
"""
OFFICE = "The office rent is 4,200 euros, due on the first. The landlord is Mrs. Aalto 【0:1†handbook.md】.\n"


@pytest.fixture
async def tutor(tmp_path: Path) -> AsyncIterator[ServedEngine]:
    async with engine(tmp_path / "data", tutor=True, starter_assistants=True) as opened:
        yield opened


async def hr_helper(tutor: ServedEngine) -> str:
    listed = (await tutor.get("/assistants"))["data"]
    return next(str(assistant["id"]) for assistant in listed if assistant["name"] == "HR Helper")


async def with_documents(tutor: ServedEngine, question: str) -> str:
    """A thread with both documents, and a question."""
    files = {"handbook.md": HANDBOOK, "office.txt": OFFICE.encode()}
    ids = [(await upload(tutor.http, name, data))["id"] for name, data in files.items()]
    attachments = [{"file_id": file_id, "tools": [{"type": "file_search"}]} for file_id in ids]
    message = {"role": "user", "content": question, "attachments": attachments}
    return str((await tutor.post("/threads", {"messages": [message]}))["id"])


def answer_of(events: list[Event]) -> dict[str, Any]:
    """What the answer says without the tutor's note about itself, and the files cited in order."""
    assert events[-2][1]["status"] == "completed", events[-2][1]
    message = data_of(events, "thread.message.completed")[-1]
    cited = message["content"][0]["text"]["annotations"]
    for annotation in cited:
        assert text_of(message)[annotation["start_index"] : annotation["end_index"]] == annotation["text"]
    text = text_of(message).partition("\n\n---\n\n")[0]
    return {"text": text, "cited": [annotation["text"] for annotation in cited]}


async def test_answers_from_documents(tutor: ServedEngine) -> None:
    helper = await hr_helper(tutor)
    thread = await with_documents(tutor, "How many days of vacation do employees get?")
    events = await tutor.run(thread, helper)
    assert "run.step.delta" in names(events)
    assert answer_of(events) == {
        "text": (
            "**handbook.md** says:\n\n"
            "> Full-time employees get 25 days of paid leave each year.【0:0†handbook.md】"
        ),
        "cited": ["【0:0†handbook.md】"],
    }

    async def ask(question: str) -> dict[str, Any]:
        await tutor.post(f"/threads/{thread}/messages", {"role": "user", "content": question})
        return answer_of(await tutor.run(thread, helper))

    # Line breaks do not cut a sentence, nor do abbreviations; a marker in a document cites nothing.
    said = await ask("When do unused days expire?")
    assert "> Unused days expire at the end of March of the following year.【" in said["text"]
    said = await ask("Who is the landlord?")
    assert "> The landlord is Mrs. Aalto [0:1†handbook.md].【0:0†office.txt】" in said["text"]
    assert said["cited"] == ["【0:0†office.txt】"]

    combined = await ask("What about hotels and train tickets, and when is the office rent due?")
    assert combined["text"].startswith("Several of your documents say something about this.")
    for part in ("Hotel nights are refunded up to 120", "Train tickets are refunded", "office rent is 4,200"):
        assert part in combined["text"]
    assert len(combined["cited"]) == 3

    nothing = await ask("Who won the world cup?")
    assert "found nothing that answers this" in nothing["text"]
    assert "**handbook.md**" in nothing["text"] and nothing["cited"] == []

    overview = await ask("Summarise these documents")
    assert "Welcome to Norwind." in overview["text"] and len(overview["cited"]) == 2

    assert "`handbook.md`" in (await ask("Hello!"))["text"]


async def test_without_documents_it_says_what_to_do(tutor: ServedEngine) -> None:
    thread = await tutor.thread("How many days of vacation do I have?")
    answer = answer_of(await tutor.run(thread, await hr_helper(tutor)))
    assert "there is none yet. Attach one to your next message" in answer["text"]


@pytest.mark.parametrize("choice", ["required", {"type": "file_search"}])
async def test_runs_that_insist_on_a_search(tutor: ServedEngine, choice: Any) -> None:
    helper = await hr_helper(tutor)
    empty = await tutor.run(await tutor.thread("Hello!"), helper, tool_choice=choice)
    assert "There is no document to search yet" in answer_of(empty)["text"]
    events = await tutor.run(await with_documents(tutor, "The rent?"), helper, tool_choice=choice)
    assert "office rent is 4,200 euros" in answer_of(events)["text"]


@pytest.mark.parametrize("question", ["Who is the landlord?", "What is this about?", "Hello!"])
async def test_a_document_that_cannot_be_read_is_named_with_the_reason(
    tutor: ServedEngine, question: str
) -> None:
    file = await upload(tutor.http, "scan.pdf", b"%PDF-1.4 not really")
    attachments = [{"file_id": file["id"], "tools": [{"type": "file_search"}]}]
    message = {"role": "user", "content": question, "attachments": attachments}
    thread = await tutor.post("/threads", {"messages": [message]})
    [store] = thread["tool_resources"]["file_search"]["vector_store_ids"]
    failed = await settled(tutor.http, f"/vector_stores/{store}/files/{file['id']}")
    answer = answer_of(await tutor.run(thread["id"], await hr_helper(tutor)))["text"]
    if question == "Hello!":
        assert "none that I could read" in answer
    else:
        assert f"- scan.pdf: {failed['last_error']['message']}" in answer.splitlines()
    assert "no document" not in answer and "none yet" not in answer


async def test_numbers_are_looked_up_where_nothing_computes(tutor: ServedEngine) -> None:
    helper = await hr_helper(tutor)
    thread = await with_documents(tutor, "What costs up to 120 euros per night, or 4,200?")
    assert "Hotel nights" in answer_of(await tutor.run(thread, helper))["text"]
