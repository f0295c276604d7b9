"""Which schemas of response formats are refused before any run begins."""

from typing import Any

import httpx2
import pytest

from support.engine import error_of, make

pytestmark = pytest.mark.asyncio(loop_scope="module")


def body(schema: Any) -> dict[str, Any]:
    return {
        "model": "m",
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}},
    }


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "objekt"}, "$.type"),
        ({"type": "object", "properties": []}, "$.properties"),
        ({"properties": {"x": {"minimum": "one"}}}, "$.properties.x.minimum"),
    ],
)
async def test_what_is_no_schema(shared: httpx2.AsyncClient, schema: Any, place: str) -> None:
    refused = await shared.post("/assistants", json=body(schema))
    error = error_of(refused)
    assert refused.status_code == 400
    assert (error["code"], error["param"]) == (
        "invalid_json_schema",
        "response_format.json_schema.schema",
    )
    assert f"Invalid schema for response_format 'n': At {place}: " in error["message"]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$ref": "#/$defs/x", "$defs": {"x": {"type": ["string", "null"]}}},
        {"pattern": "\\p{Letter}"},
        {"properties": {str(number): {"type": "string"} for number in range(5_000)}},
    ],
    ids=["empty", "reference", "pattern", "large"],
)
async def test_what_may_be_one(shared: httpx2.AsyncClient, schema: Any) -> None:
    await make(shared, "/assistants", **body(schema))
