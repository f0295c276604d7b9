"""How servers send reasoning, and what they demand back of it within a run."""

from assistants_tui.protocol.objects import Json
from support.model_endpoint import Reply, chunk
from support.zoo.behaviour import TIDE, Behaviour, always, call, made, refusal, stream, then, words

ANSWER = "Two metres."


def thinks(family: str, what: str, *deltas: Json, **wanted: object) -> Behaviour:
    fields: Json = {"said": ANSWER} | wanted
    return Behaviour(family, what, always(lambda: words(*deltas)), **fields)


def text(*pieces: str) -> list[Json]:
    return [{"content": piece} for piece in pieces]


def gemini(body: Json, _: int) -> Reply:
    signed = [c.get("extra_content", {}).get("google", {}).get("thought_signature") for c in made(body)]
    if any(signature != "AbC+/==" for signature in signed):
        missing = "Function call is missing a thought_signature in functionCall parts."
        return refusal(400, [{"error": {"code": 400, "message": missing, "status": "INVALID_ARGUMENT"}}])
    first = call(extra_content={"google": {"thought_signature": "AbC+/=="}})
    return then(first, words({"content": ANSWER}))(body, 0)


def deepseek(body: Json, _: int) -> Reply:
    turns = [message for message in body["messages"] if message.get("tool_calls")]
    if any(turn.get("reasoning_content") != "I ask the tide." for turn in turns):
        missing = "Missing `reasoning_content` field in the assistant message at message index 1."
        return refusal(400, {"error": {"message": missing, "type": "invalid_request_error"}})
    first = call(before=[{"reasoning_content": "I ask "}, {"reasoning_content": "the tide."}])
    return then(first, words({"content": ANSWER}))(body, 0)


DETAILS: list[Json] = [
    {"type": "reasoning.text", "index": 0, "text": "I ask the tide.", "signature": "s1", "format": "a-v1"},
    {"type": "reasoning.encrypted", "index": 1, "data": "xyz", "id": "r1", "format": "a-v1"},
]


def openrouter(body: Json, _: int) -> Reply:
    turns = [message for message in body["messages"] if message.get("tool_calls")]
    if any(turn.get("reasoning_details") != DETAILS for turn in turns):
        return refusal(400, {"error": {"code": 400, "message": "Reasoning blocks were changed."}})
    pieces: list[Json] = [
        {"type": "reasoning.text", "index": 0, "text": "I ask ", "format": "a-v1"},
        {"type": "reasoning.text", "index": 0, "text": "the tide.", "signature": "s1", "format": "a-v1"},
        {**DETAILS[1]},
    ]
    before: list[Json] = [{"reasoning": piece.get("text"), "reasoning_details": [piece]} for piece in pieces]
    return then(call(before=before), words({"content": ANSWER}))(body, 0)


THOUGHT = "Oulu lies\non the Bothnian Bay."
EVERY_CHARACTER = [*f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}"]
HARMONY = (
    f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}"
)
CALLED: Json = {"called": [{"port": "Oulu"}], "tools": [TIDE], "said": ANSWER}

BEHAVIOURS = [
    thinks(
        "DeepSeek", "reasoning_content, then the answer", {"reasoning_content": THOUGHT}, {"content": ANSWER}
    ),
    thinks(
        "OpenAI-compatible (vLLM)", "a field named reasoning", {"reasoning": THOUGHT}, {"content": ANSWER}
    ),
    thinks(
        "vLLM",
        "both names with the same text",
        {"reasoning": THOUGHT, "reasoning_content": THOUGHT, "content": None},
        {"content": ANSWER},
    ),
    thinks("Groq", "reasoning beside an empty content", {"content": "", "reasoning": THOUGHT}, *text(ANSWER)),
    thinks(
        "Ollama",
        "the whole answer in reasoning",
        {"content": "", "reasoning": ANSWER},
        status="failed",
        said=None,
        error="reasoned, and then gave no answer",
    ),
    thinks("llama.cpp", "think tags in the text", *text(f"<think>{THOUGHT}</think>{ANSWER}")),
    thinks("llama.cpp", "think tags, one character per chunk", *text(*EVERY_CHARACTER)),
    thinks("LM Studio", "think tags that hold nothing", *text("<think>\n\n</think>\n\n", ANSWER)),
    thinks("KoboldCpp", "white space before the tag", *text("\n<think>", THOUGHT, "</thi", "nk>\n", ANSWER)),
    thinks("SGLang", "a lone end tag", *text(THOUGHT, "\n</think>\n\n", ANSWER)),
    thinks("SGLang", "a lone end tag, one character per chunk", *text(*f"{THOUGHT}\n</think>\n\n{ANSWER}")),
    thinks(
        "SGLang",
        "a lone end tag at the very end",
        *text(THOUGHT, "\n</think>"),
        status="failed",
        said=None,
        error="reasoned, and then gave no answer",
    ),
    thinks(
        "llama.cpp",
        "think tags that never end",
        *text("<think>", THOUGHT),
        status="failed",
        said=None,
        error="reasoned, and then gave no answer",
    ),
    thinks(
        "Together",
        "a tag within the answer is text",
        *text("Write <think>x</think>."),
        said="Write <think>x</think>.",
    ),
    thinks("Together", "an end tag within a line is text", *text("a </think> b"), said="a </think> b"),
    thinks("Together", "an answer that begins with <", *text("<", "b>x</b>"), said="<b>x</b>"),
    thinks("Together", "an answer that is half a tag", *text("<thin"), said="<thin"),
    thinks("Mistral", "tags in brackets", *text("[THI", f"NK]{THOUGHT}[/THINK]{ANSWER}")),
    thinks(
        "Mistral",
        "parts of the content",
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}]},
        {"content": [{"type": "text", "text": ANSWER}]},
    ),
    thinks("vLLM", "the channels of gpt-oss in the text", *text(*HARMONY)),
    thinks(
        "LocalAI",
        "the channels of Gemma in the text",
        *text(f"<|channel>thought\n{THOUGHT}<channel|>", ANSWER),
    ),
    thinks("Gemini", "thoughts between tags", *text("<thought>", THOUGHT, "</thought>", ANSWER)),
    Behaviour("Gemini", "demands the signature of a call back", gemini, **CALLED),
    Behaviour("DeepSeek", "demands the reasoning of a turn with calls back", deepseek, **CALLED),
    Behaviour("OpenRouter", "demands reasoning details back", openrouter, **CALLED),
    Behaviour(
        "TGI",
        "a stream that is cut while the model reasons",
        always(lambda: stream(chunk({"reasoning_content": THOUGHT}), done=False)),
        status="failed",
        error="in the middle of the answer",
    ),
]
