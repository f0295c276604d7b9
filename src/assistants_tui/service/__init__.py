"""The async service layer between the app and a server of the Assistants API. Nothing here knows Textual.

Read `protocol.objects`, `runs.state` (the reducer), `conversation` (one thread) and `workspace` (what the
panes read) in this order. The rooms: `api` asks the server (the only client code that imports `openai`, and
in `api.embedded` the only one that opens the engine); `runs`, `assistants`, `files`, `functions` and `export`
know one subject each and are used from above.

Import the modules, not this package: it stays empty so that the first frame does not wait for an HTTP client.
"""
