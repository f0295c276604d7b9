"""What servers refuse in the history of a conversation."""

from itertools import pairwise

from assistants_tui.protocol.objects import Json
from support.model_endpoint import Reply
from support.zoo.behaviour import TIDE, Behaviour, call, made, refusal, results, words

FINE = words({"content": "Fine."})
TWO: Json = {"questions": ("What is the capital of Ontario?", "And its history?"), "said": "Fine."}


def no_tools(message: str, status: int = 400) -> Behaviour:
    def answer(body: Json, _: int) -> Reply:
        return refusal(status, {"error": {"message": message}}) if body.get("tools") else FINE

    return Behaviour("no tools", message[:40], answer, said="Fine.", tools=[TIDE])


def alternates(family: str, message: str, *, system: bool = True) -> Behaviour:
    def answer(body: Json, _: int) -> Reply:
        roles = [m["role"] for m in body["messages"] if system is False or m["role"] != "system"]
        right = roles[0] == "user" and all(a != b for a, b in pairwise(roles)) and "system" not in roles
        return FINE if right else refusal(400, {"object": "error", "message": message, "code": 400})

    return Behaviour(family, message[:40], answer, **TWO)


def parses_arguments(body: Json, _: int) -> Reply:
    if any(call["function"]["arguments"] != "{}" for call in made(body)):
        return refusal(400, {"error": {"message": "Failed to parse tool call arguments as JSON"}})
    return FINE if made(body) else call('{"port": "Ou')


def no_null(body: Json, _: int) -> Reply:
    if any(message["content"] is None for message in body["messages"]):
        wrong = "messages[1].content: invalid type: null, expected a string"
        return refusal(422, {"error": {"message": wrong}})
    return FINE if results(body) else call()


BEHAVIOURS = [
    no_tools("registry.ollama.ai/library/gemma3:4b does not support tools"),
    no_tools("tools param requires --jinja flag", 500),
    no_tools("No endpoints found that support tool use. Try disabling tide.", 404),
    no_tools('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
    alternates(
        "Mistral", "After the optional system message, conversation roles must alternate user/assistant/"
    ),
    alternates("vLLM", "Conversation roles must alternate user/assistant/user/assistant/..."),
    alternates(
        "LM Studio", "Error rendering prompt with jinja template: roles must alternate user/assistant"
    ),
    Behaviour("vLLM", "null as the content is refused", no_null, said="Fine.", tools=[TIDE]),
]
