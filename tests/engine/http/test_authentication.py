"""Who may do what: keys, their owners, the file they come from; and the manner of Azure."""

import logging
from pathlib import Path

import httpx2
import pytest
from openai import AsyncAzureOpenAI

from assistants_tui.engine.app import EngineSettings, ModelProvider, create_app
from assistants_tui.engine.http.api_keys import KeyFileError
from assistants_tui.engine.http.openapi import OPERATIONS
from assistants_tui.engine.store import api_keys
from assistants_tui.engine.store.database import Database
from assistants_tui.protocol.objects import Json
from support.engine import ManualClock, error_of, make, open_engine, upload
from support.patience import until

KEYS = {"key-of-anna-1": "anna", "key-of-anna-2": "anna", "key-of-bert": "bert"}
ANNA, ANNA_TOO, BERT = ({"Authorization": f"Bearer {key}"} for key in KEYS)


@pytest.fixture
def engine_settings(tmp_path: Path, clock: ManualClock) -> EngineSettings:
    return EngineSettings(data_dir=tmp_path / "data", clock=clock, api_keys=KEYS)


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic eA=="}, {"Authorization": "Bearer "}])
async def test_no_key(http: httpx2.AsyncClient, header: dict[str, str]) -> None:
    response = await http.get("/threads", headers=header)
    error = error_of(response)
    assert (response.status_code, error["code"]) == (401, None)
    assert "Authorization: Bearer" in error["message"]


async def test_wrong_key(http: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    response = await http.get("/nothing", headers={"Authorization": "Bearer key-of-nobody"})
    assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")
    assert "key-of-nobody" not in response.text + caplog.text


async def test_either_header_will_do(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/threads", headers=ANNA)).status_code == 200
    assert (await http.get("/threads", headers={"api-key": "key-of-bert"})).status_code == 200


async def test_keys_of_one_owner_share_everything(http: httpx2.AsyncClient) -> None:
    http.headers.update(ANNA)
    thread = await make(http, "/threads")
    assert (await http.get(f"/threads/{thread['id']}", headers=ANNA_TOO)).json() == thread


async def test_nothing_of_somebody_else_exists(http: httpx2.AsyncClient) -> None:
    """Whatever takes an ID answers as if there were no such object, and lists show only one's own."""
    http.headers.update(ANNA)
    assistant = await make(http, "/assistants", model="offline-tutor")
    thread = await make(http, "/threads")
    message = await make(http, f"/threads/{thread['id']}/messages", role="user", content="2 + 2")
    file = await upload(http)
    store = await make(http, "/vector_stores", file_ids=[file["id"]])
    batch = await make(http, f"/vector_stores/{store['id']}/file_batches", file_ids=[file["id"]])
    pending = await make(http, "/uploads", filename="x", bytes=1, mime_type="t", purpose="assistants")
    run_body = {"assistant_id": assistant["id"], "stream": True}
    ended = await http.post(f"/threads/{thread['id']}/runs", json=run_body, timeout=60)
    assert "event: thread.run.completed" in ended.text
    [run] = (await http.get(f"/threads/{thread['id']}/runs")).json()["data"]
    [step] = (await http.get(f"/threads/{thread['id']}/runs/{run['id']}/steps")).json()["data"]
    reading = (f"/vector_stores/{store['id']}", f"/vector_stores/{store['id']}/file_batches/{batch['id']}")

    async def read() -> bool:
        return all([(await http.get(path)).json()["status"] == "completed" for path in reading])

    await until("the files are read", read)  # until then the store changes by itself
    kept = await everything(http)
    ids = {
        "assistant_id": assistant["id"],
        "thread_id": thread["id"],
        "message_id": message["id"],
        "run_id": run["id"],
        "step_id": step["id"],
        "file_id": file["id"],
        "vector_store_id": store["id"],
        "batch_id": batch["id"],
        "upload_id": pending["id"],
    }
    bodies: dict[str, Json] = {
        "/threads/{thread_id}/messages": {"role": "user", "content": "x"},
        "/threads/{thread_id}/runs": {"assistant_id": assistant["id"]},
        "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs": {"tool_outputs": []},
        "/threads/{thread_id}/runs/{run_id}/approve_code": {"tool_call_id": "call_x", "decision": "run"},
        "/vector_stores/{vector_store_id}/files": {"file_id": file["id"]},
        "/vector_stores/{vector_store_id}/files/{file_id}": {"attributes": {}},
        "/vector_stores/{vector_store_id}/file_batches": {"file_ids": [file["id"]]},
        "/vector_stores/{vector_store_id}/search": {"query": "rent"},
        "/uploads/{upload_id}/complete": {"part_ids": ["part_x"]},
    }
    asked = 0
    for method, path in OPERATIONS:
        if "{" not in path or path.startswith("/models"):
            continue
        for address in (path.format(**ids), f"{AZURE}{path.format(**ids)}?api-version=2024-05-01-preview"):
            if path.endswith("/parts"):
                response = await http.post(address, files={"data": b"x"}, headers=BERT)
            else:
                response = await http.request(method, address, json=bodies.get(path, {}), headers=BERT)
            assert response.status_code == 404, f"{method} {address}: {response.text}"
            asked += 1
    assert asked > 70
    assert await everything(http) == kept, "and nothing has changed"
    for path in ("/assistants", "/threads", "/files", "/vector_stores"):
        assert (await http.get(path, headers=BERT)).json()["data"] == []
        assert len((await http.get(path)).json()["data"]) == 1


async def everything(http: httpx2.AsyncClient) -> list[Json]:
    """All that there is of somebody, threads with their messages and runs."""
    found: list[Json] = []
    for path in ("/assistants", "/threads", "/files", "/vector_stores"):
        found += (await http.get(path)).json()["data"]
    for thread in [one["id"] for one in found if one["object"] == "thread"]:
        for path in (f"/threads/{thread}/messages", f"/threads/{thread}/runs"):
            found += (await http.get(path)).json()["data"]
    for file in [one["id"] for one in found if one["object"] == "file"]:
        found.append({"content": (await http.get(f"/files/{file}/content")).text})
    return found


async def test_somebody_elses_things_cannot_be_used(http: httpx2.AsyncClient) -> None:
    http.headers.update(ANNA)
    file, store = await upload(http), await make(http, "/vector_stores")
    assistant = await make(http, "/assistants", model="offline-tutor")
    http.headers.update(BERT)
    thread = await make(http, "/threads")
    refused = [
        {"tool_resources": {"code_interpreter": {"file_ids": [file["id"]]}}},
        {"tool_resources": {"file_search": {"vector_store_ids": [store["id"]]}}},
        {"tool_resources": {"file_search": {"vector_stores": [{"file_ids": [file["id"]]}]}}},
    ]
    for body in refused:
        assert (await http.post("/threads", json=body)).status_code == 400
    run = await http.post(f"/threads/{thread['id']}/runs", json={"assistant_id": assistant["id"]})
    assert run.status_code == 404
    own = await make(http, "/vector_stores")
    attached = await http.post(f"/vector_stores/{own['id']}/files", json={"file_id": file["id"]})
    assert error_of(attached)["message"] == f"No such File object: {file['id']}"


async def test_last_use_of_keys_is_known_but_not_the_keys(
    http: httpx2.AsyncClient, engine_settings: EngineSettings, clock: ManualClock
) -> None:
    began = int(clock.now)
    await http.get("/threads", headers=ANNA)
    clock.advance(3600)
    await http.get("/threads", headers=ANNA)
    await http.get("/threads", headers=BERT)
    database = await Database.open(engine_settings.data_dir)
    async with database.read() as connection:
        uses = await api_keys.uses(connection)
    await database.close()
    assert {(use.owner, use.first_used_at, use.last_used_at) for use in uses} == {
        ("anna", began, began + 3600),
        ("bert", began + 3600, began + 3600),
    }
    stored = b"".join(path.read_bytes() for path in engine_settings.data_dir.iterdir() if path.is_file())
    assert not any(key.encode() in stored for key in KEYS)


def test_settings_do_not_show_secrets(tmp_path: Path) -> None:
    settings = EngineSettings(
        tmp_path,
        api_keys=KEYS,
        providers=[ModelProvider("http://127.0.0.1:1/v1", api_key="key-of-endpoint")],
        database_url="postgresql://me:word@db/x",
    )
    assert not any(secret in repr(settings) for secret in (*KEYS, "key-of-endpoint", "word"))


def key_file(directory: Path, text: str, mode: int = 0o600) -> Path:
    path = directory / "keys"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


async def test_key_file(tmp_path: Path, clock: ManualClock) -> None:
    text = "# who may use this engine\n\nanna: key-of-anna-1\nanna: key-of-anna-2\n  key-of-somebody  \n"
    settings = EngineSettings(tmp_path / "data", clock=clock, api_keys=key_file(tmp_path, text))
    async with open_engine(settings) as http:
        thread = await make_as(http, ANNA)
        assert (await http.get(f"/threads/{thread['id']}", headers=ANNA_TOO)).status_code == 200
        other = {"Authorization": "Bearer key-of-somebody"}
        assert (await http.get(f"/threads/{thread['id']}", headers=other)).status_code == 404
        assert (await http.get("/threads", headers=BERT)).status_code == 401


async def make_as(http: httpx2.AsyncClient, who: dict[str, str]) -> Json:
    made: Json = (await http.post("/threads", headers=who)).json()
    return made


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("key-of-anna-1\n", 0o640, "chmod 600"),
        ("key-of-anna-1\n", 0o604, "chmod 600"),
        ("", 0o600, "has no keys"),
        ("# nothing\n", 0o600, "has no keys"),
        ("a key with spaces\n", 0o600, "Line 1"),
        ("good-key-1\nshort\n", 0o600, "Line 2"),
        ("good-key-1\nanna: good-key-1\n", 0o600, "Line 2"),
    ],
)
def test_key_files_that_cannot_be_used(tmp_path: Path, text: str, mode: int, words: str) -> None:
    with pytest.raises(KeyFileError, match=words) as caught:
        create_app(EngineSettings(tmp_path, api_keys=key_file(tmp_path, text, mode)))
    assert "good-key-1" not in str(caught.value)


def test_missing_key_file(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        create_app(EngineSettings(tmp_path, api_keys=tmp_path / "none"))


CALLED = [
    "127.0.0.1:8123",
    "localhost:8123",
    "LOCALHOST",
    "[::1]:8123",
    "192.168.0.7",
    "127.1",
    "app.localhost",
]
OWN = [
    ("http://localhost:8123", "localhost:8123"),
    ("http://[::1]", "[::1]"),
    ("HTTP://LOCALHOST", "localhost"),
]
PAGES = [
    "https://evil.example",
    "null",
    "",
    "http://[",
    "http://192.168.0.7",
    "https://localhost.evil.example",
    "http://localhost:3000",
    "http://127.0.0.1",
    "http://localhost@evil.example",
]
NAMES = [
    "evil.example",
    "evil.example:8123",
    "127.0.0.1.evil.example",
    "[",
    "engine",
    "engine:8123",
    "",
    ":8123",
]
NAMES += [
    "localhost@evil.example",
    "localhost.evil.example",
    "evil.example#localhost",
    "evil.example?localhost",
]
NAMES += ["localhost/evil.example", "evil.example\\@localhost", "localhost,evil.example", "localhost:80:80"]


class TestWithoutKeys:
    """An engine without keys is for this machine's programs, not for the pages in its browser."""

    @pytest.fixture
    def engine_settings(self, tmp_path: Path, clock: ManualClock) -> EngineSettings:
        return EngineSettings(data_dir=tmp_path / "data", clock=clock)

    @pytest.mark.parametrize("host", CALLED)
    async def test_programs_get_in(self, http: httpx2.AsyncClient, host: str) -> None:
        assert (await http.get("/threads", headers={"Host": host})).status_code == 200

    @pytest.mark.parametrize(("origin", "host"), OWN)
    async def test_its_own_origin_gets_in(self, http: httpx2.AsyncClient, origin: str, host: str) -> None:
        assert (await http.get("/threads", headers={"Origin": origin, "Host": host})).status_code == 200

    @pytest.mark.parametrize("origin", PAGES)
    async def test_other_pages_do_not(self, http: httpx2.AsyncClient, origin: str) -> None:
        form = {"files": {"file": ("x", b"x")}, "data": {"purpose": "assistants"}}
        headers = {"Origin": origin, "Host": "localhost:8123"}
        refused = await http.post("/files", headers=headers, **form)  # type: ignore[arg-type]
        assert refused.status_code == 403
        told = error_of(refused)["message"]
        assert ("--allow-origin" in told) == (origin not in ("null", "")), "they cannot be allowed by name"
        assert (await http.get("/files")).json()["data"] == []

    @pytest.mark.parametrize(
        ("site", "status"), [("cross-site", 403), ("same-site", 403), ("none", 200), ("same-origin", 200)]
    )
    async def test_a_page_that_shows_a_picture_of_it_sends_no_origin(
        self, http: httpx2.AsyncClient, site: str, status: int
    ) -> None:
        assert (await http.get("/files", headers={"Sec-Fetch-Site": site})).status_code == status

    @pytest.mark.parametrize("host", NAMES)
    async def test_nor_do_names_that_were_made_to_point_here(
        self, http: httpx2.AsyncClient, host: str
    ) -> None:
        refused = await http.get("/threads", headers={"Host": host})
        assert refused.status_code == 403
        told = error_of(refused)["message"]
        assert "Call it by its address" in told and "--allow-host" in told


class TestWithNamesAllowed:
    """What whoever serves an engine without keys has allowed: a name, and the pages of an origin."""

    PAGE = "https://pages.example"

    @pytest.fixture
    def engine_settings(self, tmp_path: Path, clock: ManualClock) -> EngineSettings:
        return EngineSettings(
            tmp_path / "data", clock=clock, web_origins=(self.PAGE,), host_names=("proxy.example",)
        )

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("proxy.example", 200),
            ("Proxy.Example:8443", 200),
            ("x.proxy.example", 403),
            ("proxy.example:a", 403),
        ],
    )
    async def test_names(self, http: httpx2.AsyncClient, host: str, status: int) -> None:
        assert (await http.get("/threads", headers={"Host": host})).status_code == status
        origin = {"Host": host, "Origin": f"https://{host}"}
        assert (await http.get("/threads", headers=origin)).status_code == status

    @pytest.mark.parametrize(
        ("referer", "status", "told"),
        [
            (f"{PAGE}/", 200, ""),
            (f"{PAGE}/a/page?x=https://other.example", 200, ""),
            ("https://other.example/", 403, "Web pages of https://other.example may not"),
            (f"https://other.example/{PAGE}", 403, "Web pages of https://other.example may not"),
            ("", 403, "Web pages that hide their origin"),
            ("http://[", 403, "Web pages that hide their origin"),
        ],
    )
    async def test_pictures_and_links(
        self, http: httpx2.AsyncClient, referer: str, status: int, told: str
    ) -> None:
        answer = await http.get("/files", headers={"Sec-Fetch-Site": "same-site", "Referer": referer})
        assert answer.status_code == status
        assert told in answer.text


class TestRepetitions:
    """What is sent twice where one counts is refused: a proxy in between may have read the other one."""

    @pytest.fixture
    def engine_settings(self, tmp_path: Path, clock: ManualClock) -> EngineSettings:
        return EngineSettings(data_dir=tmp_path / "data", clock=clock)

    @pytest.mark.parametrize(
        "body",
        [
            '{"model": "m", "model": "n"}',
            '{"model": "m", "metadata": {"a": "1", "a": "1"}}',
            '{"model": "m", "tools": [{"type": "code_interpreter", "type": "file_search"}]}',
            '{"model": "m", "\\ud800": 1, "\\ud800": 2}',
        ],
    )
    async def test_names_of_an_object(self, http: httpx2.AsyncClient, body: str) -> None:
        answer = await http.post("/assistants", content=body)
        assert (answer.status_code, error_of(answer)["code"]) == (400, "duplicate_parameter")
        assert "more than once" in error_of(answer)["message"]

    async def test_parameters_of_the_url(self, http: httpx2.AsyncClient) -> None:
        answer = await http.get("/assistants?limit=1&order=asc&limit=2")
        assert (answer.status_code, error_of(answer)["param"]) == (400, "limit")
        thread = await make(http, "/threads")
        steps = f"/threads/{thread['id']}/runs/run_x/steps?include[]=a&include[]=b&include=c&include=d"
        assert "more than once" not in (await http.get(steps)).text

    async def test_fields_of_a_form(self, http: httpx2.AsyncClient) -> None:
        part = '--x\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
        file = part.format("file", '; filename="a.txt"', "data")
        purpose = part.format("purpose", "", "assistants")
        twice = "Content-Disposition: form-data; name=other\r\nContent-Disposition"
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        for parts in (
            [file, purpose, purpose],
            [purpose, file, file],
            [file, purpose.replace("Content-Disposition", twice)],
        ):
            answer = await http.post("/files", content="".join([*parts, "--x--\r\n"]), headers=headers)
            assert answer.status_code == 400, answer.text
        assert (await http.get("/files")).json()["data"] == []
        good = await http.post("/files", content=f"{purpose}{file}--x--\r\n", headers=headers)
        assert good.status_code == 200

    async def test_keys(self, http: httpx2.AsyncClient) -> None:
        headers = [
            ("Authorization", "Bearer a"),
            ("Authorization", "Bearer b"),
            ("OpenAI-Beta", "assistants=v2"),
        ]
        answer = await http.get("/threads", headers=headers)
        assert (answer.status_code, error_of(answer)["code"]) == (400, "duplicate_header")


async def test_pages_with_a_key_get_in(http: httpx2.AsyncClient) -> None:
    headers = ANNA | {"Origin": "https://app.example", "Host": "assistants.example"}
    assert (await http.get("/threads", headers=headers)).status_code == 200


AZURE = "http://localhost/openai"


@pytest.mark.parametrize("version", ["2024-05-01-preview", "2024-08-01-preview", "2026-01-01", "v1"])
async def test_azure_client(http: httpx2.AsyncClient, version: str) -> None:
    azure = AsyncAzureOpenAI(
        api_key="key-of-anna-1", azure_endpoint="http://localhost", api_version=version, http_client=http
    )
    assistant = await azure.beta.assistants.create(
        model="my-deployment", tools=[{"type": "code_interpreter"}]
    )
    assert [found.id for found in (await azure.beta.assistants.list()).data] == [assistant.id]
    assert (await http.get(f"/assistants/{assistant.id}", headers=ANNA)).status_code == 200


@pytest.mark.parametrize("query", ["", "?api-version=", "?api-version=v2", "?api-version=2024-5-1"])
async def test_azure_without_version(http: httpx2.AsyncClient, query: str) -> None:
    response = await http.get(f"{AZURE}/threads{query}", headers=ANNA)
    assert (response.status_code, error_of(response)["message"]) == (404, "Resource not found")


async def test_azure_needs_no_beta_header(http: httpx2.AsyncClient) -> None:
    request = http.build_request("GET", f"{AZURE}/threads?api-version=2024-05-01-preview", headers=ANNA)
    del request.headers["OpenAI-Beta"]
    assert (await http.send(request)).status_code == 200
    # nor do clients of Azure's agents, whatever address they were given
    request.url = httpx2.URL("http://localhost/v1/threads?api-version=v1")
    assert (await http.send(request)).status_code == 200
    request.url = httpx2.URL("http://localhost/v1/threads")
    assert error_of(await http.send(request))["code"] == "invalid_beta"


async def test_azure_takes_shorter_instructions_in_changes(http: httpx2.AsyncClient) -> None:
    http.headers.update(ANNA)
    assistant = await make(http, "/assistants", model="m", instructions="i" * 100_000)
    path = f"/assistants/{assistant['id']}"
    version = "?api-version=2024-05-01-preview"
    refused = await http.post(f"{AZURE}{path}{version}", json={"instructions": "i" * 32_769})
    error = error_of(refused)
    assert (error["param"], error["code"]) == ("instructions", "string_above_max_length")
    await make(http, f"{AZURE}{path}{version}", instructions="i" * 32_768)
    await make(http, path, instructions="i" * 32_769)


class TestOptions:
    """What OPTIONS tells, and which web pages may read answers."""

    PAGE = "https://pages.example"

    @pytest.fixture
    def engine_settings(self, tmp_path: Path, clock: ManualClock) -> EngineSettings:
        return EngineSettings(data_dir=tmp_path / "data", clock=clock, web_origins=(self.PAGE,))

    @pytest.mark.parametrize(
        ("path", "allow"),
        [
            ("/v1/threads", "GET, HEAD, OPTIONS, POST"),
            ("/v1/threads/thread_x/runs/run_x/cancel", "OPTIONS, POST"),
            ("/openai/files/file-x/content", "GET, HEAD, OPTIONS"),
        ],
    )
    async def test_what_a_url_takes(self, http: httpx2.AsyncClient, path: str, allow: str) -> None:
        answer = await http.request("OPTIONS", f"http://localhost{path}", headers={"OpenAI-Beta": ""})
        assert (answer.status_code, answer.headers["allow"], answer.content) == (204, allow, b"")
        assert not [name for name in answer.headers if name.startswith("access-control")]

    async def test_of_an_unknown_url(self, http: httpx2.AsyncClient) -> None:
        answer = await http.request("OPTIONS", "/nothing")
        assert (answer.status_code, error_of(answer)["code"]) == (404, "unknown_url")

    async def test_a_page_that_may_read(self, http: httpx2.AsyncClient) -> None:
        asked = {
            "Origin": self.PAGE,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,openai-beta",
        }
        before = await http.request("OPTIONS", "/threads", headers=asked)
        assert before.status_code == 200
        assert before.headers["access-control-allow-origin"] == self.PAGE
        assert "openai-beta" in before.headers["access-control-allow-headers"]
        answer = await http.post("/threads", headers={"Origin": self.PAGE})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == self.PAGE

    async def test_a_page_that_may_not(self, http: httpx2.AsyncClient) -> None:
        asked = {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}
        before = await http.request("OPTIONS", "/threads", headers=asked)
        assert before.status_code == 400
        assert "access-control-allow-origin" not in before.headers
        answer = await http.post("/threads", headers={"Origin": "https://other.example"})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
