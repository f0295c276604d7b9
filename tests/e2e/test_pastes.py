"""What a terminal sends for pastes and for unusual characters, byte for byte, and what becomes of it."""

import asyncio
import os
import re
from pathlib import Path

from assistants_tui.settings.paths import user_paths
from support.app import use_model
from support.code_interpreter import NO_SANDBOX_HERE
from support.model_endpoint import ModelEndpoint, calls, says
from support.terminal import Terminal

COLOURED = "error: \x1b[31mfile a.c\x1b[0m line 7\rsecond line \x1b[0m\x11 of the log"
TYPED = "東京\u3000天気 10\u00a0000 می\u200cخواهم \U0001f469\u200d\U0001f4bb a\u200fb"


def paste(text: str) -> str:
    return f"\x1b[200~{text}\x1b[201~"


async def test_the_model_gets_what_was_pasted_and_typed() -> None:
    def use() -> None:
        with Terminal(env=os.environ) as terminal:
            terminal.wait_for("is ready")
            terminal.send(paste(COLOURED)[:4])
            terminal.watch(0.3)
            terminal.send(paste(COLOURED)[4:])
            terminal.wait_for("second line  of the log")
            terminal.send("\r")
            terminal.wait_for("An answer")
            terminal.send(TYPED)
            terminal.send(paste("x \x1b[201~\ry"))
            terminal.wait_for(lambda text: re.search(r"▕ +y ", text) is not None)
            terminal.send("\r")
            terminal.wait_for("Another one")
            terminal.send("\x11")
            assert terminal.wait_for_exit() == 0

    async with ModelEndpoint(says("An answer"), says("Another one")) as model:
        use_model(model.url)
        await asyncio.to_thread(use)
        said = [
            [message["content"] for message in chat["messages"] if message["role"] == "user"][-1]
            for chat in model.chats
        ]
        assert said == ["error: file a.c line 7\nsecond line  of the log", TYPED + "x \ny"]


async def test_a_paste_does_not_run_code(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    def use() -> None:
        with Terminal(env=os.environ) as terminal:
            terminal.wait_for("is ready")
            terminal.send("Solve it\r")
            terminal.wait_for("Run this code without a sandbox?")
            terminal.send(paste("see \x1b[31mrm -rf\x1b[0m r\rr\r in the log"))
            terminal.wait_for("in the log")  # in the composer, where a text belongs
            terminal.watch(1)
            assert "Run this code without a sandbox?" in terminal.text
            assert not ran.exists()

    code = f"open({str(ran)!r}, 'w').close()"
    async with ModelEndpoint(calls(("code_interpreter", f'{{"code": "{code}"}}'))) as model:
        use_model(model.url)
        with user_paths().config_file.open("a") as config:
            config.write(f'[code]\nsandbox = "{NO_SANDBOX_HERE}"\n')
        await asyncio.to_thread(use)
