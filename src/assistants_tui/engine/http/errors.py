"""Errors of the HTTP interface: one envelope, in the wording of the hosted service where that is known.

The envelope and the meaning of `type`, `param` and `code` are those of the OpenAI API reference.
"""

from collections.abc import Sequence
from typing import Any

from starlette.responses import JSONResponse, Response

from assistants_tui.engine.store.ids import PREFIXES

_SHOWN = 100  # characters of a text that somebody sent

_NAMED = 20  # of several such texts


class ApiError(Exception):
    """A request that is answered with an error. `param` is the path of the field at fault."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.error = {"message": message, "type": type, "param": param, "code": code}

    def body(self) -> dict[str, Any]:
        """The envelope."""
        return {"error": self.error}

    def response(self) -> Response:
        return JSONResponse(self.body(), self.status, self.headers)


class FilesApiError(ApiError):
    """The Files API words some of its errors differently from all others, and says them twice."""

    def body(self) -> dict[str, Any]:
        return super().body() | {"detail": {"message": self.error["message"], "code": None}}


def bad_request(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    return ApiError(400, message, param=param, code=code)


def not_found(kind: str, object_id: str) -> ApiError:
    """`kind` as in `ids.PREFIXES`. Also the answer for what belongs to another owner."""
    return ApiError(404, f"No {kind.replace('_', ' ')} found with id '{shown(object_id)}'.")


def no_file(file_id: str) -> ApiError:
    return FilesApiError(404, f"No such File object: {shown(file_id)}", param="id")


def shown(text: str) -> str:
    """What of a text that somebody sent stands in an error about it: texts can have megabytes."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def enumerated(texts: Sequence[str]) -> str:
    """Several of them, and how many more there are."""
    first = ", ".join(map(shown, texts[:_NAMED]))
    return first if len(texts) <= _NAMED else f"{first} and {len(texts) - _NAMED} more"


def expect_id(kind: str, object_id: str, param: str) -> None:
    """Refuse an ID that cannot be one of that kind, so that a mixed-up argument is easy to see."""
    if not object_id.startswith(PREFIXES[kind].rstrip("_-")):
        message = wrong_id(object_id, PREFIXES[kind]).replace("{path}", param)
        raise bad_request(message, param=param, code="invalid_value")


def wrong_id(object_id: str, prefix: str) -> str:
    """What is said of an ID of the wrong kind; `{path}` stands for the name of its parameter."""
    return (
        f"Invalid '{{path}}': '{shown(object_id)}'. Expected an ID that begins with '{prefix.rstrip('_-')}'."
    )


def server_error() -> ApiError:
    return ApiError(
        500, "The engine had an error while processing the request; its log says more.", type="server_error"
    )
