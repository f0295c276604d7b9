"""How servers send calls of functions, and the arguments that models write."""

from assistants_tui.protocol.objects import Json
from support.model_endpoint import Reply
from support.zoo.behaviour import OULU, TIDE, Answer, Behaviour, call, made, refusal, results, then, words

ANSWER = words({"content": "Two metres."})
ONCE: Json = {"called": [{"port": "Oulu"}], "said": "Two metres.", "tools": [TIDE]}


def wrong_once(arguments: str) -> Answer:
    """Writes arguments that are no object, is told so, and calls again; takes no such history back."""

    def answer(body: Json, _: int) -> Reply:
        if any(call["function"]["arguments"] not in {"{}", OULU} for call in made(body)):
            return refusal(400, {"error": {"message": "Failed to parse tool call arguments as JSON"}})
        told = [result["content"] for result in results(body)]
        if not told:
            return call(arguments)
        return call(OULU, id="call_2") if "2 m" not in told else ANSWER

    return answer


def pieces(*entries: Json) -> Answer:
    return then(words(*({"tool_calls": [entry]} for entry in entries), finish="tool_calls"), ANSWER)


def piece(index: object = 0, identity: str | None = None, **function: object) -> Json:
    return {"index": index, "function": function} | ({"id": identity} if identity else {})


BEHAVIOURS = [
    Behaviour("Ollama", "arguments as an object", then(call({"port": "Oulu"}), ANSWER), **ONCE),
    Behaviour("LocalAI", "arguments encoded twice", then(call('"{\\"port\\": \\"Oulu\\"}"'), ANSWER), **ONCE),
    Behaviour("vLLM", "the same arguments twice", then(call(OULU + OULU), ANSWER), **ONCE),
    Behaviour("vLLM", "arguments cut short", wrong_once('{"port": "Ou'), **ONCE),
    Behaviour("llama.cpp", "arguments that are a string", wrong_once('"Oulu"'), **ONCE),
    Behaviour("TGI", "arguments that are a list", wrong_once('["Oulu"]'), **ONCE),
    Behaviour(
        "Together",
        "arguments that are never an object",
        lambda _body, _number: call('{"port": "Ou'),
        status="failed",
        error="called functions wrongly",
        called=[],
        tools=[TIDE],
    ),
    Behaviour(
        "SGLang",
        "the name after the ID",
        pieces(piece(0, "c1"), piece(0, name="tide"), piece(0, arguments=OULU)),
        **ONCE,
    ),
    Behaviour(
        "OpenAI-compatible (proxy)",
        "the name in pieces",
        pieces(piece(0, "c1", name="ti", arguments=""), piece(0, name="de"), piece(0, arguments=OULU)),
        **ONCE,
    ),
    Behaviour(
        "OpenAI-compatible (proxy)",
        "the name again before the arguments",
        pieces(
            piece(0, "c1", name="tide"), piece(0, "c1", name="tide"), piece(0, name="tide", arguments=OULU)
        ),
        **ONCE,
    ),
    Behaviour("Azure", "an index that jumps", pieces(piece(3, "c1", name="tide", arguments=OULU)), **ONCE),
    Behaviour("Gemini", "no index and no ID", pieces(piece(None, name="tide", arguments=OULU)), **ONCE),
]
