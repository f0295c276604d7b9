"""Where `serve` listens unless it is told otherwise."""

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8123
