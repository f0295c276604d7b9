"""Streams, errors and ends of streams as servers send them."""

import json

from assistants_tui.protocol.objects import Json
from support.model_endpoint import DONE, Reply, chunk, usage
from support.zoo.behaviour import TIDE, Behaviour, always, refusal, stream, words

ANSWER = "Grüße aus Oulu 🎉"
PIECES: list[Json] = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Grüße "}),
    chunk({"content": "aus Oulu 🎉"}),
    chunk({}, "stop"),
]
HALF = chunk({"content": "Two met"})
HALF_CALL = chunk(
    {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "tide", "arguments": '{"port": "Ou'}}]}
)


def event(value: object) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


PLAIN = b"".join(event(piece) for piece in PIECES) + DONE


def reads(family: str, what: str, *body: Json | bytes, kind: str = "text/event-stream") -> Behaviour:
    """A complete answer in an unusual form."""
    return Behaviour(family, what, always(lambda: Reply(body, headers={"content-type": kind})), said=ANSWER)


def fails(
    family: str, what: str, error: str, *body: Json | bytes, kind: str = "text/event-stream"
) -> Behaviour:
    """A status of 200, and yet a failed run. Text that came before is kept."""
    return Behaviour(
        family,
        what,
        always(lambda: Reply(body, headers={"content-type": kind})),
        status="failed",
        error=error,
        said="Two met" if HALF in body else None,
        called=[],
        tools=[TIDE],
    )


def refuses_images(family: str, message: str, status: int = 400) -> Behaviour:
    def answer(body: Json, _: int) -> Reply:
        told = json.dumps(body["messages"])
        if "image_url" in told:
            return refusal(status, {"error": {"message": message}})
        return words({"content": "Fine." if "harbour.png" in told else "Which image?"})

    return Behaviour(family, message[:40], answer, said="Fine.", questions=(SEEN, "And now?"))


def one_of_two_samplers(body: Json, _: int) -> Reply:
    if {"temperature", "top_p"} <= body.keys():
        wrong = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
        error = {"code": "invalid_request_error", "message": wrong, "type": "invalid_request_error"}
        return refusal(400, {"error": error})
    return Reply([*PIECES, DONE])


def only_the_default(body: Json, _: int) -> Reply:
    for name in ("temperature", "top_p"):
        if name in body:
            wrong = f"Unsupported parameter: '{name}' is not supported with this model."
            error = {"message": wrong, "type": "invalid_request_error", "param": name}
            return refusal(400, {"error": error | {"code": "unsupported_parameter"}})
    return Reply([*PIECES, usage(3, 4), DONE])


def filtered_prompt() -> Reply:
    message = "The response was filtered due to the prompt triggering the content management policy."
    return refusal(400, {"error": {"message": message, "code": "content_filter", "param": "prompt"}})


SEEN: list[Json] = [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": "https://example.org/harbour.png"}},
]
FILTERS: Json = {"hate": {"filtered": False, "severity": "safe"}}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
SLOT = json.dumps({"code": 500, "message": "slot crashed", "type": "server_error"}).encode()

BEHAVIOURS = [
    reads("llama.cpp", "lines that end with CR and LF", PLAIN.replace(b"\n", b"\r\n")),
    reads("TGI", "lines that end with CR", PLAIN.replace(b"\n", b"\r")),
    reads("a proxy", "events under the type of JSON", PLAIN, kind="application/json"),
    reads("a proxy", "events under no type that is known", PLAIN, kind="application/octet-stream"),
    reads("LocalAI", "a byte order mark", b"\xef\xbb\xbf" + PLAIN),
    reads(
        "OpenRouter",
        "comments between events",
        b": OPENROUTER PROCESSING\n\n:\n\n",
        *PIECES,
        b": x\n\n",
        DONE,
    ),
    reads("KoboldCpp", "byte by byte", *(PLAIN[at : at + 1] for at in range(len(PLAIN)))),
    reads("TGI", "no space after the colon", PLAIN.replace(b"data: ", b"data:")),
    reads("Together", "empty events", b"data:\n\n", *PIECES[:2], b"data: \n\n", *PIECES[2:], DONE),
    reads("SGLang", "text after the end", PLAIN, chunk({"content": "late"})),
    reads("Ollama", "lines of JSON", *(json.dumps(piece).encode() + b"\n" for piece in PIECES)),
    reads("vLLM", "no choices beside the usage", *PIECES, {**chunk(), "choices": None}, DONE),
    reads(
        "Azure",
        "a first chunk without choices, results of filters",
        {**chunk(), "choices": [], "prompt_filter_results": [{"prompt_index": 0}]},
        *(
            {**piece, "choices": [{**piece["choices"][0], "content_filter_results": FILTERS}]}
            for piece in PIECES
        ),
        DONE,
    ),
    Behaviour("Azure", "a prompt that is filtered", always(filtered_prompt), "failed", error="was filtered"),
    Behaviour(
        "Azure",
        "an answer that is filtered",
        always(lambda: stream(HALF, chunk({}, "content_filter"))),
        status="failed",
        error="content filter",
        said="Two met",
    ),
    Behaviour("OpenAI", "takes no sampling parameters", only_the_default, said=ANSWER),
    Behaviour("Anthropic", "takes one of two sampling parameters", one_of_two_samplers, said=ANSWER),
    fails("Anthropic", "overloaded", "Overloaded", HALF, b"event: error\n" + event(OVERLOADED)),
    fails("llama.cpp", "a field named error", "slot crashed", b"error: " + SLOT + b"\n\n", DONE),
    fails("llama.cpp", "the same after text", "slot crashed", HALF, b"error: " + SLOT + b"\n\n", DONE),
    fails("Lemonade", "an error without framing", "slot crashed", b'{"error": ' + SLOT + b"}"),
    fails(
        "LM Studio",
        "an event named error",
        "unloaded",
        b"event: error\n" + event({"error": "Model unloaded."}),
    ),
    fails("Ollama", "an error that is a text", "unexpected EOF", HALF, event({"error": "unexpected EOF"})),
    fails(
        "OpenRouter",
        "an error as the whole body",
        "overloaded",
        b'{"error": {"code": 502, "message": "upstream overloaded"}}',
        kind="application/json",
    ),
    fails(
        "OpenRouter",
        "an error within the choice",
        "disconnected",
        HALF,
        {"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": "disconnected"}}]},
        DONE,
    ),
    fails(
        "vLLM",
        "choices that are null",
        "no entry in `choices`",
        b'{"choices": null}',
        kind="application/json",
    ),
    fails("a proxy", "a web page", "a web page", b"<html><body>Sign in</body></html>", kind="text/html"),
    fails("TGI", "an answer without an end", "in the middle of the answer", HALF),
    fails("TGI", "half a call", "in the middle of the answer", HALF_CALL),
    fails("SGLang", "half a call, and the mark of the end", "in the middle of the answer", HALF_CALL, DONE),
    fails("KoboldCpp", "nothing at all", "without an answer"),
    fails("KoboldCpp", "the mark of the end alone", "answer was empty", DONE),
    refuses_images("Groq", "this model does not support image input"),
    refuses_images(
        "llama.cpp", "image input is not supported - hint: you may need to provide the mmproj", 500
    ),
    refuses_images("OpenRouter", "No endpoints found that support image input", 404),
    refuses_images("DeepSeek", "messages[0]: unknown variant `image_url`, expected `text`", 422),
]
