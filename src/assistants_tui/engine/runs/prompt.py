"""What a run sends to the model: instructions, the thread as far as it fits, and its own work so far.

Everything here is a calculation on stored objects; `history` reads them.
"""

from collections.abc import Iterable, Mapping, Sequence

from assistants_tui.engine.models import tokens
from assistants_tui.engine.runs.document_search import Documents
from assistants_tui.engine.runs.tool_definitions import ToolBox, result_for_model
from assistants_tui.engine.search import passages
from assistants_tui.protocol.objects import Json, Message, Run, RunStep

_SHORTEST_RESULT = 200  # tokens to which the result of a tool may be shortened
_LEFT_OUT = "\n\n[The rest is left out: it is longer than you can read.]"


class PromptTooLongError(Exception):
    """Even without all older messages the prompt does not fit."""


def system_text(run: Run, file_names: Iterable[str], documents: Documents | None) -> str:
    """The instructions of the run, and what its tools can read."""
    parts = [run["instructions"]] if run["instructions"] else []
    if any(tool["type"] == "code_interpreter" for tool in run["tools"]) and (names := list(file_names)):
        listed = "\n".join(f"- /mnt/data/{name}" for name in names)
        parts.append(f"Files that the code interpreter can read:\n{listed}")
    if documents is not None and documents.count:
        listed = "\n".join(f"- {passages.plain_name(name)}" for name in documents.names)
        more = documents.count - len(documents.names)
        parts.append(
            f"Documents that file_search looks through:\n{listed}" + (f"\n- and {more} more" if more else "")
        )
    if documents is not None and documents.not_read:
        listed = passages.listed(documents.faults, documents.not_read)
        parts.append(f"Documents that could not be read, so that file_search cannot find them:\n{listed}")
    elif documents is not None and not documents.count:
        parts.append(f"file_search finds nothing yet. {passages.NO_DOCUMENTS}")
    return "\n\n".join(parts)


def of_thread_message(
    message: Message, file_names: Mapping[str, str], images: Mapping[str, str]
) -> Json | None:
    """A message of the thread as the model gets it; None for one without content.

    `file_names`: by ID, of attached files; `images`: by ID, as URLs. An image that the assistant made is only
    mentioned, because models take images from users alone. Images have a `name` that no server gets: what
    stands in their place for a model that takes none.
    """
    mine = message["role"] == "assistant"
    content: list[Json] = []
    for part in message["content"]:
        if part["type"] == "text":
            content.append(_text(part["text"]["value"]))
        elif part["type"] == "refusal":
            content.append(_text(part["refusal"]))
        elif part["type"] == "image_url" and not mine:
            content.append(_image(dict(part["image_url"]), _image_name(part["image_url"]["url"])))
        elif part["type"] == "image_file":
            file_id, detail = part["image_file"]["file_id"], part["image_file"].get("detail") or "auto"
            name = file_names.get(file_id, file_id)
            if mine or file_id not in images:
                content.append(_text(f"[Image {name}]"))
            else:
                content.append(_image({"url": images[file_id], "detail": detail}, name))
    if attached := [
        file_names[a["file_id"]] for a in message["attachments"] or () if a["file_id"] in file_names
    ]:
        content.append(_text("[Attached: " + ", ".join(attached) + "]"))
    if not content:
        return None
    if all(part["type"] == "text" for part in content):
        # Many servers take a list of parts only for models that see images.
        return {"role": message["role"], "content": "\n\n".join(part["text"] for part in content)}
    return {"role": message["role"], "content": content}


def of_steps(
    steps: Iterable[RunStep],
    messages: Mapping[str, Message],
    tools: ToolBox,
    remarks: Mapping[str, str],
    returned: Mapping[str, Json],
) -> list[Json]:
    """What the run has said and done already, as turns of the model and results of its tools.

    `messages`: the run's messages by ID. `remarks`: what the model was told of searches beside their results,
    by call ID.
    """
    turns: list[Json] = []
    searches = 0
    for step in steps:
        details = step["step_details"]
        if details["type"] == "message_creation":
            message = messages.get(details["message_creation"]["message_id"])
            said = of_thread_message(message, {}, {}) if message else None
            if said is not None:
                turns.append(said)
            continue
        calls = details["tool_calls"]
        spoken = turns[-1] if turns and turns[-1]["role"] == "assistant" else None
        if spoken is None or "tool_calls" in spoken:
            spoken = {"role": "assistant", "content": None}
            turns.append(spoken)
        spoken["tool_calls"] = [tools.as_model_call(call) for call in calls]
        turns[-1] = with_returned(spoken, returned.get(step["id"], {}))
        for call in calls:
            if call["type"] == "file_search":
                results = call["file_search"].get("results", [])
                result = passages.told(results, searches, remarks.get(call["id"], ""))
                searches += 1
            else:
                result = result_for_model(call)
            turns.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    return turns


def with_returned(turn: Json, returned: Mapping[str, Json]) -> Json:
    """A turn with calls, with what its server wants back: fields of the turn, and of its calls by ID."""
    calls = returned.get("calls", {})
    made = [call | calls.get(call["id"], {}) for call in turn["tool_calls"]]
    return {**turn, **returned.get("turn", {}), "tool_calls": made}


def fit(
    system: str, history: Sequence[Json], own: Sequence[Json], *, overhead: int, budget: int | None
) -> list[Json]:
    """One prompt of at most `budget` tokens, as estimated, of which `overhead` are taken already.

    Messages are dropped from the middle of the history: the first and the newest stay. If that is not enough,
    the longest results of tools lose their ends. Raises `PromptTooLongError` if that is not enough either.
    """
    head = [{"role": "system", "content": system}] if system else []
    if budget is None:
        return [*head, *history, *own]
    free = budget - overhead - tokens.of_messages(head) - tokens.of_messages(own)
    costs = [tokens.of_message(message) for message in history]
    if sum(costs) <= free:
        return [*head, *history, *own]
    newest = costs[-1] if costs else 0
    if free < newest:
        own = _with_short_results(own, newest - free)
        free = newest
    kept = min(1, len(history))  # the newest is what the run is to answer
    free -= newest
    keep_first = len(history) > 1 and costs[0] <= free
    free -= costs[0] if keep_first else 0
    oldest = len(history) - 1
    while oldest - kept >= keep_first and costs[oldest - kept] <= free:
        free -= costs[oldest - kept]
        kept += 1
    return [*head, *history[:keep_first], *history[len(history) - kept :], *own]


def _with_short_results(own: Sequence[Json], excess: int) -> list[Json]:
    """A run's turns with so many tokens less. The best passages of a search come first, so they stay."""
    turns = list(own)
    while excess > 0:
        sizes = [tokens.of_text(turn["content"]) if turn["role"] == "tool" else 0 for turn in turns]
        longest = max(range(len(turns)), key=sizes.__getitem__, default=None)
        if longest is None or sizes[longest] <= _SHORTEST_RESULT:
            raise PromptTooLongError
        left = max(_SHORTEST_RESULT // 2, sizes[longest] - excess - tokens.of_text(_LEFT_OUT))
        data = turns[longest]["content"].encode("utf-8", "replace")[: left * tokens.BYTES_PER_TOKEN]
        shorter = data.decode("utf-8", "ignore") + _LEFT_OUT
        turns[longest] = turns[longest] | {"content": shorter}
        excess -= sizes[longest] - tokens.of_text(shorter)
    return turns


def _image(source: Json, name: str) -> Json:
    return {"type": "image_url", "image_url": source, "name": name}


def _image_name(url: str) -> str:
    """The file name in an address, and nothing else of it: the rest may hold a key, or the image itself."""
    address = "" if url[:5].lower() == "data:" else url.partition("://")[2]
    path = address.partition("#")[0].partition("?")[0].partition("/")[2]
    return path.rstrip("/").rpartition("/")[2] or "sent with this message"


def _text(text: str) -> Json:
    return {"type": "text", "text": text}
