"""IDs in the paths of requests."""

from starlette.requests import Request

from assistants_tui.engine.http.errors import expect_id


def path_id(request: Request, param: str, kind: str | None = None) -> str:
    """The ID that a path has as `param`. Raises `ApiError` for what cannot be an ID of that kind.

    `kind`: of the object, where `param` does not begin with it.
    """
    object_id: str = request.path_params[param]
    expect_id(kind or param.removesuffix("_id"), object_id, param)
    return object_id
