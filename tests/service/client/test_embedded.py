"""The engine inside the process is reached by nobody else."""

import psutil
import pytest

from assistants_tui.service.client.backend import open_backend
from assistants_tui.service.client.embedded import model_providers
from assistants_tui.settings.config import LOCAL
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.provider_settings import ProviderSettings


def ports() -> set[tuple[int, object]]:
    """The ports on which this process and all that it started listen."""
    me = psutil.Process()
    found: set[tuple[int, object]] = set()
    for process in (me, *me.children(recursive=True)):
        try:
            connections = process.net_connections("inet")
        except psutil.Error:  # it has ended, or is another user now
            continue
        found |= {(process.pid, one.laddr) for one in connections if one.status == psutil.CONN_LISTEN}
    return found


async def test_it_opens_no_port_and_neither_does_the_code_of_a_run(paths: Paths) -> None:
    before = ports()
    backend = await open_backend(LOCAL, paths=paths)
    try:
        assert ports() <= before
        thread = await backend.threads.create()
        question = {"role": "user", "content": "Solve 3x + 11 = 14"}
        await backend.client.post(f"threads/{thread['id']}/messages", question)
        tutor = next(one for one in await backend.assistants.list() if one["name"] == "Math Tutor")
        looked: list[object] = []
        async for state in backend.runs.start(thread["id"], tutor["id"]):
            now = (state.status, [step["status"] for step in state.steps.values()])
            if looked[-1:] != [now]:  # not at each word: all processes are looked at
                assert ports() <= before
                looked.append(now)
        assert looked[-1] == ("completed", ["completed", "completed"])
        assert len(looked) >= 5
    finally:
        await backend.close()


@pytest.mark.parametrize(
    ("variable", "advice"),
    [
        (None, "Name the environment variable that holds its key in `key_env` of [models.a]."),
        ("NOT_SET", "The environment variable NOT_SET is not set, nor is a key stored."),
    ],
)
def test_a_provider_without_a_key_is_told_what_helps(variable: str | None, advice: str) -> None:
    """F3 stores the keys of profiles."""
    provider = ProviderSettings("a", "https://models.example.org/v1", key_env=variable)
    assert model_providers({"a": provider})[0].key_advice == advice
