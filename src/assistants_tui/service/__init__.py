"""The async service layer between the app and a server of the Assistants API.

The only client code that imports `openai`, and (in `embedded`) the only client code that opens the engine.
Nothing here knows Textual. Import the modules, not this package: it stays empty so that the first frame
does not wait for an HTTP client.
"""
