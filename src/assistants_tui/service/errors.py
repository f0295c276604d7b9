"""What went wrong, in the user's words: one exception for whatever a server or the way to it can do."""

from typing import Literal

Kind = Literal[
    "connection",  # the server was not reached, or the connection broke
    "timeout",
    "authentication",  # no key, wrong key, or a key without the right
    "not_found",
    "rate_limit",
    "refused",  # the server understood the request and says that it is not allowed as it stands
    "server",  # the server failed
    "protocol",  # the answer was not what the Assistants API promises
    "budget",  # a local limit of the user forbids the request
    "settings",  # the profile or the machine is not set up for it
]


class ServiceError(Exception):
    """A request failed. `what` says what happened, `advice` what to do about it; both are whole sentences.

    Both may quote the server, so they are data: draw them without markup. Neither ever holds a key.
    """

    def __init__(
        self,
        what: str,
        advice: str = "",
        *,
        kind: Kind = "server",
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(what, advice)
        self.what = what
        self.advice = advice
        self.kind: Kind = kind
        self.status = status
        """HTTP status, where there was an answer."""
        self.code = code
        """The server's own error code, such as `invalid_api_key`."""
        self.param = param
        """The field of the request that the server complains about."""
        self.retryable = retryable
        """Whether the same request may succeed when it is simply repeated later."""

    def __str__(self) -> str:
        return f"{self.what} {self.advice}".strip()

    def __repr__(self) -> str:
        return f"ServiceError({self.what!r}, kind={self.kind!r}, status={self.status}, code={self.code!r})"
