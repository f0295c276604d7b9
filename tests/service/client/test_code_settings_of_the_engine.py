"""What config.toml says about code reaches the code interpreter of the embedded engine."""

import json
from dataclasses import replace

from assistants_tui.engine.code_interpreter import Limits
from assistants_tui.service.client.backend import open_backend
from assistants_tui.service.client.embedded import limits
from assistants_tui.settings.config import LOCAL, CodeSettings, Config
from assistants_tui.settings.paths import user_paths
from support.model_endpoint import ModelEndpoint, calls, says


def test_every_limit_is_passed_on() -> None:
    assert limits(CodeSettings()) == Limits()
    changed = limits(CodeSettings("auto", 5, 60, 512, 32, 10, 5000))
    assert changed == Limits(
        seconds=5,
        idle_seconds=60,
        memory=512 << 20,
        processes=32,
        disk=10 << 20,
        output_chars=5000,
    )


async def test_hitting_one_is_told_in_a_sentence_and_the_session_goes_on() -> None:
    blocks = [
        "kept = open('/mnt/data/kept.txt', 'w').write('kept')\nprint('x' * 5000)",
        "import time\ntime.sleep(60)",
        "much = b'x' * (500 << 20)\ntime.sleep(60)",
        "print(open('/mnt/data/kept.txt').read())",
    ]
    replies = [calls(("code_interpreter", json.dumps({"code": block}))) for block in blocks]
    async with ModelEndpoint(*replies, says("Done.")) as endpoint:
        profile = replace(LOCAL, model_url=endpoint.url)
        config = Config(code=CodeSettings(timeout=4, memory=256, output=1000))
        backend = await open_backend(profile, paths=user_paths(), config=config)
        try:
            assistant = await backend.assistants.create(
                {"model": "m", "tools": [{"type": "code_interpreter"}]}
            )
            thread = await backend.threads.create({"messages": [{"role": "user", "content": "Go"}]})
            states = [state async for state in backend.runs.start(thread["id"], assistant["id"])]
        finally:
            await backend.close()
    outputs = [
        "".join(output["logs"] for output in call["code_interpreter"]["outputs"])
        for step in states[-1].steps.values()
        for call in step["step_details"].get("tool_calls") or ()
    ]
    assert outputs[0].endswith("x\n[Output was cut at 1,000 characters.]\n")
    assert outputs[1].endswith("[The code was stopped: it ran for more than 4 s. Variables are kept.]\n")
    stopped = "[The code was stopped: it used more than 256 MiB of memory. Variables are lost; the files in "
    assert outputs[2] == f"{stopped}/mnt/data are kept.]\n"
    assert outputs[3].endswith("kept\n")
    told = [m["content"] for m in endpoint.chats[-1]["messages"] if m["role"] == "tool"]
    assert told == outputs, "the model reads the same sentences"
