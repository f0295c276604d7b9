from typing import Any

import pytest

from assistants_tui.service.runs import options as run_options
from assistants_tui.service.runs.options import RunOptions

ALL: RunOptions = {
    "assistant_id": "asst_1",
    "model": "gpt-4o",
    "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    "response_format": {"type": "json_object"},
    "truncation_strategy": {"type": "last_messages", "last_messages": 4},
    "additional_instructions": "Say so.",
    "temperature": 0.5,
    "parallel_tool_calls": False,
}


def test_a_badge_says_what_is_different() -> None:
    assert run_options.summary(ALL, {"asst_1": "Math Tutor"}) == (
        "Math Tutor, gpt-4o, tool get_weather, json_object, last 4 messages, additional instructions, "
        "temperature 0.5, one call at a time"
    )
    assert run_options.summary({}, {}) == ""


def test_options_of_the_message_win_over_those_of_the_thread() -> None:
    assert run_options.merged({"model": "a", "top_p": 1.0}, {"model": "b"}) == {"model": "b", "top_p": 1.0}


@pytest.mark.parametrize("options", [{}, ALL])
def test_stored_options_come_back(options: RunOptions) -> None:
    assert run_options.restored(run_options.stored(options)) == options


@pytest.mark.parametrize("text", ["[1]", "{", "null", '{"of_a_later_version": 1}'])
def test_damaged_options_are_none(text: str) -> None:
    assert run_options.restored(text) == {}


@pytest.mark.parametrize("name", ["auto", "none", "required", "code_interpreter", "file_search", "my_fn"])
def test_a_tool_choice_is_written_as_a_name(name: str) -> None:
    assert run_options.tool_name(run_options.tool_choice(name)) == name


def test_json_mode_without_the_word_json_is_warned_of() -> None:
    options: RunOptions = {"response_format": {"type": "json_object"}}
    assistant: Any = {"id": "asst_1", "instructions": "Be brief.", "response_format": "auto"}
    assert "mention JSON" in (run_options.json_warning(options, assistant, ["Hello"]) or "")
    assert run_options.json_warning(options, assistant, ["Answer in Json"]) is None
    assert run_options.json_warning({**options, "instructions": "JSON"}, assistant, []) is None
    assert run_options.json_warning({}, assistant, ["Hello"]) is None
    assistant["response_format"] = {"type": "json_object"}
    assert run_options.json_warning({}, assistant, ["Hello"]) is not None
    assert run_options.json_warning({}, None, ["Hello"]) is None


def test_numbers_have_limits_on_both_sides() -> None:
    assert run_options.number("0,5", 0, 2) == 0.5
    assert run_options.number("2", 0, 2) == 2
    assert run_options.whole_number("256", 256) == 256
    for wrong in ("2.1", "-0.1", "warm", "", "nan"):
        with pytest.raises(ValueError, match="from 0 to 2"):
            run_options.number(wrong, 0, 2)
    for wrong in ("255", "-1", "1.5", "", "٣٠٠"):
        with pytest.raises(ValueError, match="at least 256"):
            run_options.whole_number(wrong, 256)


def test_a_response_format_is_a_word_or_a_schema() -> None:
    assert run_options.response_format("auto") == "auto"
    assert run_options.response_format("json_object") == {"type": "json_object"}
    schema = {"type": "object", "properties": {}}
    wrapped = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    assert run_options.response_format('{"type": "object", "properties": {}}') == wrapped
    named = {"type": "json_schema", "json_schema": {"name": "mine", "schema": schema}}
    assert run_options.response_format(
        '{"name": "mine", "schema": {"type": "object", "properties": {}}}'
    ) == (named)
    for wrong in ("yaml", "[1]", "{"):
        with pytest.raises(ValueError, match="JSON Schema"):
            run_options.response_format(wrong)
