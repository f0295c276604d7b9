"""An MCP server that speaks bare JSON-RPC lines and has the habits of real ones. Run as a program.

Its arguments name the habits. `tools=FILE`: its tools are read from there each time.
`changes=FILE`: with each call they become those of that file, which it says.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

LONG = "get_drug_names_by_info_on_consulting_doctor_pharmacist_for_drug_interactions_v"
NAMES = ["admin.tools.list", "admin/tools/list", "New Tool", f"{LONG}1", f"{LONG}2", "日本"]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
RESULTS: dict[str, list[Any]] = {
    "image": [
        {"type": "text", "text": "Here it is."},
        {"type": "image", "data": PIXEL, "mimeType": "image/png"},
        {"type": "resource", "resource": {"uri": "file:///a/notes.txt", "text": "Remember the milk."}},
        {
            "type": "resource",
            "resource": {"uri": "file:///../x.pdf", "mimeType": "application/pdf", "blob": "JVBE"},
        },
        {"type": "resource_link", "uri": "https://example.org/more", "name": "more", "mimeType": "text/html"},
    ],
    "odd part": [{"type": "hologram", "data": 1}, {"type": "text", "text": "the rest"}],
    "empty": [],
    "many": [{"type": "text", "text": f"part {number}"} for number in range(1_200)],
}


def main() -> None:
    habits = dict(one.partition("=")[::2] for one in sys.argv[1:])
    calls = 0

    def send(message: dict[str, Any]) -> None:
        print(json.dumps(message), flush=True)

    for line in sys.stdin:
        request = json.loads(line)
        method, number = request.get("method"), request.get("id")

        def answer(result: object, number: object = number) -> None:
            send({"jsonrpc": "2.0", "id": number, "result": result})

        def refuse(code: int, message: str, number: object = number) -> None:
            send({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}})

        if method == "initialize":
            about = {"capabilities": {"tools": {}}, "serverInfo": {"name": "raw", "version": "1"}}
            answer({"protocolVersion": request["params"]["protocolVersion"], **about})
        elif method == "tools/list":
            tools: list[Any] = [{"name": "do", "description": "Does it.", "inputSchema": {"type": "object"}}]
            if "names" in habits:
                tools += ({"name": name, "inputSchema": {"type": "object"}} for name in NAMES)
            if "many" in habits:
                tools = [
                    {"name": f"do{number}", "inputSchema": {"type": "object"}} for number in range(1_200)
                ]
            if "bad" in habits:
                tools += [{"name": "bad"}, 7]
            if "tools" in habits:
                tools = json.loads(Path(habits["tools"]).read_text("utf-8"))
            answer({"tools": tools})
        elif method == "tools/call":
            calls += 1
            wanted = request["params"].get("arguments", {}).get("x", "")
            if "changes" in habits:
                Path(habits["tools"]).write_text(Path(habits["changes"]).read_text("utf-8"), "utf-8")
                send({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
            if "noisy" in habits:
                print("[INFO] a tool is called", flush=True)
            if wanted == "hang":
                time.sleep(600)
            elif wanted == "refuse":
                refuse(-32602, "Invalid params: city is required")
            elif wanted == "own code":
                refuse(-32000, "the disk of the server is full")
            elif wanted == "half":
                answer({"content": [{"type": "text", "text": "a\ud800b"}]})
            elif wanted in RESULTS:
                answer({"content": RESULTS[wanted]})
            else:
                said = f"{request['params']['name']}, call {calls} of process {os.getpid()}"
                answer({"content": [{"type": "text", "text": said}]})
        elif number is not None:
            refuse(-32601, "Method not found")


if __name__ == "__main__":
    main()
