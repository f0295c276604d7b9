"""The files of a thread, and what its runs used."""

from typing import Any, cast

from assistants_tui.protocol.objects import Message, Run, RunStep
from assistants_tui.service.files.thread_files import ThreadFile, thread_files
from assistants_tui.service.runs.state import RunState, from_objects
from assistants_tui.service.runs.usage import Total, UsageCount
from assistants_tui.settings.config import Price


def message(role: str, *parts: dict[str, Any], attached: tuple[str, ...] = ()) -> Message:
    attachments = [{"file_id": file_id, "tools": []} for file_id in attached]
    return cast(Message, {"id": "m", "role": role, "content": list(parts), "attachments": attachments})


def text(*annotations: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": {"value": "", "annotations": list(annotations)}}


def run(usage: tuple[int, int] | None, model: str = "m", *steps: dict[str, Any]) -> RunState:
    counted = usage and {
        "prompt_tokens": usage[0],
        "completion_tokens": usage[1],
        "total_tokens": sum(usage),
    }
    item: Any = {"id": f"run_{usage}_{model}", "thread_id": "t", "model": model, "usage": counted}
    return from_objects(cast(Run, item), cast("list[RunStep]", steps), [])


def test_every_file_is_listed_once_with_what_it_is_in_the_thread() -> None:
    messages = [
        message("user", {"type": "image_file", "image_file": {"file_id": "f-photo"}}, attached=("f-csv",)),
        message(
            "assistant",
            text(
                {"type": "file_citation", "text": "【0:0†a.txt】", "file_citation": {"file_id": "f-cited"}},
                {"type": "file_citation", "text": "【0:1†b】", "file_citation": {"file_id": "f-csv"}},
                {
                    "type": "file_path",
                    "text": "sandbox:/mnt/data/out/plan.csv",
                    "file_path": {"file_id": "f-plan"},
                },
                {"type": "file_path", "text": "x", "file_path": None},
                {"type": "telepathy", "text": "x"},
            ),
            {"type": "image_file", "image_file": {"file_id": "f-plot"}},
            {"type": "image_url", "image_url": {"url": "https://example.org/x.png"}},
        ),
    ]
    step = {
        "id": "s",
        "step_details": {
            "tool_calls": [
                {
                    "type": "code_interpreter",
                    "code_interpreter": {
                        "outputs": [
                            {"type": "image", "image": {"file_id": "f-hidden"}},
                            {"type": "image", "image": {"file_id": "f-plot"}},
                            {"type": "logs", "logs": "1"},
                        ]
                    },
                }
            ]
        },
    }
    assert thread_files(messages, [run(None, "m", step)]) == [
        ThreadFile("f-csv", "attached"),
        ThreadFile("f-photo", "attached"),
        ThreadFile("f-cited", "cited"),
        ThreadFile("f-plan", "produced", "plan.csv"),
        ThreadFile("f-plot", "produced"),
        ThreadFile("f-hidden", "produced"),
    ]


def test_tokens_are_summed_and_priced_where_prices_are_known() -> None:
    prices = {"big": Price(2.5, 10.0)}
    runs = [run((1000, 200), "big"), run((10, 5), "other"), run(None, "big"), run((3000, 0), "big")]
    used = UsageCount()
    for state in runs:
        assert state.run is not None
        used.put({**state.run, "usage": None})
        used.put(state.run)
        used.put(state.run)
    total = used.total(prices)
    assert total == Total(4010, 205, (4000 * 2.5 + 200 * 10) / 1e6, 15)
    assert total.tokens == used.tokens == 4215
    assert used.total({}).cost is None
    assert UsageCount().total(prices) == Total()
    more: Any = {"prompt_tokens": 2000, "completion_tokens": 300, "total_tokens": 2300}
    used.put(cast(Run, {"id": "run_(1000, 200)_big", "model": "big", "usage": more}))
    assert used.tokens == 4215 + 1100, "a run that goes on counts once"
