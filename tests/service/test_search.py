import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.service.drafts import Draft
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.search import SearchIndex
from assistants_tui.service.workspace import Workspace
from support.workspaces import settled


def message(text: str, number: int = 1, thread: str = "thread_1", status: str = "completed") -> Any:
    return {
        "id": f"msg_{number}",
        "thread_id": thread,
        "role": "user",
        "status": status,
        "created_at": number,
        "content": [{"type": "text", "text": {"value": text, "annotations": []}}],
    }


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SearchIndex]:
    index = SearchIndex(tmp_path / "cache" / "search.sqlite3")
    yield index
    index.close()


def found(index: SearchIndex, query: str, profile: str = "local") -> list[str]:
    return [hit.message_id for hit in index.find(profile, query)]


def test_words_are_found_in_any_order_cut_short_and_without_their_accents(index: SearchIndex) -> None:
    index.put("local", [message("How many days of leave may I take over?"), message("Ein Café in Paris", 2)])
    assert found(index, "leave days") == ["msg_1"]
    assert found(index, "lea") == ["msg_1"]
    assert found(index, "cafe") == ["msg_2"]
    assert found(index, "leave cafe") == []
    assert found(index, "leave", profile="other") == []
    assert found(index, "   ") == []


def test_a_hit_says_where_it_is_and_marks_the_words(index: SearchIndex) -> None:
    index.put("local", [message("The \x02trick\x03 is to *subtract* eleven\non both sides.")])
    (hit,) = index.find("local", "subtract")
    assert (hit.thread_id, hit.message_id, hit.role, hit.created_at) == ("thread_1", "msg_1", "user", 1)
    assert [text for text, is_match in hit.excerpt if is_match] == ["subtract"]
    assert "".join(text for text, _ in hit.excerpt) == "The trick is to *subtract* eleven on both sides."


def test_scripts_without_spaces_are_found_too(index: SearchIndex) -> None:
    index.put("local", [message("方程式を解いてください")])
    (hit,) = index.find("local", "解いて")
    assert ("解いて", True) in hit.excerpt
    index.put("local", [message("İİİİ 日本語のXYZです", 2)])  # in small letters this text is longer
    (hit,) = index.find("local", "xyz")
    assert ("XYZ", True) in hit.excerpt


def test_a_message_is_there_once_in_its_latest_state_and_not_before_it_is_complete(
    index: SearchIndex,
) -> None:
    index.put("local", [message("half an ans", status="in_progress")])
    assert found(index, "half") == []
    index.put("local", [message("first words")])
    index.put("local", [message("other words")])
    assert found(index, "words") == ["msg_1"]
    assert found(index, "first") == []


def test_what_is_deleted_is_not_found(index: SearchIndex) -> None:
    index.put("local", [message("one leaf"), message("two leaves", 2), message("leafs", 3, "thread_2")])
    index.forget("local", "thread_1", "msg_1")
    assert set(found(index, "lea")) == {"msg_2", "msg_3"}
    index.forget("local", "thread_1")
    assert found(index, "lea") == ["msg_3"]


def test_it_is_there_after_a_restart_and_for_other_windows(index: SearchIndex, tmp_path: Path) -> None:
    other = SearchIndex(tmp_path / "cache" / "search.sqlite3")
    index.put("local", [message("kept")])
    assert found(other, "kept") == ["msg_1"]
    threads = [
        threading.Thread(target=one.put, args=("local", [message(f"kept {number}", number)]))
        for number, one in enumerate([index, other] * 10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert len(found(index, "kept")) == 20
    assert (tmp_path / "cache" / "search.sqlite3").stat().st_mode & 0o077 == 0


def test_a_damaged_index_begins_anew(index: SearchIndex, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "search.sqlite3"
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    index.put("local", [message("again")])
    assert found(index, "again") == ["msg_1"]


def test_an_index_that_cannot_be_written_costs_nothing_but_the_search(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    index = SearchIndex(tmp_path / "cache" / "search.sqlite3")
    index.put("local", [message("lost")])
    index.forget("local", "thread_1")
    with pytest.raises(ServiceError, match="search index"):
        index.find("local", "lost")


@given(texts=st.lists(st.text(max_size=80), max_size=4), query=st.text(max_size=30))
def test_no_text_and_no_query_is_a_syntax_error(texts: list[str], query: str) -> None:
    folder = tempfile.TemporaryDirectory()
    index = SearchIndex(Path(folder.name) / "search.sqlite3")
    index.put("local", [message(text, number) for number, text in enumerate(texts)])
    for hit in index.find("local", query):
        assert hit.thread_id == "thread_1"
    index.close()
    folder.cleanup()


async def test_what_was_read_is_found_until_it_is_deleted(workspace: Workspace) -> None:
    workspace.messages.send(Draft("How many zebras are 2 + 3?"))
    await workspace.conversations.shown.settled()
    thread_id = workspace.conversations.shown.thread_id or ""
    await settled(workspace)
    (hit,) = await workspace.search.find("zebra")
    assert (hit.thread_id, hit.role) == (thread_id, "user")
    await workspace.messages.delete_message(hit.message_id)
    assert await workspace.search.find("zebra") == []
    assert await workspace.conversations.shown.read_until(hit.message_id) is False
