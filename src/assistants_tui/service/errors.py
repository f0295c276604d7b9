"""What went wrong, in the user's words: one exception for whatever a server or the way to it can do."""

import logging
import socket
import ssl
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import openai

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
        no_effect: bool = False,
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
        self.no_effect = no_effect
        """Whether the server certainly did nothing. Otherwise what was asked for may have happened all the
        same, with its answer lost on the way."""

    def __str__(self) -> str:
        return f"{self.what} {self.advice}".strip()

    def __repr__(self) -> str:
        return f"ServiceError({self.what!r}, kind={self.kind!r}, status={self.status}, code={self.code!r})"


def unexpected(error: Exception) -> ServiceError:
    """A failure for an exception that nobody foresaw: a mistake in this program. It is logged as well."""
    if isinstance(error, ServiceError):
        return error
    logging.getLogger(__name__).error("unexpected error", exc_info=error)
    return ServiceError(
        f"An error in the app: {describe(error)}.",
        "Try again; if it stays, report these words.",
        kind="protocol",
    )


def describe(error: BaseException) -> str:
    """Type, text and place of an exception, in one line for a report."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    text = " ".join(str(error).split())[:_MAX_QUOTE]
    return f"{type(error).__name__}{': ' if text else ''}{text}{place}"


_MAX_QUOTE = 1000
"""Characters of a server's message that are kept."""


def explain(error: Exception, *, server: str, path: str = "", hosted: bool = False) -> ServiceError:
    """Say what an exception of the `openai` client, of HTTP or of JSON decoding means for the user.

    `server` names the server in the sentence, `path` is the path that was asked for. `hosted`: the server is
    api.openai.com, where the Assistants API is closed. Keys that a server quotes back are not removed here.
    """
    import openai  # not for the first frame; loaded long before anything can fail

    if isinstance(error, ServiceError):
        return error
    if isinstance(error, openai.APIStatusError):
        return _explain_status(error, server=server, path=path, hosted=hosted)
    if isinstance(error, openai.APITimeoutError):
        return ServiceError(
            f"{_first(server)} did not answer in time.",
            "Try again; if it happens often, look at the server's load.",
            kind="timeout",
            retryable=True,
        )
    if isinstance(error, (openai.APIConnectionError, OSError)) or _is_transport(error):
        return _explain_connection(error, server)
    if isinstance(error, ValueError):
        return ServiceError(
            f"{_first(server)} sent something that is not JSON.",
            "Check the address in the profile: it must be the base URL of an Assistants API.",
            kind="protocol",
        )
    return ServiceError(f"The request to {server} failed ({type(error).__name__}).", kind="protocol")


def not_the_api(server: str) -> ServiceError:
    """The answer was JSON or text, but no object of the Assistants API."""
    return ServiceError(
        f"{_first(server)} answered with something that is not an object of the Assistants API.",
        "Check the address in the profile: it must be the base URL of an Assistants API.",
        kind="protocol",
    )


def _first(server: str) -> str:
    """The name of a server as the first word of a sentence. Addresses stay as they are."""
    return f"The {server.removeprefix('the ')}" if server.startswith("the ") else server


def _is_transport(error: Exception) -> bool:
    import httpx2

    return isinstance(error, httpx2.TransportError)


def _explain_connection(error: Exception, server: str) -> ServiceError:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            what = f"The name of {server} is not known (DNS)."
            advice = "Check the address in the profile and the network connection."
        elif isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "verify_message", "") or cause.reason or "TLS"
            what = f"There is no trusted connection to {server}: {reason}."
            advice = "Check the address; for a private certificate authority set SSL_CERT_FILE."
        elif isinstance(cause, ConnectionRefusedError):
            what = f"Nothing listens at {server}: the connection was refused."
            advice = "Start the server, or check the address in the profile."
        else:
            continue
        return ServiceError(what, advice, kind="connection", retryable=True)
    return ServiceError(
        f"The connection to {server} broke.",
        "Check the network connection and try again.",
        kind="connection",
        retryable=True,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, what caused it, and so on; groups are opened."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
        waiting += [current.__cause__, current.__context__]


def _explain_status(error: "openai.APIStatusError", *, server: str, path: str, hosted: bool) -> ServiceError:
    status = error.status_code
    message, code, param = _server_words(error.body)
    if hosted and status == 404 and path.lstrip("/").partition("/")[0] in {"assistants", "threads"}:
        return ServiceError(
            "OpenAI closed its hosted Assistants API on 2026-08-26, so api.openai.com no longer serves it.",
            "Use a profile of kind “embedded” with model_url “https://api.openai.com/v1” and your OpenAI "
            "key: the assistants then run on this machine and only the model runs at OpenAI.",
            kind="not_found",
            status=status,
        )
    from assistants_tui import network  # as with `openai` above

    if sentences := network.refused_redirect(error.response):
        return ServiceError(sentences, kind="settings", status=status, no_effect=True)
    kind, what, advice, retryable = _status_words(status, _first(server))
    return ServiceError(
        f"{what} {message}".strip() if message else what,
        advice,
        kind=kind,
        status=status,
        code=code,
        param=param,
        retryable=retryable,
        no_effect=400 <= status < 500 and status != 408,
    )


_STATUS: dict[int, tuple[Kind, str, str, bool]] = {
    401: ("authentication", "{} does not accept the key.", "Check the key of this profile.", False),
    403: ("authentication", "{} does not allow this with this key.", "Use another key.", False),
    404: ("not_found", "{} does not have it.", "", False),
    408: ("timeout", "{} gave up waiting for the request.", "Try again.", True),
    413: ("refused", "{} takes nothing that large.", "Send a smaller file or text.", False),
    429: ("rate_limit", "{} has too many requests.", "Wait a little and try again.", True),
}


def _status_words(status: int, server: str) -> tuple[Kind, str, str, bool]:
    """Kind, what happened, what to do, and whether to repeat the request."""
    if status >= 500:
        return "server", f"{server} failed ({status}).", "Try again later.", True
    if status < 400:
        return "protocol", f"{server} has moved.", "Correct the address in the profile.", False
    kind, what, advice, retryable = _STATUS.get(status, ("refused", "{} refused the request.", "", False))
    return kind, what.format(server), advice, retryable


def error_words(answer: object) -> str:
    """What a server says in an answer that is an error in spite of its status; "" if it is none."""
    return _server_words(answer)[0] if isinstance(answer, dict) and answer.get("error") else ""


def _server_words(body: object) -> tuple[str, str | None, str | None]:
    """Message, code and param of an error body, in any of the forms that servers use."""
    inner = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(inner, str) and not inner.lstrip().startswith("<"):  # a text, not a page of HTML
        inner = {"message": inner.strip()}
    if not isinstance(inner, dict):
        return "", None, None
    message = inner.get("message")
    if not isinstance(message, str):
        detail = inner.get("detail")
        if isinstance(detail, list) and detail and isinstance(detail[0], dict):
            detail = detail[0].get("msg")
        message = detail if isinstance(detail, str) else ""
    code, param = inner.get("code"), inner.get("param")
    return (
        message if len(message) <= _MAX_QUOTE else f"{message[:_MAX_QUOTE]}…",
        str(code) if code is not None else None,
        param if isinstance(param, str) else None,
    )
