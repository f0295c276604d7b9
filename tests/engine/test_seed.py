"""The assistants that a new store begins with."""

from dataclasses import replace

import pytest

from assistants_tui.engine.app import EngineSettings
from support.engine import open_engine


@pytest.fixture
def engine_settings(engine_settings: EngineSettings) -> EngineSettings:
    return replace(engine_settings, starter_assistants=True)


async def test_new_store_has_someone_to_talk_to(engine_settings: EngineSettings) -> None:
    async with open_engine(engine_settings) as http:
        assistants = (await http.get("/assistants")).json()["data"]
    assert [assistant["name"] for assistant in assistants] == [
        "Math Tutor",
        "Data Visualizer",
        "HR Helper",
        "Weather Bot",
    ]
    assert [[tool["type"] for tool in assistant["tools"]] for assistant in assistants] == [
        ["code_interpreter"],
        ["code_interpreter"],
        ["file_search"],
        ["function", "function"],
    ]
    assert {assistant["model"] for assistant in assistants} == {"offline-tutor"}
    weather, nickname = (tool["function"] for tool in assistants[3]["tools"])
    assert (weather["name"], nickname["name"]) == ("getCurrentWeather", "getNickname")
    assert weather["parameters"]["required"] == nickname["parameters"]["required"] == ["location"]
    assert weather["parameters"]["properties"]["unit"]["enum"] == ["c", "f"]


async def test_they_are_what_a_request_would_make(engine_settings: EngineSettings) -> None:
    async with open_engine(engine_settings) as http:
        for assistant in (await http.get("/assistants")).json()["data"]:
            body = {name: assistant[name] for name in assistant.keys() - {"id", "object", "created_at"}}
            copy = (await http.post("/assistants", json=body)).json()
            assert copy == assistant | {"id": copy["id"]}


async def test_deleted_ones_stay_away(engine_settings: EngineSettings) -> None:
    async with open_engine(engine_settings) as http:
        first = (await http.get("/assistants")).json()["data"][0]
        await http.delete(f"/assistants/{first['id']}")
    async with open_engine(engine_settings) as http:
        assert len((await http.get("/assistants")).json()["data"]) == 3


async def test_they_use_the_model_that_is_there(engine_settings: EngineSettings) -> None:
    async with open_engine(replace(engine_settings, default_model="local-small")) as http:
        assistants = (await http.get("/assistants")).json()["data"]
    assert {assistant["model"] for assistant in assistants} == {"local-small"}


async def test_an_endpoint_without_a_default_model_answers_for_them(engine_settings: EngineSettings) -> None:
    async with open_engine(replace(engine_settings, model_url="http://127.0.0.1:1/v1")) as http:
        assistants = (await http.get("/assistants")).json()["data"]
    assert {assistant["model"] for assistant in assistants} == {"default"}


async def test_a_model_that_is_connected_later_takes_over_from_the_tutor(
    engine_settings: EngineSettings,
) -> None:
    async with open_engine(engine_settings) as http:
        first, second, *_ = (await http.get("/assistants")).json()["data"]
        await http.post(f"/assistants/{first['id']}", json={"instructions": "Be brief."})
        await http.post(f"/assistants/{second['id']}", json={"model": "chosen"})
    connected = replace(engine_settings, model_url="http://127.0.0.1:1/v1", default_model="local-small")
    async with open_engine(connected) as http:
        assistants = (await http.get("/assistants")).json()["data"]
    assert [assistant["model"] for assistant in assistants] == [
        "offline-tutor",
        "chosen",
        "local-small",
        "local-small",
    ]


async def test_no_owner_with_keys_gets_them(engine_settings: EngineSettings) -> None:
    headers = {"Authorization": "Bearer key-of-anna"}
    async with open_engine(replace(engine_settings, api_keys={"key-of-anna": "local"})) as http:
        assert (await http.get("/assistants", headers=headers)).json()["data"] == []
