from typing import Any

import pytest

from assistants_tui.service.files.attachments import (
    AttachedFile,
    Use,
    attached_again,
    attachment,
    is_readable,
    purpose,
    uses,
    wire_attachment,
    wire_content,
)


def assistant(*tools: str) -> Any:
    return {"id": "asst_1", "tools": [{"type": tool} for tool in tools]}


@pytest.mark.parametrize(
    ("name", "tools", "best"),
    [
        ("report.pdf", ["file_search"], Use.SEARCH),
        ("report.PDF", ["file_search", "code_interpreter"], Use.BOTH),
        ("speech.csv", ["file_search", "code_interpreter"], Use.CODE),
        ("plot.png", ["code_interpreter"], Use.PICTURE),
        ("notes.md", [], Use.CODE),
        ("no-extension", ["function"], Use.CODE),
    ],
)
def test_the_best_use_fits_the_file_and_the_assistant(name: str, tools: list[str], best: Use) -> None:
    assert uses(name, assistant(*tools))[0] is best


def test_other_uses_can_be_chosen_and_none_is_offered_twice() -> None:
    offered = uses("notes.md", assistant("file_search", "code_interpreter"))
    assert list(offered) == [Use.BOTH, Use.SEARCH, Use.CODE]
    assert list(uses("paste.txt", assistant(), pasted=True)) == [Use.TEXT, Use.CODE, Use.SEARCH]


def test_a_file_that_no_tool_of_the_assistant_reads_is_known() -> None:
    assert not is_readable(Use.CODE, assistant("file_search"))
    assert is_readable(Use.BOTH, assistant("file_search"))
    assert is_readable(Use.PICTURE, assistant())


def test_on_the_wire() -> None:
    assert wire_attachment("file_1", Use.BOTH) == {
        "file_id": "file_1",
        "tools": [{"type": "file_search"}, {"type": "code_interpreter"}],
    }
    assert wire_attachment("file_1", Use.PICTURE) is None
    assert wire_content("Look", []) == "Look"
    assert wire_content("", ["file_1"]) == [{"type": "image_file", "image_file": {"file_id": "file_1"}}]
    assert purpose(Use.PICTURE) == "vision"
    uploaded: Any = {"id": "file_1", "filename": "plot.png"}
    assert attachment(uploaded, assistant())["tools"] == [{"type": "code_interpreter"}]


def test_files_of_a_message_are_attached_again_as_they_were() -> None:
    again = attached_again(
        [
            {"file_id": "file_1", "tools": [{"type": "file_search"}]},
            {"file_id": "file_2", "tools": []},
        ],
        {"file_1": "report.pdf"},
    )
    assert again == [
        AttachedFile("report.pdf", file_id="file_1", use=Use.SEARCH),
        AttachedFile("file_2", file_id="file_2"),
    ]
