"""assistants-tui: a terminal client for the OpenAI Assistants API, and an engine that serves it locally."""

__version__ = "0.1.0"
