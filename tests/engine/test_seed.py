"""The assistants that a new store begins with."""

import re
import sqlite3
from dataclasses import replace

import pytest

from assistants_tui.engine.app import EngineSettings, ModelProvider
from assistants_tui.engine.store.database import FILE_NAME
from support.engine import open_engine
from support.model_endpoint import ModelEndpoint, says


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
    assert {assistant["model"] for assistant in assistants} == {"default"}
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


async def test_they_follow_the_model_that_is_connected_unless_one_was_chosen(
    engine_settings: EngineSettings,
) -> None:
    async with open_engine(engine_settings) as http:
        first, *_ = (await http.get("/assistants")).json()["data"]
        await http.post(f"/assistants/{first['id']}", json={"model": "offline-tutor"})
    async with ModelEndpoint(models=["llama3.2"]) as endpoint:
        endpoint.otherwise = lambda _: says("Hello.")
        providers = [ModelProvider(endpoint.url, "ollama")]
        async with open_engine(replace(engine_settings, providers=providers)) as http:
            assistants = (await http.get("/assistants")).json()["data"]
            models = []
            for assistant in assistants:
                body = {
                    "assistant_id": assistant["id"],
                    "thread": {"messages": [{"role": "user", "content": "2 + 2"}]},
                    "stream": True,
                }
                ended = (await http.post("/threads/runs", json=body)).text
                models.append(set(re.findall(r'"model":"(.*?)"', ended)) - {"default"})
    assert models == [{"offline-tutor"}, *[{"ollama/llama3.2"}] * 3]


async def test_starters_of_an_older_version_follow_it_too(engine_settings: EngineSettings) -> None:
    async with open_engine(engine_settings) as http:
        first, second, *_ = (await http.get("/assistants")).json()["data"]
        await http.post(f"/assistants/{first['id']}", json={"instructions": "Be brief."})
        await http.post(f"/assistants/{second['id']}", json={"model": "chosen"})
    with sqlite3.connect(engine_settings.data_dir / FILE_NAME) as store:
        store.execute("UPDATE assistants SET model = 'offline-tutor' WHERE model = 'default'")
        store.execute("UPDATE schema_version SET version = 4")
    store.close()
    async with open_engine(engine_settings) as http:
        assistants = (await http.get("/assistants")).json()["data"]
    assert [assistant["model"] for assistant in assistants] == [
        "offline-tutor",
        "chosen",
        "default",
        "default",
    ]


async def test_no_owner_with_keys_gets_them(engine_settings: EngineSettings) -> None:
    headers = {"Authorization": "Bearer key-of-anna"}
    async with open_engine(replace(engine_settings, api_keys={"key-of-anna": "local"})) as http:
        assert (await http.get("/assistants", headers=headers)).json()["data"] == []
