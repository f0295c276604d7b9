"""A thread of the code interpreter as tests use one: its calls, and what they put out."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assistants_tui.engine.code_interpreter import CodeInterpreter, Execution, Image, Logs, Output

NO_SANDBOX_HERE = "bubblewrap" if sys.platform == "darwin" else "sandbox-exec"
"""A sandbox that this system does not have: who wants it is without one."""

OpenInterpreter = Callable[..., Awaitable[CodeInterpreter]]
"""A launcher's name, and limits by name."""


@dataclass
class Thread:
    """`outputs` are those of the last call; `arrived` is set with the first of them."""

    interpreter: CodeInterpreter
    name: str = "thread_1"
    outputs: list[Output] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    owner: str = ""

    async def run(self, code: str, files: Mapping[str, Path] | None = None) -> Execution:
        self.outputs.clear()
        self.arrived.clear()
        return await self.interpreter.run(self.name, code, files or {}, self._keep, owner=self.owner)

    async def _keep(self, output: Output) -> None:
        self.outputs.append(output)
        self.arrived.set()

    @property
    def logs(self) -> str:
        return "".join(output.text for output in self.outputs if isinstance(output, Logs))

    @property
    def images(self) -> list[Image]:
        return [output for output in self.outputs if isinstance(output, Image)]
