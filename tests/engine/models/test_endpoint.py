"""The endpoint model against servers as they are: scripted answers over a real socket."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from assistants_tui.engine.models.base import (
    AnsweredBy,
    ChatRequest,
    ContextOverflowError,
    Delta,
    Finish,
    ModelError,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from assistants_tui.engine.models.endpoint import EndpointModel
from support.model_endpoint import (
    DONE,
    Cut,
    ModelEndpoint,
    Reply,
    Request,
    calls,
    chunk,
    refuses,
    says,
)

HELLO = ChatRequest("served", [{"role": "user", "content": "Hello"}])


@pytest.fixture
async def endpoint() -> AsyncIterator[ModelEndpoint]:
    async with ModelEndpoint() as endpoint:
        yield endpoint


async def answer(endpoint: ModelEndpoint, request: ChatRequest = HELLO, **options: Any) -> list[Delta]:
    model = EndpointModel(endpoint.url, **options)
    try:
        return [delta async for delta in model.stream(request)]
    finally:
        await model.close()


def joined(deltas: list[Delta]) -> list[tuple[str, str, str]]:
    """The calls of an answer, put together: ID, name, arguments."""
    calls: list[tuple[str, str, str]] = []
    for delta in deltas:
        if isinstance(delta, ToolCallDelta):
            if delta.position == len(calls):
                calls.append((delta.id, delta.name, delta.arguments))
            else:
                identity, name, arguments = calls[delta.position]
                assert (delta.id, delta.name) == ("", "")
                calls[delta.position] = (identity, name, arguments + delta.arguments)
    return calls


def called(*entries: dict[str, Any], finish: str = "tool_calls") -> Reply:
    return Reply([*(chunk({"tool_calls": [entry]}) for entry in entries), chunk({}, finish), DONE])


async def test_text_comes_in_the_pieces_of_the_server(endpoint: ModelEndpoint) -> None:
    endpoint.replies = [says("x", " = ", "1", prompt=12, completion=3)]
    assert await answer(endpoint) == [
        TextDelta("x"),
        TextDelta(" = "),
        TextDelta("1"),
        Finish("stop", Usage(12, 3)),
    ]


async def test_the_request_has_what_chat_completions_wants(endpoint: ModelEndpoint) -> None:
    endpoint.replies = [says("ok")]
    tool = {
        "type": "function",
        "function": {"name": "tide", "parameters": {"type": "object", "properties": {}}},
    }
    request = ChatRequest(
        "served",
        [{"role": "user", "content": "Hi"}],
        tools=[tool],
        tool_choice="required",
        parallel_tool_calls=False,
        temperature=0.2,
        top_p=0.5,
        response_format={"type": "json_object"},
        max_completion_tokens=300,
        reasoning_effort="low",
    )
    await answer(endpoint, request, api_key="sk-secret")
    assert endpoint.requests[0].headers["authorization"] == "Bearer sk-secret"
    assert endpoint.chats == [
        {
            "model": "served",
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0.2,
            "top_p": 0.5,
            "tools": [tool],
            "tool_choice": "required",
            "parallel_tool_calls": False,
            "response_format": {"type": "json_object"},
            "max_tokens": 300,
            "reasoning_effort": "low",
        }
    ]


async def test_calls_in_many_chunks(endpoint: ModelEndpoint) -> None:
    endpoint.replies = [calls(("tide", '{"port": "Oulu"}'), ("tide", '{"port": "Vaasa"}'), text="Wait.")]
    deltas = await answer(endpoint)
    assert deltas[0] == TextDelta("Wait.")
    assert joined(deltas) == [
        ("call_0_tide", "tide", '{"port": "Oulu"}'),
        ("call_1_tide", "tide", '{"port": "Vaasa"}'),
    ]
    assert deltas[-1] == Finish("tool_calls", Usage(20, 7))


OULU, VAASA = '{"port":"Oulu"}', '{"port":"Vaasa"}'


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param(
            [
                {"index": 0, "id": "a", "function": {"name": "tide", "arguments": OULU}},
                {"index": 0, "id": "b", "function": {"name": "tide", "arguments": VAASA}},
            ],
            id="every index is 0",
        ),
        pytest.param(
            [
                {"id": "a", "function": {"name": "tide", "arguments": OULU}},
                {"id": "b", "function": {"name": "tide", "arguments": VAASA}},
            ],
            id="no index",
        ),
        pytest.param(
            [
                {"function": {"name": "tide", "arguments": OULU}},
                {"function": {"name": "tide", "arguments": VAASA}},
            ],
            id="no index, no ID",
        ),
        pytest.param(
            [
                {"index": 0, "function": {"name": "tide", "arguments": {"port": "Oulu"}}},
                {"index": 1, "function": {"name": "tide", "arguments": {"port": "Vaasa"}}},
            ],
            id="arguments are objects",
        ),
        pytest.param(
            [
                {"index": 0, "id": "a", "function": {"name": "tide", "arguments": '{"port":'}},
                {"index": 0, "id": "a", "function": {"name": "tide", "arguments": '"Oulu"}'}},
                {"index": 1, "id": "b", "function": {"name": "tide", "arguments": '{"port":'}},
                {"index": 1, "id": "b", "function": {"name": "tide", "arguments": '"Vaasa"}'}},
            ],
            id="ID and name in every chunk",
        ),
        pytest.param(
            [
                {"index": 0, "id": "a", "function": {"name": "tide", "arguments": '{"port":'}},
                {"index": 1, "id": "b", "function": {"name": "tide", "arguments": '{"port":'}},
                {"index": 0, "id": None, "function": {"name": None, "arguments": '"Oulu"}'}},
                {"index": 1, "id": None, "function": {"arguments": '"Vaasa"}'}},
            ],
            id="interleaved",
        ),
        pytest.param(
            [
                {"index": 1, "id": "a", "function": {"name": "tide", "arguments": OULU}},
                {"index": 2, "id": "b", "function": {"name": "tide", "arguments": VAASA}},
            ],
            id="counted from 1",
        ),
        pytest.param(
            [
                {"index": 0, "id": "a", "function": {"name": "tide"}},
                {"function": {"arguments": OULU}},
                {"index": 1, "id": "b", "function": {"name": "tide", "arguments": None}},
                {"function": {"arguments": VAASA}},
            ],
            id="pieces without index",
        ),
    ],
)
async def test_calls_in_the_shapes_that_servers_send(
    endpoint: ModelEndpoint, entries: list[dict[str, Any]]
) -> None:
    endpoint.replies = [called(*entries, finish="stop")]
    deltas = await answer(endpoint)
    assert [(name, json.loads(arguments)) for _, name, arguments in joined(deltas)] == [
        ("tide", {"port": "Oulu"}),
        ("tide", {"port": "Vaasa"}),
    ]
    ids = [identity for identity, _, _ in joined(deltas)]
    assert all(ids) and len(set(ids)) == 2
    assert deltas[-1] == Finish("tool_calls", None)


async def test_other_shapes_of_an_answer(endpoint: ModelEndpoint) -> None:
    endpoint.replies = [
        Reply(
            [
                chunk({"reasoning_content": "Let me think."}),
                chunk({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Hi"}]}),
                chunk({"refusal": "No."}),
                chunk({"function_call": {"name": "tide", "arguments": "{}"}}),
                {"choices": None, "unheard_of": True},
                {"choices": [{"delta": None, "finish_reason": "STOP"}]},
            ]
        )
    ]
    deltas = await answer(endpoint)
    assert deltas[:3] == [ReasoningDelta("Let me think."), TextDelta("Hi"), RefusalDelta("No.")]
    assert [call[1:] for call in joined(deltas)] == [("tide", "{}")]


async def test_a_server_that_does_not_stream(endpoint: ModelEndpoint) -> None:
    whole = {
        "choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 1},
    }
    endpoint.replies = [Reply([json.dumps(whole).encode()], headers={"content-type": "application/json"})]
    assert await answer(endpoint) == [TextDelta("Hi"), Finish("length", Usage(4, 1))]


async def test_the_first_piece_does_not_wait_for_the_rest(endpoint: ModelEndpoint) -> None:
    rest = asyncio.Event()
    endpoint.replies = [Reply([chunk({"content": "First"}), rest, chunk({}, "stop"), DONE])]
    model = EndpointModel(endpoint.url)
    stream = model.stream(HELLO)
    assert await anext(stream) == TextDelta("First")
    rest.set()
    assert [delta async for delta in stream] == [Finish("stop", None)]
    await model.close()


async def test_throttled_requests_are_repeated_after_the_server_s_delay(endpoint: ModelEndpoint) -> None:
    busy = {"message": "Slow down.", "code": "rate_limit_exceeded"}
    endpoint.replies = [
        refuses(429, busy, retry_after_ms="1"),
        refuses(503, busy, retry_after_ms="1"),
        says("ok"),
    ]
    assert (await answer(endpoint))[0] == TextDelta("ok")
    assert len(endpoint.chats) == 3


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        (refuses(429, {"message": "Quota used up."}, x_should_retry="false"), "rate_limit_exceeded", "Quota"),
        (refuses(400, {"message": "Bad schema."}), "invalid_prompt", "Bad schema."),
        (refuses(401, {"message": "Wrong key sk-secret."}), "server_error", "API key: Wrong key …."),
        (refuses(500, "exploded", x_should_retry="false"), "server_error", "exploded"),
        (Reply([chunk({"content": "Hal"}), b"data: {half\n\n"]), "server_error", "no valid answer"),
        (
            Reply([chunk({"content": "Hal"}), Cut()]),
            "server_error",
            "The model server stopped in the middle of the answer",
        ),
        (Reply([Cut()]), "server_error", "ended the connection without an answer"),
        (
            Reply([chunk({"content": "Hal"}), b'data: {"error":{"message":"Out of memory."}}\n\n']),
            "server_error",
            "Out of memory.",
        ),
        (Reply([b"<html>"], 200, {"content-type": "application/json"}), "server_error", "a web page"),
    ],
    ids=["429", "400", "401", "500", "garbage", "cut", "cut at once", "error in the stream", "a web page"],
)
async def test_failures_say_what_happened(
    endpoint: ModelEndpoint, reply: Reply, code: str, words: str
) -> None:
    endpoint.replies = [reply]
    with pytest.raises(ModelError) as caught:
        await answer(endpoint, api_key="sk-secret")
    assert caught.value.code == code
    assert words in str(caught.value)
    assert "sk-secret" not in str(caught.value)


ERROR = {"code": 400, "message": "slot crashed", "type": "server_error"}
SSE = {"content-type": "text/event-stream"}
HALF_A_CALL = chunk(
    {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "tide", "arguments": '{"port": "Ou'}}]}
)
NO_ANSWERS = {
    "field named error": (Reply([b"error: " + json.dumps(ERROR).encode() + b"\n\n", DONE]), "slot crashed"),
    "the same after text": (
        Reply([chunk({"content": "Hal"}), b"error: " + json.dumps(ERROR).encode() + b"\n\n", DONE]),
        "slot crashed",
    ),
    "a bare body of JSON": (Reply([json.dumps({"error": ERROR}).encode()]), "slot crashed"),
    "an error as the answer": (
        Reply([json.dumps({"error": ERROR}).encode()], headers={"content-type": "application/json"}),
        "slot crashed",
    ),
    "an error as text": (Reply([{"error": "unexpected EOF"}]), "unexpected EOF"),
    "an event named error": (Reply([b'event: error\ndata: {"message": "CUDA"}\n\n']), "CUDA"),
    "an error in the choice": (
        Reply([{"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": "gone"}}]}, DONE]),
        "gone",
    ),
    "a failure as the reason": (Reply([chunk({"content": "Hal"}, "error"), DONE]), "reason: error"),
    "an error object": (Reply([{"object": "error", "message": "engine died", "code": 500}]), "engine died"),
    "deeply nested": (Reply([b"data: " + b"[" * 100_000 + b"\n\n"]), "no valid answer"),
    "a list": (Reply([json.dumps([{"error": ERROR}]).encode()], headers=SSE), "slot crashed"),
    "no choices": (
        Reply(
            [json.dumps({"id": "x", "choices": None}).encode()], headers={"content-type": "application/json"}
        ),
        "no entry in `choices`",
    ),
    "an empty object": (
        Reply([b"{}"], headers={"content-type": "application/json"}),
        "no entry in `choices`",
    ),
    "an empty list of choices": (Reply([{"choices": []}]), "no entry in `choices`"),
    "a web page": (Reply([b"<html><body>Sign in"], headers={"content-type": "text/html"}), "a web page"),
    "nothing": (Reply([]), "without an answer"),
    "no end": (Reply([chunk({"content": "Hal"})]), "stopped in the middle of the answer"),
    "half a call": (Reply([HALF_A_CALL]), "stopped in the middle of the answer"),
    "the name of a call": (
        Reply([chunk({"tool_calls": [{"index": 0, "function": {"name": "ti"}}]}), Cut()]),
        "stopped in the middle of the answer",
    ),
    "half a call and the mark of the end": (
        Reply([HALF_A_CALL, DONE]),
        "stopped in the middle of the answer",
    ),
}


@pytest.mark.parametrize("kind", NO_ANSWERS)
async def test_what_is_no_answer_is_an_error(endpoint: ModelEndpoint, kind: str) -> None:
    reply, words = NO_ANSWERS[kind]
    endpoint.replies = [reply]
    with pytest.raises(ModelError, match=words):
        await answer(endpoint)


async def test_a_server_that_falls_silent_in_the_middle(
    endpoint: ModelEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistants_tui.engine.models.endpoint._SILENCE", 0.05)
    endpoint.replies = [Reply([chunk({"content": "Hal"}), asyncio.Event()])]
    model = EndpointModel(endpoint.url)
    stream = model.stream(HELLO)
    assert await anext(stream) == TextDelta("Hal")
    with pytest.raises(ModelError, match="stopped in the middle of the answer"):
        await anext(stream)
    await model.close()


async def test_an_endpoint_that_is_not_there_is_named() -> None:
    model = EndpointModel("http://127.0.0.1:9/v1")
    model._client.max_retries = 0
    with pytest.raises(ModelError, match=r"http://127\.0\.0\.1:9/v1 cannot be reached"):
        await anext(model.stream(HELLO))
    await model.close()


@pytest.mark.parametrize(
    ("error", "limit"),
    [
        (
            {
                "code": "context_length_exceeded",
                "message": "This model's maximum context length is 8192 tokens. You asked for 9000 tokens.",
            },
            8192,
        ),
        (
            {
                "type": "exceed_context_size_error",
                "message": "the request exceeds the available context size",
                "n_ctx": 4096,
            },
            4096,
        ),
        ({"message": "prompt is too long: 210000 tokens > 200,000 maximum"}, 200000),
        ({"message": "Too many tokens in the prompt."}, None),
    ],
)
async def test_a_prompt_that_is_too_long_is_told_apart(
    endpoint: ModelEndpoint, error: dict[str, Any], limit: int | None
) -> None:
    endpoint.replies = [refuses(400, error)]
    with pytest.raises(ContextOverflowError) as caught:
        await answer(endpoint)
    assert caught.value.limit == limit


@pytest.mark.parametrize(
    "reply",
    [
        refuses(404, {"message": "model 'gpt-4o' not found", "code": "model_not_found"}),
        refuses(400, {"message": "The model `gpt-4o` does not exist"}),
        refuses(404, 'model "gpt-4o" not found, try pulling it first'),
    ],
    ids=["code", "words", "text"],
)
async def test_an_unknown_model_is_replaced_and_remembered(endpoint: ModelEndpoint, reply: Reply) -> None:
    endpoint.replies = [reply, says("one"), says("two")]
    model = EndpointModel(endpoint.url, default_model="small")
    request = ChatRequest("gpt-4o", HELLO.messages)
    for expected in ("one", "two"):
        deltas = [delta async for delta in model.stream(request)]
        assert deltas[:2] == [AnsweredBy("small"), TextDelta(expected)]
    assert [body["model"] for body in endpoint.chats] == ["gpt-4o", "small", "small"]
    await model.close()


async def test_without_a_default_the_first_listed_model_answers(endpoint: ModelEndpoint) -> None:
    endpoint.replies = [refuses(404, {"message": "model not found"}), says("one")]
    await answer(endpoint, ChatRequest("gpt-4o", HELLO.messages))
    assert [body["model"] for body in endpoint.chats] == ["gpt-4o", "served"]


async def test_refused_parameters_are_left_out_and_remembered(endpoint: ModelEndpoint) -> None:
    endpoint.replies = [
        refuses(
            400, {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}
        ),
        refuses(
            422, {"detail": "body.stream_options: extra fields not permitted", "message": "stream_options"}
        ),
        says("one"),
        says("two"),
    ]
    model = EndpointModel(endpoint.url)
    request = ChatRequest("served", HELLO.messages, max_completion_tokens=300)
    for _ in range(2):
        assert [delta async for delta in model.stream(request)]
    for body in endpoint.chats[2:]:
        assert body["max_completion_tokens"] == 300
        assert "max_tokens" not in body and "stream_options" not in body
    assert len(endpoint.chats) == 4
    await model.close()


async def test_a_parameter_that_was_refused_for_its_value_is_left_out_once(endpoint: ModelEndpoint) -> None:
    endpoint.replies = [refuses(400, {"message": "temperature must be at most 1"}), says("one"), says("two")]
    model = EndpointModel(endpoint.url)
    for temperature in (2.0, 0.5):
        request = ChatRequest("served", HELLO.messages, temperature=temperature)
        assert [delta async for delta in model.stream(request)]
    assert [body.get("temperature") for body in endpoint.chats] == [2.0, None, 0.5]
    await model.close()


async def test_where_no_choice_of_tools_can_be_made_none_are_sent(endpoint: ModelEndpoint) -> None:
    endpoint.replies = [refuses(400, {"message": "tool_choice: only `auto` is supported"}), says("so")]
    model = EndpointModel(endpoint.url)
    tools = [{"type": "function", "function": {"name": "tide"}}]
    request = ChatRequest("served", HELLO.messages, tools=tools, tool_choice="none")
    assert [delta async for delta in model.stream(request)]
    assert [("tools" in body, body.get("tool_choice")) for body in endpoint.chats] == [
        (True, "none"),
        (False, None),
    ]
    await model.close()


VLLM = (
    "This model's maximum context length is 8192 tokens. However, you requested 8300 tokens (300 in the "
    "messages, 8000 in the completion). Please reduce the length of the messages or completion."
)


@pytest.mark.parametrize(
    ("refusals", "asked"),
    [
        ([VLLM], [8000, 7892]),
        (
            ["max_tokens is too large: 8000. This model supports at most 4096 completion tokens."],
            [8000, 4096],
        ),
        (["you requested 8000 output tokens and your prompt contains 9 characters"], [8000, 4000]),
        (["Invalid max_tokens value, the valid range of max_tokens is [1, 8000]"] * 2, [8000, 7999, 3999]),
    ],
)
async def test_an_answer_is_allowed_as_much_as_there_is_room_for(
    endpoint: ModelEndpoint, refusals: list[str], asked: list[int]
) -> None:
    endpoint.replies = [*(refuses(400, {"message": message}) for message in refusals), says("ok"), says("ok")]
    model = EndpointModel(endpoint.url)
    for most in (8000, 1000):
        request = ChatRequest("served", HELLO.messages, max_completion_tokens=most)
        deltas = [delta async for delta in model.stream(request)]
        assert deltas[0] == TextDelta("ok")
    assert [body["max_tokens"] for body in endpoint.chats] == [*asked, 1000]
    await model.close()


async def test_models_are_listed(endpoint: ModelEndpoint) -> None:
    model = EndpointModel(endpoint.url)
    assert await model.models() == [{"id": "served", "object": "model", "created": 1, "owned_by": "test"}]
    await model.close()


@pytest.mark.parametrize("body", [b"{broken", b"[" * 100_000, b"\xff\xfe"], ids=["cut", "nested", "no text"])
async def test_what_is_no_list_of_models_is_an_error(endpoint: ModelEndpoint, body: bytes) -> None:
    endpoint.refused = Reply([body], 200, {"content-type": "application/json"})
    model = EndpointModel(endpoint.url)
    with pytest.raises(ModelError, match="sent no list of models"):
        await model.models()
    await model.close()


async def test_a_server_that_refuses_every_length_is_not_asked_for_ever(endpoint: ModelEndpoint) -> None:
    refusal = {"message": "This model supports at most 16384 completion tokens."}
    endpoint.otherwise = lambda _: refuses(400, refusal)
    with pytest.raises(ContextOverflowError):
        await answer(endpoint, ChatRequest("served", HELLO.messages, max_completion_tokens=8000))
    assert len(endpoint.chats) < 10


async def test_a_password_in_the_address_is_not_shown(endpoint: ModelEndpoint) -> None:
    url = endpoint.url.replace("://", "://me:hidden@")
    endpoint.replies = [
        reply
        for failed in (401, 400, 429, 404)
        for reply in [refuses(failed, {"message": "No."}, x_should_retry="false")]
    ] + [Reply([b"<html>"]), Reply([chunk({"content": "Hal"}), Cut()])]
    model = EndpointModel(url)
    assert "hidden" not in repr(model)
    while endpoint.replies:
        with pytest.raises(ModelError) as caught:
            [delta async for delta in model.stream(HELLO)]
        assert "hidden" not in str(caught.value)
    await model.close()
    nobody = EndpointModel("http://me:hidden@127.0.0.1:1/v1")
    with pytest.raises(ModelError, match="cannot be reached") as caught:
        await nobody.models()
    assert "hidden" not in str(caught.value)
    await nobody.close()


def test_the_key_is_not_in_the_repr() -> None:
    assert "sk-secret" not in repr(EndpointModel("http://localhost/v1", api_key="sk-secret"))


MANY = b'{"data": [' + b"[]," * 200_000 + b"[]]}"
AS_JSON = {"content-type": "application/json"}


async def test_a_list_of_models_with_too_many_values_is_not_read(endpoint: ModelEndpoint) -> None:
    endpoint.refused = Reply([MANY], headers=AS_JSON)
    model = EndpointModel(endpoint.url)
    with pytest.raises(ModelError, match="sent no list of models: more than 100000 values"):
        await model.models()
    await model.close()


@pytest.mark.parametrize("coded", [False, True])
async def test_only_the_beginning_of_an_error_is_read(endpoint: ModelEndpoint, coded: bool) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        pack = zlib.compressobj(wbits=31)
        for _ in range(400):
            piece = b"[]," * 20_000
            if coded:
                piece = pack.compress(piece) + pack.flush(zlib.Z_SYNC_FLUSH)
            sent += len(piece)
            yield piece

    headers = {**AS_JSON, **({"content-encoding": "gzip"} if coded else {})}
    endpoint.refused = Reply(body(), 400, headers)
    with pytest.raises(ModelError, match="cannot use this input"):
        await answer(endpoint)
    if not coded:  # what is coded fits into the buffers on the way
        assert sent < 20_000_000, "the server noticed that nobody reads on"


async def test_requests_at_the_same_time_learn_the_same_of_a_model(endpoint: ModelEndpoint) -> None:
    """The second refusal comes when the first one has been learnt from."""
    both = asyncio.Event()
    refused: list[Request] = []

    def reply(request: Request) -> Reply:
        if request.body["messages"][0]["role"] != "system":
            return says("Hello.")
        refused.append(request)
        if len(refused) == 2:
            both.set()
        error = json.dumps({"error": {"message": "System role not supported"}}).encode()
        return Reply([both, error], 400, {"content-type": "application/json"})

    endpoint.otherwise = reply
    model = EndpointModel(endpoint.url)

    async def text() -> str:
        messages = [{"role": "system", "content": "Be brief."}, *HELLO.messages]
        request = ChatRequest("served", messages)
        return "".join([d.text async for d in model.stream(request) if isinstance(d, TextDelta)])

    try:
        assert set(await asyncio.gather(text(), text())) == {"Hello."}
    finally:
        await model.close()
    assert len(refused) == 2
