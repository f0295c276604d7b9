"""Requests to a server over a real socket: what is sent, what is repeated, and how failures are told."""

import asyncio
import logging
import socket
import sys
import threading
from typing import Any

import pytest

from assistants_tui.protocol.events import Event
from assistants_tui.service.client.http_client import Client, segment
from assistants_tui.service.client.profile_client import TokenCommand, remote_client
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import Profile
from assistants_tui.settings.secrets import Secret

KEY = "sk-secret-1234567890"
BODY = {"error": {"message": "No such thing", "type": "invalid_request_error", "param": "id", "code": "gone"}}


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits before a repetition end at once; the openai package sleeps with anyio."""

    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr("anyio.sleep", at_once)


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
async def client(profile: Profile, waits: list[float], no_waiting: None) -> Any:
    client = remote_client(profile, Secret(KEY))

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    client._sleep = wait
    yield client
    await client.close()


async def failure(call: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await call
    assert KEY not in f"{caught.value}{caught.value!r}"
    return caught.value


async def test_a_request_carries_key_version_and_agent(client: Client, server: Any, wires: Any) -> None:
    server.on("POST", "/v1/threads/a%2Fb/messages", wires.answer({"id": "msg_1", "surprise": 1}))
    answer = await client.post(
        f"threads/{segment('a/b')}/messages", {"role": "user"}, {"include": ["x", "y"]}
    )
    assert answer == {"id": "msg_1", "surprise": 1}
    (request,) = server.requests
    assert request.json == {"role": "user"}
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["openai-beta"] == "assistants=v2"
    assert request.headers["user-agent"].startswith("assistants-tui/")
    assert request.query == {"include[]": "y"}


async def test_without_a_key_none_is_sent(profile: Profile, server: Any, wires: Any) -> None:
    server.on("GET", "/v1/models", wires.answer({"data": []}))
    client = remote_client(profile, None)
    await client.get("models")
    await client.close()
    assert "authorization" not in server.requests[0].headers


async def test_variables_meant_for_openai_reach_no_other_server(
    profile: Profile, server: Any, wires: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID"):
        monkeypatch.setenv(f"OPENAI_{name}", "private")
    server.on("GET", "/v1/models", wires.answer({"data": []}))
    client = remote_client(profile, None)
    await client.get("models")
    await client.close()
    assert "private" not in str(server.requests[0].headers)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
async def test_reading_is_repeated_after_passing_failures(
    client: Client, server: Any, wires: Any, status: int
) -> None:
    server.on("GET", "/v1/x", wires.answer(BODY, status=status), wires.cut, wires.answer({"id": "x"}))
    assert await client.get("x") == {"id": "x"}
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 404, 408, 409, 500, 503])
async def test_creating_is_not_repeated_when_the_server_may_have_acted(
    client: Client, server: Any, wires: Any, status: int
) -> None:
    server.on("POST", "/v1/x", wires.answer(BODY, status=status))
    error = await failure(client.post("x", {}))
    assert len(server.requests) == 1
    assert error.status == status
    assert error.no_effect == (status in {400, 404, 409})


async def test_creating_is_not_repeated_after_a_broken_connection(
    client: Client, server: Any, wires: Any
) -> None:
    server.on("POST", "/v1/x", wires.cut)
    error = await failure(client.post("x", {}))
    assert (error.kind, error.retryable, error.no_effect) == ("connection", True, False)
    assert len(server.requests) == 1


async def test_creating_is_repeated_when_the_server_turns_it_away(
    client: Client, server: Any, wires: Any, waits: list[float]
) -> None:
    busy = wires.answer(BODY, status=429, retry_after="3")
    server.on(
        "POST", "/v1/x", busy, wires.answer(BODY, status=429, retry_after_ms="70"), wires.answer({"id": "x"})
    )
    assert await client.post("x", {}) == {"id": "x"}
    assert waits == [3.0, 0.07]


async def test_a_long_wait_is_left_to_the_user(
    client: Client, server: Any, wires: Any, waits: list[float]
) -> None:
    server.on("POST", "/v1/x", wires.answer(BODY, status=429, retry_after="3600"))
    error = await failure(client.post("x", {}))
    assert (error.kind, error.retryable) == ("rate_limit", True)
    assert waits == []


async def test_a_spent_quota_is_not_tried_again(client: Client, server: Any, wires: Any) -> None:
    body = {"error": {"message": "You exceeded your current quota.", "code": "insufficient_quota"}}
    server.on("POST", "/v1/x", wires.answer(body, status=429))
    assert "exceeded your current quota" in str(await failure(client.post("x", {})))
    assert len(server.requests) == 1


async def test_changing_twice_is_the_same_as_once_so_it_is_repeated(
    client: Client, server: Any, wires: Any
) -> None:
    server.on("POST", "/v1/x", wires.cut, wires.answer({"id": "x"}))
    assert await client.post("x", {}, again=True) == {"id": "x"}


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, "refused", "refused the request. No such thing"),
        (401, "authentication", "does not accept the key"),
        (403, "authentication", "does not allow this"),
        (404, "not_found", "does not have it"),
        (408, "timeout", "gave up waiting"),
        (413, "refused", "nothing that large"),
        (422, "refused", "refused"),
        (429, "rate_limit", "too many requests"),
        (500, "server", "failed (500)"),
        (503, "server", "failed (503)"),
    ],
)
async def test_each_status_is_told_in_words(
    client: Client, server: Any, wires: Any, status: int, kind: str, words: str
) -> None:
    server.on("GET", "/v1/x", wires.answer(BODY, status=status))
    error = await failure(client.get("x"))
    assert (error.status, error.kind, error.code, error.param) == (status, kind, "gone", "id")
    assert words in error.what
    assert "No such thing" in error.what
    assert f"127.0.0.1:{server.port}" in error.what


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>not you</html>", "refused the request."),
        (b"", "refused the request."),
        (b"plain words", "plain words"),
        ({"detail": "plain"}, "plain"),
        ({"detail": [{"loc": ["x"], "msg": "from a validator"}]}, "from a validator"),
        ({"error": "only a text"}, "only a text"),
        ({"error": {"code": 7}}, "refused the request."),
        ({"error": None}, "refused the request."),
        ([1, 2], "refused the request."),
        ({"error": {"message": {"deep": 1}}}, "refused the request."),
        ({"error": {"message": "long " * 1000}}, "long long"),
    ],
)
async def test_every_form_of_an_error_body_is_understood(
    client: Client, server: Any, wires: Any, body: Any, words: str
) -> None:
    server.on("GET", "/v1/x", wires.answer(body, status=400))
    error = await failure(client.get("x"))
    assert words in error.what
    assert len(error.what) < 1200
    assert "<html>" not in str(error)


async def test_a_server_that_quotes_the_key_back_is_not_quoted(
    client: Client, server: Any, wires: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("GET", "/v1/x", wires.answer({"error": {"message": f"Wrong key: {KEY}!"}}, status=401))
    error = await failure(client.get("x"))
    assert "Wrong key: ***!" in error.what
    assert KEY not in caplog.text
    assert KEY not in repr(client)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"<html>", "text/html"),
        (b"[1]", "application/json"),
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"null", "application/json"),
    ],
)
async def test_an_answer_that_is_no_object_is_not_the_api(
    client: Client, server: Any, wires: Any, content: bytes, media_type: str
) -> None:
    server.on("GET", "/v1/x", wires.answer(content, media_type=media_type))
    error = await failure(client.get("x"))
    assert error.kind == "protocol"
    assert "base URL" in error.advice


async def test_a_server_that_speaks_something_else_is_a_broken_connection(
    client: Client, server: Any, wires: Any
) -> None:
    server.on("GET", "/v1/x", wires.garbage)
    assert (await failure(client.get("x"))).kind == "connection"


def for_address(url: str) -> Profile:
    return Profile(name="p", kind="openai", base_url=url)


async def test_a_port_where_nothing_listens_is_named(no_waiting: None) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        client = remote_client(for_address(f"http://127.0.0.1:{port}/v1"), None)
        error = await failure(client.get("assistants"))
        await client.close()
    assert error.what == f"Nothing listens at 127.0.0.1:{port}: the connection was refused."
    assert error.no_effect


async def test_a_name_that_nobody_knows_is_named(no_waiting: None) -> None:
    client = remote_client(for_address("http://nowhere.invalid/v1"), None)
    error = await failure(client.get("assistants"))
    await client.close()
    assert error.what == "The name of nowhere.invalid is not known (DNS)."


async def test_a_server_without_trusted_tls_is_named(server: Any, no_waiting: None) -> None:
    client = remote_client(for_address(f"https://127.0.0.1:{server.port}/v1"), None)
    listener = socket.create_server(("127.0.0.1", 0))
    client_tls = remote_client(for_address(f"https://127.0.0.1:{listener.getsockname()[1]}/v1"), None)

    def plain() -> None:
        for _ in range(3):
            connection, _ = listener.accept()
            connection.recv(100)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

    thread = threading.Thread(target=plain)
    thread.start()
    error = await failure(client_tls.get("assistants"))
    thread.join()
    listener.close()
    await client.close()
    await client_tls.close()
    assert "no trusted connection" in error.what
    assert "SSL_CERT_FILE" in error.advice


async def test_the_closed_hosted_service_is_explained_in_one_sentence(server: Any, wires: Any) -> None:
    server.on("GET", "/v1/assistants", wires.answer(BODY, status=404))
    server.on("GET", "/v1/files/x", wires.answer(BODY, status=404))
    client = remote_client(for_address(f"{server.url}/v1"), None)
    client._hosted = True
    error = await failure(client.get("assistants"))
    assert error.what.startswith("OpenAI closed its hosted Assistants API on 2026-08-26")
    assert "model_url" in error.advice
    assert "does not have it" in (await failure(client.get("files/x"))).what
    await client.close()
    for host in ("api.openai.com", "eu.api.openai.com"):
        assert remote_client(for_address(f"https://{host}/v1"), None).hosted


# Streams


async def events(client: Client, path: str = "x") -> list[Event]:
    async with client.stream(path, {"a": 1}) as answer:
        assert not isinstance(answer, dict)
        return [event async for event in answer]


async def test_events_come_as_they_are_known_or_not(client: Client, server: Any, wires: Any) -> None:
    sent = [
        ("thread.run.created", {"id": "run_1", "new_key": [1]}),
        b": ping\n\n",
        ("thread.run.paused", {"id": "run_1"}),
        ("error", {"error": {"message": "Sorry"}}),
        ("something.else", [1]),
        b'data: {"no": "name"}\n\n',
    ]
    server.on("POST", "/v1/x", wires.stream(*sent, ("done", "[DONE]")))
    assert [(event.name, event.data) for event in await events(client)] == [
        ("thread.run.created", {"id": "run_1", "new_key": [1]}),
        ("thread.run.paused", {"id": "run_1"}),
        ("error", {"error": {"message": "Sorry"}}),
        ("something.else", [1]),
        ("", {"no": "name"}),
    ]
    assert server.requests[0].json == {"a": 1, "stream": True}


async def test_events_in_the_envelope_of_a_proxy_are_taken_out(
    client: Client, server: Any, wires: Any
) -> None:
    """LiteLLM passes events on without their names."""
    sent = [
        b'data: {"data": {"id": "run_1", "status": "queued"}, "event": "thread.run.created"}\n\n',
        b'data: {"data": [1], "event": 3}\n\n',
    ]
    server.on("POST", "/v1/x", wires.stream(*sent, b"data: [DONE]\n\n"))
    assert [(event.name, event.data) for event in await events(client)] == [
        ("thread.run.created", {"id": "run_1", "status": "queued"}),
        ("", {"data": [1], "event": 3}),
    ]


@pytest.mark.parametrize(
    "tail", [b"event: thread.run.completed\ndata: {", b"event: x\ndata: nonsense\n\n", b"data: \xff\xfe\n\n"]
)
async def test_half_an_event_or_garbage_ends_the_stream_with_what_came_before(
    client: Client, server: Any, wires: Any, tail: bytes
) -> None:
    server.on("POST", "/v1/x", wires.stream(("thread.run.created", {"id": "run_1"}), tail))
    seen: list[str] = []
    async with client.stream("x", {}) as answer:
        try:
            async for event in answer:  # type: ignore[union-attr]  # no object here
                seen.append(event.name)
        except ServiceError as error:
            assert error.kind == "protocol"
    assert seen == ["thread.run.created"]


async def test_a_connection_that_breaks_in_a_stream_is_a_service_error(
    client: Client, server: Any, wires: Any
) -> None:
    server.on("POST", "/v1/x", wires.stream(("thread.run.created", {"id": "run_1"}), then="reset"))
    assert (await failure(events(client))).kind == "connection"


async def test_a_server_that_does_not_stream_gives_the_object(
    client: Client, server: Any, wires: Any
) -> None:
    server.on("POST", "/v1/x", wires.answer({"id": "run_1"}))
    async with client.stream("x", {}) as answer:
        assert answer == {"id": "run_1"}


async def test_another_kind_of_answer_to_a_stream_is_not_the_api(
    client: Client, server: Any, wires: Any
) -> None:
    server.on("POST", "/v1/x", wires.answer(b"<html>", media_type="text/html"))
    assert (await failure(events(client))).kind == "protocol"


async def test_a_refused_stream_is_an_ordinary_error(client: Client, server: Any, wires: Any) -> None:
    server.on("POST", "/v1/x", wires.answer(BODY, status=400))
    assert (await failure(events(client))).status == 400


# Azure and Foundry


async def test_azure_has_its_own_path_version_and_key(server: Any, wires: Any) -> None:
    profile = Profile(name="a", kind="azure")
    environ = {"AZURE_OPENAI_ENDPOINT": f"{server.url}/", "OPENAI_API_VERSION": "2024-05-01-preview"}
    server.on("GET", "/openai/assistants", wires.answer({"data": []}))
    client = remote_client(profile, Secret(KEY), environ=environ)
    await client.get("assistants", {"limit": 20})
    await client.close()
    (request,) = server.requests
    assert request.query == {"api-version": "2024-05-01-preview", "limit": "20"}
    assert request.headers["api-key"] == KEY
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("changes", "environ", "lacks"),
    [
        ({}, {"OPENAI_API_VERSION": "v1"}, "azure_endpoint"),
        ({"azure_endpoint": "https://x.org"}, {}, "api_version"),
        ({"azure_endpoint": "https://x.org", "api_version": "v1"}, {}, "token_command"),
    ],
)
def test_what_an_azure_profile_lacks_is_named(
    changes: dict[str, Any], environ: dict[str, str], lacks: str
) -> None:
    with pytest.raises(ServiceError, match=f"lacks `{lacks}`") as caught:
        remote_client(Profile(name="a", kind="azure", **changes), None, environ=environ)
    assert caught.value.kind == "settings"
    assert "[profiles.a]" in caught.value.advice


def printing(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"print({text!r})")


async def test_foundry_takes_a_token_from_a_command(server: Any, wires: Any) -> None:
    profile = Profile(
        name="f",
        kind="foundry",
        project_endpoint=f"{server.url}/api/projects/p",
        token_command=printing("tok-1"),
    )
    server.on(
        "GET", "/api/projects/p/assistants", wires.answer({"error": {"message": "bad tok-1"}}, status=401)
    )
    client = remote_client(profile, None)
    error = await failure(client.get("assistants"))
    await client.close()
    assert server.requests[0].headers["authorization"] == "Bearer tok-1"
    assert server.requests[0].query == {"api-version": "v1"}
    assert "bad ***" in error.what


async def test_a_token_is_asked_for_again_only_after_minutes(tmp_path: Any) -> None:
    now = 0.0
    script = (
        f"import pathlib; p = pathlib.Path({str(tmp_path / 'n')!r}); "
        "n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1)); print(f'tok-{n}')"
    )
    command = TokenCommand((sys.executable, "-c", script), clock=lambda: now)
    assert {*await asyncio.gather(command(), command(), command())} == {"tok-0"}
    now = 200.0
    assert await command() == "tok-0"
    now = 300.0
    assert await command() == "tok-1"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("/no/such/program",), "cannot be started"),
        ((sys.executable, "-c", "import sys; sys.exit('please sign in')"), "please sign in"),
        ((sys.executable, "-c", "print('two words')"), "gave no access token"),
        ((sys.executable, "-c", ""), "gave no access token"),
    ],
)
async def test_a_command_that_gives_no_token_is_explained(command: tuple[str, ...], words: str) -> None:
    with pytest.raises(ServiceError, match=words) as caught:
        await TokenCommand(command)()
    assert "token_command" in caught.value.advice
