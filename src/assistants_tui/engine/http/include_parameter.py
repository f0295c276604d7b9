"""What objects contain only for those who ask for it."""

from starlette.requests import Request

from assistants_tui.engine.http.validation_errors import unsupported_value

SEARCH_CONTENT = "step_details.tool_calls[*].file_search.results[*].content"


def includes_content(request: Request) -> bool:
    """Whether the query asks for the text of search results. Raises `ApiError` for any other wish."""
    query = request.query_params
    wanted = [*query.getlist("include[]"), *query.getlist("include")]
    for value in wanted:
        if value != SEARCH_CONTENT:
            raise unsupported_value("include", value, [SEARCH_CONTENT])
    return bool(wanted)
