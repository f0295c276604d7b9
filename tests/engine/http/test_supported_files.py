"""The guide's table of supported files: which tool takes which extension."""

import httpx2
import pytest

from support.engine import error_of, make, upload

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOTH = ".c .cs .cpp .css .doc .docx .html .java .js .json .md .pdf .php .pptx .py .rb .sh .tex .ts .txt"
CODE_ONLY = ".csv .gif .jpeg .jpg .png .tar .xlsx .xml .zip"


@pytest.mark.parametrize("extension", f"{BOTH} {CODE_ONLY}".split())
async def test_table(shared: httpx2.AsyncClient, extension: str) -> None:
    file = await upload(shared, f"file{extension}", b"content")
    for tool, takes in (("code_interpreter", True), ("file_search", extension in BOTH.split())):
        attachment = {"file_id": file["id"], "tools": [{"type": tool}]}
        message = {"role": "user", "content": "Read it.", "attachments": [attachment]}
        if takes:
            await make(shared, "/threads", messages=[message])
        else:
            refused = await shared.post("/threads", json={"messages": [message]})
            assert (refused.status_code, error_of(refused)["code"]) == (400, "unsupported_file")
            assert extension in error_of(refused)["message"]
