"""What is wrong with an assistant before a server says so, and what is allowed but may surprise.

Limits are those of the API reference (https://platform.openai.com/docs/api-reference/assistants/createAssistant);
lengths count Unicode code points.
"""

import math
from typing import cast, get_args

from assistants_tui.protocol import limits
from assistants_tui.protocol.names import has_control_characters
from assistants_tui.protocol.objects import Json
from assistants_tui.service import metadata
from assistants_tui.service.assistants.draft import AssistantDraft, Field
from assistants_tui.service.functions.definitions import function_problem
from assistants_tui.service.functions.json_schema import schema_problem, strict_problem

RESPONSE_FORMATS = ("auto", "text", "json_object", "json_schema")
REASONING_EFFORTS = get_args(limits.ReasoningEffort)


def max_instructions(*, azure: bool, new: bool) -> int:
    """How many characters the instructions may have."""
    return limits.MAX_AZURE_INSTRUCTIONS if azure and not new else limits.MAX_INSTRUCTIONS


def problems(
    draft: AssistantDraft, *, before: AssistantDraft | None = None, azure: bool = False
) -> dict[Field, str]:
    """What the API does not allow, by field, each as one sentence.

    `before` is what an existing assistant has; instructions that are too long but stay are no problem.
    `azure`: the server is Azure OpenAI, which takes shorter instructions when an assistant is changed.
    """
    instructions = draft.instructions if before is None or draft.instructions != before.instructions else ""
    found: dict[Field, str | None] = {
        "name": _too_long(draft.name, limits.MAX_NAME) or _control_problem(draft.name),
        "description": _too_long(draft.description, limits.MAX_DESCRIPTION),
        "model": None if draft.model.strip() else _no_model(azure),
        "instructions": _too_long(instructions, max_instructions(azure=azure, new=before is None)),
        "file_ids": _too_many(len(draft.file_ids), limits.MAX_CODE_FILES, "files"),
        "max_num_results": _number_problem(draft.max_num_results, *limits.SEARCH_RESULTS, whole=True),
        "score_threshold": _number_problem(draft.score_threshold, *limits.SCORE_THRESHOLD),
        "vector_store_ids": _too_many(len(draft.vector_store_ids), limits.MAX_SEARCH_STORES, "vector store"),
        "functions": _functions_problem(draft),
        "response_format": _format_problem(draft.response_format),
        "temperature": _number_problem(draft.temperature, *limits.TEMPERATURE),
        "top_p": _number_problem(draft.top_p, *limits.TOP_P),
        "metadata": _metadata_problem(draft.metadata),
    }
    return {field: problem for field, problem in found.items() if problem}


def hints(draft: AssistantDraft) -> dict[Field, str]:
    """What the API allows, but what may surprise: by field, each as one sentence."""
    found: dict[Field, str] = {}
    if _differs(draft.temperature) and _differs(draft.top_p):
        found["top_p"] = "Change temperature or top_p, not both: together their effect is hard to foresee."
    if draft.format_kind in {"json_object", "json_schema"}:
        if draft.code_interpreter or draft.file_search:
            found["response_format"] = "Servers take JSON formats only where all tools are functions."
        elif draft.format_kind == "json_object" and "json" not in draft.instructions.casefold():
            found["response_format"] = (
                "The instructions do not mention JSON: say it there or in each message, else the answer may "
                "be white space without end."
            )
    if draft.file_search and not draft.vector_store_ids:
        found["vector_store_ids"] = "Without a store it searches only the files that come with messages."
    if draft.vector_store_ids and not draft.file_search:
        found["vector_store_ids"] = "Used once file search is on."
    if draft.file_ids and not draft.code_interpreter:
        found["file_ids"] = "Used once the code interpreter is on."
    return found


def json_schema_problem(named: Json) -> str | None:
    """What is wrong with the `json_schema` of a response format: an object with a name and a schema."""
    if (problem := function_problem({"name": named.get("name")})) is not None:
        return problem.replace("A definition", "A schema")
    if unknown := sorted(named.keys() - {"name", "description", "schema", "strict"}):
        return f"{unknown[0]!r} does not belong here; allowed are description, name, schema and strict."
    if named.get("schema") is not None and (problem := schema_problem(named["schema"])) is not None:
        return problem
    return strict_problem(named.get("schema") or {}) if named.get("strict") is True else None


def _no_model(azure: bool) -> str:
    return "An assistant needs a model" + (": on Azure the name of a deployment." if azure else ".")


def _control_problem(name: str) -> str | None:
    return "A name has no control characters, such as line breaks." if has_control_characters(name) else None


def _too_long(text: str, most: int) -> str | None:
    return f"{len(text):,} characters; {most:,} are allowed." if len(text) > most else None


def _too_many(count: int, most: int, what: str) -> str | None:
    return f"{count} are chosen; at most {most} {what} can be." if count > most else None


def _functions_problem(draft: AssistantDraft) -> str | None:
    count = len(draft.functions) + len(draft.other_tools) + draft.code_interpreter + draft.file_search
    if count > limits.MAX_TOOLS:
        return f"With these, there are {count} tools; {limits.MAX_TOOLS} are allowed."
    names: set[str] = set()
    for function in draft.functions:
        if (problem := function_problem(cast(Json, function))) is not None:
            return f"{function.get('name') or 'A function'}: {problem}"
        if function["name"] in names:
            return f"{function['name']!r} is defined twice."
        names.add(function["name"])
    return None


def _format_problem(response_format: str | Json) -> str | None:
    if not isinstance(response_format, dict) or response_format.get("type") != "json_schema":
        return None
    schema = response_format.get("json_schema")
    return json_schema_problem(schema) if isinstance(schema, dict) else "Write the schema for the answers."


def _metadata_problem(text: str) -> str | None:
    try:
        metadata.from_lines(text)
    except ValueError as error:
        return str(error)
    return None


def _number_problem(text: str, least: float, most: float, *, whole: bool = False) -> str | None:
    if not text.strip():
        return None
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        number = math.nan
    if least <= number <= most:
        return None
    return f"A {'whole ' if whole else ''}number from {least} to {most}, or nothing for the default."


def _differs(text: str) -> bool:
    """Whether a sampling value is another than 1, the default of both."""
    return bool(text.strip()) and _number_problem(text, 0, 2) is None and float(text) != 1
