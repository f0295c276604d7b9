"""Runs that search documents: what is found, shown, cited, waited for and refused."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from assistants_tui.engine.search.search import FileSearch
from assistants_tui.protocol.objects import Json
from support.engine import ManualClock, settled, turn_of_another_engine, upload
from support.engines import Event, ServedEngine, data_of, engine, names, text_of
from support.model_endpoint import calls, refuses, says
from support.patience import until

SEARCH = {"type": "file_search"}
LEDGER = b"# Rent\n\nThe rent is due on the first of May.\n\n# Heating\n\nHeating costs 80 euros.\n"
STATUTES = b"The landlord may raise the rent once a year.\n"
CONTENT = "step_details.tool_calls[*].file_search.results[*].content"


def look_up(*queries: str) -> Any:
    """The model searches."""
    return calls(*(("file_search", json.dumps({"query": query})) for query in queries))


async def attached(served_engine: ServedEngine, *files: tuple[str, bytes], question: str = "Rent?") -> str:
    """A thread whose first message brings files."""
    made = [await upload(served_engine.http, name, data) for name, data in files]
    attachments = [{"file_id": file["id"], "tools": [SEARCH]} for file in made]
    message = {"role": "user", "content": question, "attachments": attachments}
    return str((await served_engine.post("/threads", {"messages": [message]}))["id"])


def results_of(events: list[Event]) -> list[Json]:
    """What each search of a run has found, as its events say."""
    steps = data_of(events, "thread.run.step.completed")
    return [
        call["file_search"]
        for step in steps
        for call in step["step_details"].get("tool_calls", [])
        if call["type"] == "file_search"
    ]


def told(served_engine: ServedEngine, prompt: int = -1) -> str:
    """The last result of a tool in a prompt."""
    messages = served_engine.prompts[prompt]["messages"]
    return str([message["content"] for message in messages if message["role"] == "tool"][-1])


async def test_an_answer_that_cites(served_engine: ServedEngine) -> None:
    """The order of events is that of the API; each marker has its annotation in its own delta."""
    thread = await attached(served_engine, ("ledger 📒.md", LEDGER))
    assistant = await served_engine.assistant(tools=[SEARCH])
    marker = "【0:0†ledger 📒.md】"
    served_engine.replies(
        look_up("rent due"),
        says("Grüße! 😀 In M", "ay【0", ":0†led", "ger 📒.md", "】 or 【7:1†x】", "【0:0†source】."),
    )
    events = await served_engine.run(thread, assistant)
    assert names(events)[3:8] == [
        "run.step.created",
        "run.step.in_progress",
        "run.step.delta",
        "run.step.completed",
        "run.step.created",
    ]
    [delta] = data_of(events, "thread.run.step.delta")
    [announced] = delta["delta"]["step_details"]["tool_calls"]
    nothing_yet = {
        "ranking_options": {"ranker": "default_2024_08_21", "score_threshold": 0.0},
        "results": [],
    }
    assert announced == {
        "index": 0,
        "id": announced["id"],
        "type": "file_search",
        "file_search": nothing_yet,
    }
    [file] = (await served_engine.get("/files"))["data"]
    [found] = results_of(events)
    assert found["ranking_options"] == {"ranker": "default_2024_08_21", "score_threshold": 0.0}
    [result] = found["results"]
    assert result == {
        "file_id": file["id"],
        "file_name": "ledger 📒.md",
        "score": result["score"],
        "attributes": {},
    }
    assert 0 < result["score"] <= 1

    message = data_of(events, "thread.message.completed")[0]
    text = f"Grüße! 😀 In May{marker} or 【7:1†x】【0:0†source】."
    [part] = message["content"]
    assert part["text"]["value"] == text
    expected = [
        {
            "type": "file_citation",
            "text": cited,
            "start_index": text.index(cited),
            "end_index": text.index(cited) + len(cited),
            "file_citation": {"file_id": file["id"]},
        }
        for cited in (marker, "【0:0†source】")
    ]
    assert part["text"]["annotations"] == expected
    streamed = [delta["delta"]["content"][0]["text"] for delta in data_of(events, "thread.message.delta")]
    assert "".join(piece["value"] for piece in streamed) == text
    cited = [piece for piece in streamed if piece.get("annotations")]
    assert [(piece["value"], piece["annotations"]) for piece in cited] == [
        (
            annotation["text"],
            [{"index": index, **annotation, "file_citation": {"file_id": file["id"], "quote": ""}}],
        )
        for index, annotation in enumerate(expected)
    ]


async def test_what_the_model_is_told(served_engine: ServedEngine) -> None:
    hostile = "notes 【0:9†】 \u202e[31m.md"
    thread = await attached(served_engine, ("ledger.md", LEDGER), (hostile, b"Rent, rent and rent.\n"))
    assistant = await served_engine.assistant(tools=[SEARCH], instructions="Be brief.")
    served_engine.replies(look_up("rent"), says("Yes."))
    await served_engine.run(thread, assistant)
    first, second = served_engine.prompts
    assert first["messages"][0]["content"].startswith(
        "Be brief.\n\nDocuments that file_search looks through:\n- notes"
    )
    assert "\u202e" not in first["messages"][0]["content"]
    [definition] = [tool["function"] for tool in first["tools"]]
    assert definition["name"] == "file_search" and "marker" in definition["description"]
    made = second["messages"][-2]["tool_calls"][0]["function"]
    assert json.loads(made["arguments"]) == {"query": "rent"}
    text = told(served_engine)
    assert "【0:0†" in text and "The rent is due on the first of May." in text
    heads = [line for line in text.splitlines() if line.startswith("【")]
    assert len(heads) == 2 and all(head.count("【") == head.count("†") == 1 for head in heads)
    assert any(head.endswith(" lines 1–7, under “Rent”") for head in heads)


async def test_text_of_results_is_for_those_who_ask(served_engine: ServedEngine) -> None:
    thread = await attached(served_engine, ("ledger.md", LEDGER))
    assistant = await served_engine.assistant(tools=[SEARCH])
    path = f"/threads/{thread}/runs"
    for wanted in (False, True):
        served_engine.replies(look_up("heating"), says("80."))
        query = f"?include[]={CONTENT}" if wanted else ""
        events = await served_engine.events(path + query, {"assistant_id": assistant})
        [result] = results_of(events)[0]["results"]
        assert ("content" in result) == wanted
        run_id = events[0][1]["id"]
        for asked in (False, True):
            query = f"?include[]={CONTENT}" if asked else ""
            steps = (await served_engine.get(f"{path}/{run_id}/steps{query}"))["data"]
            calls_of = next(step for step in steps if step["type"] == "tool_calls")["step_details"]
            [stored] = calls_of["tool_calls"][0]["file_search"]["results"]
            assert ("content" in stored) == asked
        [content] = stored["content"]
        assert content["type"] == "text" and "Heating costs 80 euros." in content["text"]
        assert (content["line"], content["heading"]) == (1, "Rent")
    refused = await served_engine.http.post(f"{path}?include[]=all", json={"assistant_id": assistant})
    assert refused.status_code == 400 and refused.json()["error"]["param"] == "include"


async def test_stores_of_assistant_and_thread_are_searched_together(served_engine: ServedEngine) -> None:
    file = await upload(served_engine.http, "statutes.txt", STATUTES)
    resources = {"file_search": {"vector_stores": [{"file_ids": [file["id"]]}]}}
    assistant = await served_engine.assistant(tools=[SEARCH], tool_resources=resources)
    [store] = (await served_engine.get("/vector_stores"))["data"]
    await settled(served_engine.http, f"/vector_stores/{store['id']}")
    thread = await attached(served_engine, ("ledger.md", LEDGER))
    served_engine.replies(look_up("rent", "landlord"), look_up("nothingness"), says("Done【1:0†x】."))
    events = await served_engine.run(thread, assistant)
    rent, landlord, nothing = results_of(events)
    assert {result["file_name"] for result in rent["results"]} == {"ledger.md", "statutes.txt"}
    assert [result["file_name"] for result in landlord["results"]] == ["statutes.txt"]
    assert nothing["results"] == []
    assert told(served_engine).startswith("Nothing was found")
    # Every search has a number of its own.
    second = [m["content"] for m in served_engine.prompts[1]["messages"] if m["role"] == "tool"]
    assert "【0:0†" in second[0] and "【1:0†statutes.txt】" in second[1]


async def test_limits_of_the_tool(served_engine: ServedEngine) -> None:
    files = [(f"{number}.txt", f"The rent of flat {number} is high.".encode()) for number in range(4)]
    thread = await attached(
        served_engine, *files, ("other.txt", b"Rent. " + b"Something else entirely. " * 60)
    )
    for options, count in (
        ({"max_num_results": 2}, 2),
        ({"ranking_options": {"score_threshold": 0.0}}, 5),
        ({"ranking_options": {"score_threshold": 1.0}}, 0),
    ):
        assistant = await served_engine.assistant(tools=[SEARCH | {"file_search": options}])
        served_engine.replies(look_up("the rent of a flat is high"), says("ok"))
        [found] = results_of(await served_engine.run(thread, assistant))
        assert len(found["results"]) == count
        scores = [result["score"] for result in found["results"]]
        assert scores == sorted(scores, reverse=True)


async def test_results_fit_into_what_the_model_reads(served_engine: ServedEngine) -> None:
    """A model whose context turns out to be small gets fewer passages, and the run goes on."""
    words = " ".join(f"Rent in year {year} was {year} euros." for year in range(1500, 3500))
    thread = await attached(served_engine, ("history.txt", words.encode()))
    assistant = await served_engine.assistant(tools=[SEARCH])
    overflow = refuses(
        400,
        {
            "message": "This model's maximum context length is 4096 tokens.",
            "code": "context_length_exceeded",
        },
    )
    served_engine.replies(look_up("rent"), overflow, says("High【0:0†history.txt】."))
    events = await served_engine.run(thread, assistant)
    assert events[-2][1]["status"] == "completed"
    long, short = served_engine.prompts[1:]
    assert len(json.dumps(short)) < len(json.dumps(long)) / 2
    assert len(json.dumps(short["messages"])) < 4 * 4096
    assert "【0:0†history.txt】" in told(served_engine)
    assert data_of(events, "thread.message.completed")[0]["content"][0]["text"]["annotations"]
    # The next search of the same model asks for less to begin with.
    served_engine.replies(look_up("rent"), says("High."))
    await served_engine.post(f"/threads/{thread}/messages", {"role": "user", "content": "Again?"})
    [found] = results_of(await served_engine.run(thread, assistant))
    assert 1 <= len(found["results"]) <= 3


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ('{"queries": ["heating", "rent"]}', 1),
        ("heating", 1),
        (json.dumps('{"rent": 5}'), 0),
        ("{}", 0),
        ('{"query": 5}', 0),
        ('{"query', 0),
        pytest.param("[" * 100_000, 0, id="nested deeply"),
    ],
)
async def test_arguments_as_models_write_them(
    served_engine: ServedEngine, arguments: str, found: int
) -> None:
    thread = await attached(served_engine, ("ledger.md", LEDGER))
    served_engine.replies(calls(("file_search", arguments)), says("ok"))
    events = await served_engine.run(thread, await served_engine.assistant(tools=[SEARCH]))
    assert events[-2][1]["status"] == "completed"
    assert len(results_of(events)[0]["results"]) == found


async def test_of_very_many_queries_the_first_are_looked_for(
    served_engine: ServedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    search = FileSearch.search

    async def noted(self: FileSearch, stores: Any, queries: Sequence[str], **options: Any) -> Any:
        asked.extend(queries)
        return await search(self, stores, queries, **options)

    monkeypatch.setattr(FileSearch, "search", noted)
    thread = await attached(served_engine, ("ledger.md", LEDGER))
    arguments = json.dumps({"queries": [f"rent {number}" for number in range(1000)]})
    served_engine.replies(calls(("file_search", arguments)), says("ok"))
    await served_engine.run(thread, await served_engine.assistant(tools=[SEARCH]))
    assert asked == [f"rent {number}" for number in range(20)]


async def test_without_documents(served_engine: ServedEngine) -> None:
    served_engine.replies(look_up("rent"), says("Attach one."))
    assistant = await served_engine.assistant(tools=[SEARCH])
    events = await served_engine.run(await served_engine.thread("Rent?"), assistant)
    assert results_of(events)[0]["results"] == []
    assert "There are no documents" in told(served_engine)
    assert "There are no documents" in served_engine.prompts[0]["messages"][0]["content"]


async def test_documents_that_cannot_be_read_are_told_with_the_reason(served_engine: ServedEngine) -> None:
    """Also after a wait for outputs, and beside documents that could be read."""
    today = {"type": "function", "function": {"name": "today"}}
    assistant = await served_engine.assistant(tools=[SEARCH, today])
    thread = await attached(served_engine, ("scan【0:9†】.pdf", b"%PDF-1.4 not really"))
    [store] = (await served_engine.get(f"/threads/{thread}"))["tool_resources"]["file_search"][
        "vector_store_ids"
    ]
    await settled(served_engine.http, f"/vector_stores/{store}")
    [file] = (await served_engine.get(f"/vector_stores/{store}/files"))["data"]
    expected = f"- scan_0:9__.pdf: {file['last_error']['message']}"
    served_engine.replies(look_up("rent"), calls(("today", "{}")), says("It cannot be read."))
    run = (await served_engine.run(thread, assistant))[-2][1]
    [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = {"tool_outputs": [{"tool_call_id": call["id"], "output": "1 May"}]}
    await served_engine.events(f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs", outputs)
    for prompt in served_engine.prompts:
        system, searches = prompt["messages"][0], [m for m in prompt["messages"] if m["role"] == "tool"][:1]
        for message in (system, *searches):
            assert expected in message["content"].splitlines()
            assert "no documents" not in message["content"]
            assert "the documents do not say" not in message["content"]

    ledger = await upload(served_engine.http, "ledger.md", LEDGER)
    await served_engine.post(f"/vector_stores/{store}/files", {"file_id": ledger["id"]})
    served_engine.replies(look_up("rent due"), look_up("parking"), says("In May."))
    await served_engine.post(f"/threads/{thread}/messages", {"role": "user", "content": "Now?"})
    run = (await served_engine.run(thread, await served_engine.assistant(tools=[SEARCH])))[-2][1]
    first, second = [m["content"] for m in served_engine.prompts[-1]["messages"] if m["role"] == "tool"]
    lines = first.splitlines()
    assert "The rent is due" in first and lines.index(expected) < lines.index(
        "The rent is due on the first of May."
    )
    assert second.startswith("Nothing was found") and expected in second.splitlines()
    system = served_engine.prompts[-1]["messages"][0]["content"]
    assert "looks through:\n- ledger.md\n\n" in system and expected in system.splitlines()


async def test_citing_what_was_found_before_a_wait_for_outputs(served_engine: ServedEngine) -> None:
    function = {"type": "function", "function": {"name": "today", "parameters": {"type": "object"}}}
    assistant = await served_engine.assistant(tools=[SEARCH, function])
    thread = await attached(served_engine, ("ledger.md", LEDGER))
    served_engine.replies(look_up("rent"), calls(("today", "{}")), says("In May【0:0†ledger.md】."))
    events = await served_engine.run(thread, assistant)
    run = events[-2][1]
    [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = {"tool_outputs": [{"tool_call_id": call["id"], "output": "1 April"}]}
    later = await served_engine.events(f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs", outputs)
    [part] = data_of(later, "thread.message.completed")[0]["content"]
    assert [annotation["text"] for annotation in part["text"]["annotations"]] == ["【0:0†ledger.md】"]
    told_again = [m["content"] for m in served_engine.prompts[-1]["messages"] if m["role"] == "tool"]
    assert "The rent is due" in told_again[0]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def timed(tmp_path: Path, clock: ManualClock) -> AsyncIterator[ServedEngine]:
    """An engine whose time the test moves."""
    async with engine(tmp_path / "data", clock=clock) as opened:
        yield opened


async def test_expired_store_of_the_thread(timed: ServedEngine, clock: ManualClock) -> None:
    thread = await attached(timed, ("ledger.md", LEDGER))
    assistant = await timed.assistant(tools=[SEARCH])
    [store] = (await timed.get(f"/threads/{thread}"))["tool_resources"]["file_search"]["vector_store_ids"]
    clock.advance(7 * 86_400)
    events = await timed.run(thread, assistant)
    run = events[-2][1]
    assert (run["status"], run["last_error"]["code"]) == ("failed", "server_error")
    assert f"vector store {store} of this thread has expired" in run["last_error"]["message"]
    assert timed.prompts == []
    # Without file search the store does not matter.
    timed.replies(says("Hello."))
    assert (await timed.run(thread, await timed.assistant()))[-2][1]["status"] == "completed"


async def test_searching_puts_off_the_expiry(timed: ServedEngine, clock: ManualClock) -> None:
    thread = await attached(timed, ("ledger.md", LEDGER))
    assistant = await timed.assistant(tools=[SEARCH])
    [store] = (await timed.get(f"/threads/{thread}"))["tool_resources"]["file_search"]["vector_store_ids"]
    clock.advance(86_400)
    timed.replies(look_up("rent"), says("May."))
    await timed.run(thread, assistant)
    used = await timed.get(f"/vector_stores/{store}")
    assert (used["last_active_at"], used["expires_at"]) == (int(clock.now), int(clock.now) + 7 * 86_400)


@asynccontextmanager
async def unread_document(timed: ServedEngine, data_dir: Path, thread: str) -> AsyncIterator[None]:
    """A second document in a thread that is not read yet: it is another engine's turn."""
    async with turn_of_another_engine(data_dir):
        file = await upload(timed.http, "late.txt", b"Late rent.")
        message = {
            "role": "user",
            "content": "And?",
            "attachments": [{"file_id": file["id"], "tools": [SEARCH]}],
        }
        await timed.post(f"/threads/{thread}/messages", message)
        yield


async def test_waiting_for_the_threads_files(timed: ServedEngine, clock: ManualClock, tmp_path: Path) -> None:
    """Up to a minute; what is not read then is not searched, and the model is told so."""
    thread = await attached(timed, ("ledger.md", LEDGER))
    assistant = await timed.assistant(tools=[SEARCH])
    [store] = (await timed.get(f"/threads/{thread}"))["tool_resources"]["file_search"]["vector_store_ids"]
    await settled(timed.http, f"/vector_stores/{store}")
    timed.replies(look_up("rent"), says("May."))
    events = []
    async with (
        unread_document(timed, tmp_path / "data", thread),
        timed.streaming(f"/threads/{thread}/runs", {"assistant_id": assistant}) as stream,
    ):
        async for event in stream:
            events.append(event)
            if event[0] == "thread.run.step.delta":
                clock.advance(59)
                asyncio.get_running_loop().call_later(0.3, clock.advance, 1)
    assert [result["file_name"] for result in results_of(events)[0]["results"]] == ["ledger.md"]
    assert "1 of the documents are still being read" in told(timed)
    await settled(timed.http, f"/vector_stores/{store}")
    timed.replies(look_up("late rent"), says("May."))
    assert len(results_of(await timed.run(thread, assistant))[0]["results"]) == 2


@asynccontextmanager
async def unread_store(timed: ServedEngine, data_dir: Path) -> AsyncIterator[Json]:
    """The tool resources of an assistant whose only document is not read yet."""
    async with turn_of_another_engine(data_dir):
        file = await upload(timed.http, "ledger.md", LEDGER)
        store = (await timed.post("/vector_stores", {"file_ids": [file["id"]]}))["id"]
        yield {"file_search": {"vector_store_ids": [store]}}


async def test_the_files_of_an_assistant_are_waited_for(timed: ServedEngine, tmp_path: Path) -> None:
    timed.replies(look_up("rent"), says("May."))
    thread = await timed.thread("Rent?")
    async with unread_store(timed, tmp_path / "data") as resources:
        assistant = await timed.assistant(tools=[SEARCH], tool_resources=resources)
        run = await timed.post(f"/threads/{thread}/runs", {"assistant_id": assistant})
        path = f"/threads/{thread}/runs/{run['id']}/steps"
        await until("the run has a step", lambda: timed.listed(path))
        step = (await timed.listed(path))[0]
        assert (step["type"], step["status"]) == ("tool_calls", "in_progress")
    assert (await timed.settled(thread, run["id"]))["status"] == "completed"
    assert "The rent is due" in told(timed)
    assert "looks through:\n- ledger.md" in timed.prompts[0]["messages"][0]["content"]


async def test_a_document_that_turns_out_unreadable_while_it_is_waited_for(
    timed: ServedEngine, tmp_path: Path
) -> None:
    timed.replies(look_up("rent"), says("It cannot be read."))
    assistant = await timed.assistant(tools=[SEARCH])
    async with turn_of_another_engine(tmp_path / "data"):
        thread = await attached(timed, ("scan.pdf", b"%PDF-1.4 not really"))
        run = await timed.post(f"/threads/{thread}/runs", {"assistant_id": assistant})
        path = f"/threads/{thread}/runs/{run['id']}/steps"
        await until("the run has a step", lambda: timed.listed(path))
    assert (await timed.settled(thread, run["id"]))["status"] == "completed"
    for text in (told(timed), timed.prompts[-1]["messages"][0]["content"]):
        assert "\n- scan.pdf: " in text and "looks through:" not in text
        assert "no documents" not in text and "the documents do not say" not in text


async def test_after_a_wait_it_is_still_told_that_there_are_no_documents(served_engine: ServedEngine) -> None:
    today = {"type": "function", "function": {"name": "today"}}
    served_engine.replies(look_up("rent"), calls(("today", "{}")), says("Attach one."))
    thread = await served_engine.thread("Rent?")
    run = (await served_engine.run(thread, await served_engine.assistant(tools=[SEARCH, today])))[-2][1]
    [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = {"tool_outputs": [{"tool_call_id": call["id"], "output": "1 May"}]}
    await served_engine.events(f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs", outputs)
    before, after = [
        next(m["content"] for m in prompt["messages"] if m["role"] == "tool")
        for prompt in served_engine.prompts[1:]
    ]
    assert before == after and before.startswith("There are no documents")


async def test_what_is_still_being_read_is_not_denied(
    timed: ServedEngine, clock: ManualClock, tmp_path: Path
) -> None:
    """A minute for all searches of the run together, and after a wait for outputs it is still told so."""
    today = {"type": "function", "function": {"name": "today"}}
    timed.replies(look_up("rent"), look_up("heating"), calls(("today", "{}")), says("They are being read."))
    thread = await timed.thread("Rent?")
    async with unread_store(timed, tmp_path / "data") as resources:
        assistant = await timed.assistant(tools=[SEARCH, today], tool_resources=resources)
        async with timed.streaming(f"/threads/{thread}/runs", {"assistant_id": assistant}) as stream:
            async for name, data in stream:
                if name == "thread.run.step.delta" and len(timed.prompts) == 1:
                    asyncio.get_running_loop().call_later(0.2, clock.advance, 60)
                if name == "thread.run.requires_action":
                    run = data
        [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        outputs = {"tool_outputs": [{"tool_call_id": call["id"], "output": "1 May"}]}
        await timed.events(f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs", outputs)
    for prompt in timed.prompts[2:]:
        searches = [message["content"] for message in prompt["messages"] if message["role"] == "tool"][:2]
        assert len(searches) == 2
        for text in searches:
            assert "1 of the documents are still being read" in text
            assert "the documents do not say" not in text and "no documents" not in text


async def test_cancelling_while_files_are_waited_for(timed: ServedEngine, tmp_path: Path) -> None:
    thread = await attached(timed, ("ledger.md", LEDGER))
    assistant = await timed.assistant(tools=[SEARCH])
    timed.replies(look_up("rent"))
    events = []
    async with (
        unread_document(timed, tmp_path / "data", thread),
        timed.streaming(f"/threads/{thread}/runs", {"assistant_id": assistant}) as stream,
    ):
        async for event in stream:
            events.append(event)
            if event[0] == "thread.run.step.delta":
                await timed.post(f"/threads/{thread}/runs/{events[0][1]['id']}/cancel")
    assert names(events)[-3:] == ["run.step.cancelled", "run.cancelled", "done"]


async def test_the_sdk_sees_it_all(served_engine: ServedEngine) -> None:
    thread = await attached(served_engine, ("ledger.md", LEDGER))
    assistant = await served_engine.assistant(tools=[SEARCH])
    served_engine.replies(look_up("rent"), says("May【0:0†ledger.md】."))
    include: Any = [CONTENT]
    runs = served_engine.sdk.beta.threads.runs
    query = {"include[]": CONTENT}
    async with runs.stream(thread_id=thread, assistant_id=assistant, extra_query=query) as stream:
        await stream.until_done()
        [message] = await stream.get_final_messages()
        run = stream.current_run
    assert run is not None and run.status == "completed"
    [part] = message.content
    assert part.type == "text" and part.text.annotations[0].text == "【0:0†ledger.md】"
    steps = await runs.steps.list(run.id, thread_id=thread, include=include, order="asc")
    details = steps.data[0].step_details
    assert details.type == "tool_calls"
    [call] = details.tool_calls
    assert call.type == "file_search" and call.file_search.results is not None
    [result] = call.file_search.results
    assert result.content is not None and "due on the first of May" in (result.content[0].text or "")


async def test_code_and_documents_in_one_thread(served_engine: ServedEngine) -> None:
    """A document for both tools is searched, and named among the files for code."""
    file = await upload(served_engine.http, "ledger.md", LEDGER)
    tools = [SEARCH, {"type": "code_interpreter"}]
    message = {"role": "user", "content": "x", "attachments": [{"file_id": file["id"], "tools": tools}]}
    thread = str((await served_engine.post("/threads", {"messages": [message]}))["id"])
    served_engine.replies(look_up("rent"), says("May."))
    events = await served_engine.run(thread, await served_engine.assistant(tools=tools))
    assert len(results_of(events)[0]["results"]) == 1
    system = served_engine.prompts[0]["messages"][0]["content"]
    assert "- /mnt/data/ledger.md" in system and "looks through:\n- ledger.md" in system
    assert text_of(data_of(events, "thread.message.completed")[0]) == "May."
