"""The served description is complete, and nothing that is sent by it, or against it, breaks the engine."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from starlette.routing import Mount

from assistants_tui.engine.app import EngineSettings, create_app
from assistants_tui.engine.http.openapi import OPERATIONS, document
from support.engine import ManualClock
from support.served import served

BETA = {"OpenAI-Beta": "assistants=v2"}
schema = schemathesis.openapi.from_dict(document())
# The systematic cases of this phase are those of test_limits, and thousands of them.
schema.config.phases.coverage.enabled = False


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where an engine is served in a thread of its own: the fuzzer waits for answers."""
    found: list[str] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        settings = EngineSettings(tmp_path_factory.mktemp("engine"), clock=ManualClock())
        async with served(create_app(settings)) as where:
            found.append(f"{where}/v1")
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    yield found[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def real_ids(address: str) -> dict[str, str]:
    """IDs of objects that exist, by the names that paths have for them."""
    with httpx2.Client(base_url=address, headers=BETA) as http:

        def make(path: str, **body: Any) -> str:
            response = http.post(path, json=body)
            assert response.status_code == 200, response.text
            return str(response.json()["id"])

        form = {"purpose": "assistants"}
        file = http.post("/files", files={"file": ("a.txt", b"x")}, data=form).json()["id"]
        store = make("/vector_stores", file_ids=[file])
        thread = make("/threads")
        assistant = make("/assistants", model="offline-tutor")
        return {
            "assistant_id": assistant,
            "thread_id": thread,
            "message_id": make(f"/threads/{thread}/messages", role="user", content="hello"),
            "run_id": make(f"/threads/{thread}/runs", assistant_id=assistant),
            "step_id": "step_x",
            "file_id": file,
            "vector_store_id": store,
            "batch_id": make(f"/vector_stores/{store}/file_batches", file_ids=[file]),
            "upload_id": make("/uploads", filename="x", bytes=9, mime_type="t", purpose="assistants"),
            "model": "offline-tutor",
        }


def test_every_endpoint_is_described(tmp_path: Any) -> None:
    app = create_app(EngineSettings(tmp_path))
    mounts = [route for route in app.routes if isinstance(route, Mount)]
    assert {mount.path for mount in mounts} == {"/v1", "/openai"}
    for mount in mounts:
        served_operations = {
            (method.lower(), route.path.replace(":path}", "}"))  # type: ignore[attr-defined]  # routes only
            for route in mount.routes
            for method in route.methods - {"HEAD"}  # type: ignore[attr-defined]
        }
        assert served_operations == OPERATIONS.keys()


def test_description_is_served_to_everyone(address: str) -> None:
    response = httpx2.get(address.removesuffix("/v1") + "/openapi.json")
    assert response.json() == document()


@pytest.mark.parametrize(
    "operation",
    [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)],
    ids=lambda operation: operation.label,
)
def test_nothing_breaks_the_engine(
    operation: APIOperation[Any, Any, Any, Any], address: str, real_ids: dict[str, str]
) -> None:
    """Whatever is sent gets an answer in the API's own form: done, or refused in so many words."""
    if operation.method == "delete":
        return  # the other requests need something that is there; deleting has tests of its own

    @settings(max_examples=5, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def send(case: schemathesis.Case[Any]) -> None:
        for known in (False, True):
            if known:
                case.path_parameters = {name: real_ids[name] for name in case.path_parameters}
            response = case.call(base_url=address)
            assert response.status_code < 500, response.text
            if response.status_code >= 400:
                error = response.json()["error"]
                assert error.keys() == {"message", "type", "param", "code"}
                assert error["message"]

    send()


def test_ids_are_described() -> None:
    paths = document()["paths"]
    described = {
        parameter["name"]: parameter["schema"].get("pattern")
        for operations in paths.values()
        for operation in operations.values()
        for parameter in operation["parameters"]
        if parameter["in"] == "path"
    }
    assert described == {
        "assistant_id": "^asst_",
        "thread_id": "^thread_",
        "message_id": "^msg_",
        "run_id": "^run_",
        "step_id": "^step_",
        "file_id": "^file-",
        "upload_id": "^upload_",
        "vector_store_id": "^vs_",
        "batch_id": "^vsfb_",
        "model": None,
    }
    schemas = document()["components"]["schemas"]
    assert schemas["NewRun"]["properties"]["assistant_id"]["pattern"] == "^asst_"
    [files, _] = schemas["NewFileBatch"]["properties"]["file_ids"]["anyOf"]
    assert files["items"]["pattern"] == "^file-"


def test_unions_say_what_decides_among_them() -> None:
    schemas = document()["components"]["schemas"]
    unions = {name: schema for name, schema in schemas.items() if "discriminator" in schema}
    assert unions.keys() == {
        *("Tool", "ToolChoice", "ResponseFormatObject", "ContentPart", "TruncationStrategy"),
        *("ChunkingStrategy", "Filter", "CodeDecision"),
    }
    for union in unions.values():
        field, mapping = union["discriminator"]["propertyName"], union["discriminator"]["mapping"]
        assert [one["$ref"] for one in union["oneOf"]] == list(dict.fromkeys(mapping.values()))
        for value, reference in mapping.items():
            chosen = schemas[reference.rpartition("/")[2]]
            assert value in chosen["properties"][field]["enum"] and field in chosen["required"]
            assert chosen["additionalProperties"] is False
    function = schemas["FunctionTool"]
    assert function["properties"].keys() == {"type", "function"} == set(function["required"])
    assert schemas["CodeInterpreterTool"]["properties"].keys() == {"type"}
