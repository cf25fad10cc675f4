"""The OpenAPI document: what Litestar knows of the typed routes, and what `hot.ROUTES` says of the others."""

import re
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, get
from litestar.openapi.config import OpenAPIConfig

from api.hot import ROUTES, Route
from api.problems import MEDIA_TYPE

REFERENCE: Final = "#/components/schemas/{name}"
CONFIG: Final = OpenAPIConfig(title="Parvis", version="1", path="/schema/litestar")


def _types() -> list[Any]:
    """Every struct that a hot route takes or gives."""
    wanted: list[Any] = []
    for route in ROUTES:
        wanted += [each for each in (route.request, *route.answers.values()) if each not in (None, *wanted)]
    return wanted


def _operation(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {
        str(status): {"description": route.summary}
        | ({"content": {"application/json": {"schema": schemas[kind]}}} if kind else {})
        for status, kind in route.answers.items()
    }
    answers["default"] = {
        "description": "A problem (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": {"type": "object", "required": ["type", "title", "status"]}}},
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)", route.path)
    ]
    if route.method == "POST" and "/events" not in route.path:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "minLength": 1},
            }
        )
    operation: dict[str, Any] = {"summary": route.summary, "parameters": parameters, "responses": answers}
    if route.request:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[route.request]}},
        }
    return operation


def describe(app: Litestar) -> dict[str, Any]:
    """The whole document."""
    document: dict[str, Any] = app.openapi_schema.to_schema()
    types = _types()
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    by_type = dict(zip(types, schemas, strict=True))
    document.setdefault("components", {}).setdefault("schemas", {}).update(components)
    for route in ROUTES:
        path = re.sub(r"{(\w+):\w+}", r"{\1}", route.path)
        document["paths"].setdefault(path, {})[route.method.lower()] = _operation(route, by_type)
    document["paths"]["/v1/houses/{house}/performances/{performance}/seats/changes"] = {
        "get": {
            "summary": "Changes of seats as they happen, as server-sent events",
            "parameters": [
                {"name": "house", "in": "path", "required": True, "schema": {"type": "string"}},
                {"name": "performance", "in": "path", "required": True, "schema": {"type": "string"}},
                {"name": "since", "in": "query", "required": False, "schema": {"type": "integer"}},
            ],
            "responses": {"200": {"description": "A stream", "content": {"text/event-stream": {}}}},
        }
    }
    return document


@get("/schema/openapi.json", include_in_schema=False)
async def openapi(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """OpenAPI 3.1."""
    return describe(request.app)
