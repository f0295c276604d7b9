"""The in-process transport behaves like a socket: it streams both ways, holds back, and reports who left."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from assistants_tui.service.client.asgi_transport import BUFFERED_CHUNKS, Application, AsgiTransport

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}


def piece(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def whole_request(receive: Any) -> bytes:
    body = b""
    while (message := await receive())["more_body"]:
        body += message["body"]
    return body


def client(application: Application, **options: Any) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=AsgiTransport(application), base_url="http://localhost", **options)


async def test_a_request_arrives_whole_and_its_answer_returns() -> None:
    seen: dict[str, Any] = {}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope, body=await whole_request(receive))
        await send({"type": "http.response.start", "status": 201, "headers": [(b"x-id", b"7")]})
        await send(piece(b"made", more=False))

    async with client(application) as http:
        response = await http.post(
            "/v1/things%20of?limit=2&after=b", content=b"hello", headers={"X-Key": "v"}
        )
    assert (response.status_code, response.text, response.headers["x-id"]) == (201, "made", "7")
    assert (seen["method"], seen["path"], seen["raw_path"]) == ("POST", "/v1/things of", b"/v1/things%20of")
    assert (seen["query_string"], seen["body"]) == (b"limit=2&after=b", b"hello")
    assert (b"x-key", b"v") in seen["headers"]
    assert seen["server"] == ("localhost", None)


async def test_the_first_piece_is_readable_before_the_second_is_written() -> None:
    go_on = asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(piece(b"one"))
        await go_on.wait()
        await send(piece(b"two", more=False))

    async with client(application) as http, http.stream("GET", "/") as response:
        pieces = response.aiter_bytes()
        assert await anext(pieces) == b"one"
        go_on.set()
        assert await anext(pieces) == b"two"
        assert await anext(pieces, None) is None


async def test_a_request_body_is_read_only_as_fast_as_the_application_takes_it() -> None:
    sent: list[int] = []
    taken: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for number in range(5):
            sent.append(number)
            yield bytes([number])

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["more_body"]:
            taken.append(message["body"][0])
            assert sent == taken
        await send(START)
        await send(piece(b"", more=False))

    async with client(application) as http:
        assert (await http.post("/", content=body())).status_code == 200
    assert taken == [0, 1, 2, 3, 4]


async def test_a_slow_reader_holds_up_the_application() -> None:
    written = 0

    async def application(scope: Any, receive: Any, send: Any) -> None:
        nonlocal written
        await send(START)
        for _ in range(1000):
            await send(piece(b"x"))
            written += 1
        await send(piece(b"", more=False))

    async with client(application) as http, http.stream("GET", "/") as response:
        for _ in range(100):
            await asyncio.sleep(0)
        assert written <= BUFFERED_CHUNKS
        assert len(await response.aread()) == 1000
    assert written == 1000


async def test_closing_the_answer_early_is_reported_as_a_disconnect() -> None:
    reported: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await whole_request(receive)
        await send(START)
        for _ in range(BUFFERED_CHUNKS * 3):  # more than fits: a sender that waits for room is let go
            await send(piece(b"x"))
        reported.set_result((await receive())["type"])

    async with client(application) as http:
        async with http.stream("GET", "/") as response:
            assert await anext(response.aiter_bytes()) == b"x"
        assert await reported == "http.disconnect"


async def test_an_application_that_waits_after_its_answer_learns_that_it_is_over() -> None:
    reported: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await whole_request(receive)
        await send(START)
        await send(piece(b"all", more=False))
        reported.set_result((await receive())["type"])

    async with client(application) as http:
        assert (await http.get("/")).text == "all"
        assert await reported == "http.disconnect"


async def test_cancelling_the_caller_tells_the_application_and_lets_it_finish() -> None:
    entered, finished = asyncio.Event(), asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await whole_request(receive)
        entered.set()
        assert (await receive())["type"] == "http.disconnect"
        await send(START)
        await send(piece(b"to nobody", more=False))
        finished.set()

    async with client(application) as http:
        call = asyncio.create_task(http.get("/"))
        await entered.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await finished.wait()


async def test_closing_the_transport_cancels_what_still_runs() -> None:
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    http = client(application)
    response = await http.send(http.build_request("GET", "/"), stream=True)
    await entered.wait()
    await http.aclose()
    assert cancelled.is_set()
    await response.aclose()


async def test_closing_the_transport_ends_an_answer_that_nobody_reads() -> None:
    ended = asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        try:
            for _ in range(BUFFERED_CHUNKS * 2):
                await send(piece(b"x"))
        finally:
            ended.set()

    transport = AsgiTransport(application)
    response = await transport.handle_async_request(httpx2.Request("GET", "http://localhost/"))
    await asyncio.sleep(0)  # the application fills what may wait for the reader
    async with asyncio.timeout(5):
        await transport.aclose()
    assert ended.is_set()
    read = b""
    with pytest.raises(httpx2.ReadError, match="CancelledError"):
        async for chunk in response.stream:  # type: ignore[union-attr]
            read += chunk
    assert read == b"x" * BUFFERED_CHUNKS  # what was written stays readable


async def test_closing_the_transport_ends_a_request_that_has_not_reached_the_application() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("it is never asked")

    transport = AsgiTransport(application)
    request = asyncio.create_task(transport.handle_async_request(httpx2.Request("GET", "http://localhost/")))
    closing = asyncio.create_task(transport.aclose())
    await asyncio.wait({request, closing}, timeout=5)
    assert closing.done()
    with pytest.raises(httpx2.RemoteProtocolError):
        await asyncio.wait_for(request, 5)


async def test_a_failure_before_the_answer_is_a_500_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("broken")

    async with client(application) as http:
        response = await http.get("/v1/assistants")
    assert (response.status_code, response.text) == (500, "Internal Server Error")
    assert "/v1/assistants" in caplog.text
    assert "broken" in caplog.text


async def test_a_failure_in_the_answer_breaks_it_off() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(piece(b"half"))
        raise RuntimeError("broken")

    async with client(application) as http, http.stream("GET", "/") as response:
        pieces = response.aiter_bytes()
        assert await anext(pieces) == b"half"
        with pytest.raises(httpx2.ReadError, match="RuntimeError"):
            await anext(pieces)


@pytest.mark.parametrize("begins", [False, True])
async def test_an_application_that_forgets_its_answer_breaks_the_protocol(begins: bool) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if begins:
            await send(START)
            await send(piece(b"half"))

    async with client(application) as http:
        with pytest.raises(httpx2.RemoteProtocolError):
            await http.get("/")


@pytest.mark.parametrize("begins", [False, True])
async def test_a_silent_application_runs_into_the_read_timeout(begins: bool) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await whole_request(receive)
        if begins:
            await send(START)
        assert (await receive())["type"] == "http.disconnect"

    async with client(application, timeout=httpx2.Timeout(None, read=0.01)) as http:
        with pytest.raises(httpx2.ReadTimeout):
            await http.get("/")


async def test_a_request_body_that_fails_is_the_callers_own_error() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"a"
        raise FileNotFoundError("gone")

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await whole_request(receive)

    async with client(application) as http:
        with pytest.raises(FileNotFoundError):
            await http.post("/", content=body())


async def test_a_head_request_has_no_body() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(piece(b"never", more=False))

    async with client(application) as http:
        assert (await http.head("/")).content == b""


async def test_many_requests_at_once_do_not_mix() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        for part in scope["path"]:
            await send(piece(part.encode()))
            await asyncio.sleep(0)
        await send(piece(b"", more=False))

    async with client(application) as http:
        answers = await asyncio.gather(*(http.get(f"/path/{number}") for number in range(50)))
    assert [answer.text for answer in answers] == [f"/path/{number}" for number in range(50)]
