"""Programs written for the hosted API, run as they are: only the environment says where the server is."""

import asyncio
import os
import sys
from pathlib import Path

from support.serve_command import serve_command

PROGRAMS = Path(__file__).parent / "programs"


async def output_of(program: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "ignore::DeprecationWarning", str(PROGRAMS / f"{program}.py")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    output, errors = await process.communicate()
    assert process.returncode == 0 and not errors, errors.decode()
    return output.decode()


async def test_programs_of_the_guides(tmp_path: Path) -> None:
    async with serve_command(tmp_path) as server:
        # one after the other: the first looks for its assistant as the newest of all
        azure = await output_of(
            "azure_assistants", AZURE_OPENAI_API_KEY="any", AZURE_OPENAI_ENDPOINT=server.url
        )
        quickstart = await output_of("quickstart", OPENAI_API_KEY="any", OPENAI_BASE_URL=f"{server.url}/v1")
    assert azure.splitlines() == [
        "my-deployment",
        "Math Assist",
        "Write and run code to answer math questions.",
        "HR Helper file_search",
        "True",
    ]
    called, _, rest = quickstart.partition("\n\noutput >\n")
    assert called.startswith("\nassistant > code_interpreter\n\nfrom fractions import Fraction")
    assert "3*x + 11" in called
    assert rest.startswith("\nx = 1\n") and "\nassistant > The solution is **x = 1**." in rest
