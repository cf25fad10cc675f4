"""The OpenAPI document: what Litestar knows of the typed routes, and what `hot.ROUTES` says of the others."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import msgspec
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig

from api.hot import JSON, ROUTES, Route
from api.problems import MEDIA_TYPE, ProblemReply

Document = dict[str, Any]
REFERENCE: Final = "#/components/schemas/{name}"
PROBLEM: Final[Document] = {
    "description": "A problem (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(name=ProblemReply.__name__)}}},
}
IDEMPOTENCY_KEY: Final[Document] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": (
        "A repeat with the same key gets the first answer, for 24 hours (a place or a pass: 60 seconds); another "
        "payload with it is refused (422). A refusal changed nothing and is decided again."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
WHO: Final = {
    "pass": ("A visitor's pass", "JWT"),
    "key": ("One of the house's API keys", "pk_…"),
    "order_secret": ("The secret that came with the order", "MAC"),
    "operator_key": ("A key of one of the network's operators", "po_…"),
}


def _bearers(names: Sequence[str]) -> list[Document]:
    return [{name: []} for name in names]


def _path_parameters(path: str) -> list[Document]:
    names = re.findall(r"{(\w+)", path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _types(routes: Sequence[Route]) -> list[Any]:
    """Every type that a hot route takes or gives, once."""
    wanted: list[Any] = [ProblemReply]
    for route in routes:
        wanted += [each for each in (route.request, *route.answers.values()) if each not in (None, *wanted)]
    return wanted


def _hot_operation(route: Route, schemas: dict[Any, Any]) -> Document:
    answers: Document = {
        str(status): {"description": route.summary}
        | ({"content": {route.media_type: {"schema": schemas[kind]}}} if kind else {})
        for status, kind in route.answers.items()
    }
    parameters = _path_parameters(route.path)
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in route.query]
    operation: Document = {
        "summary": route.summary,
        "operationId": f"{route.method.lower()} {route.path.rpartition('/v1')[2]}",
        "parameters": parameters,
        "responses": answers,
    }
    if route.request:
        operation["requestBody"] = {"required": True, "content": {JSON.decode(): {"schema": schemas[route.request]}}}
    if route.bearer:
        operation["security"] = _bearers(route.bearer)
    return operation


def _complete(path: str, method: str, operation: Document) -> None:
    """What every operation has, however it is served: problems, path parameters, the Idempotency-Key."""
    operation["responses"].pop("400", None)
    for answer in operation["responses"].values():
        for media in answer.get("content", {}).values():
            media["schema"] = media.get("schema") or {"type": "string"}  # a stream of text
    operation["responses"]["default"] = PROBLEM
    parameters = operation.setdefault("parameters", [])
    known = {each["name"] for each in parameters if each["in"] == "path"}
    parameters += [each for each in _path_parameters(path) if each["name"] not in known]
    if method == "post" and not path.endswith("/events"):
        parameters.append(IDEMPOTENCY_KEY)
    if "/manage/" in path:
        operation["security"] = _bearers(("key",))
    if path == "/v1/operated-houses":
        operation["security"] = _bearers(("operator_key",))


def describe(typed: Sequence[Any]) -> Document:
    """The whole document: of these typed handlers, and of the hot routes."""
    # An app that only describes: Litestar's own pages of documentation load scripts from elsewhere.
    config = OpenAPIConfig(title="Parvis", version="1")
    document: Document = Litestar(route_handlers=list(typed), openapi_config=config).openapi_schema.to_schema()
    types = _types(ROUTES)
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    by_type = dict(zip(types, schemas, strict=True))
    parts = document.setdefault("components", {})
    parts.setdefault("schemas", {}).update(components)
    parts["securitySchemes"] = {
        name: {"type": "http", "scheme": "bearer", "bearerFormat": form, "description": who}
        for name, (who, form) in WHO.items()
    }
    for route in ROUTES:
        path = re.sub(r"{(\w+):\w+}", r"{\1}", route.path)
        document["paths"].setdefault(path, {})[route.method.lower()] = _hot_operation(route, by_type)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    return document


def document_of(typed: Sequence[Any]) -> HTTPRouteHandler:
    """The route that serves the document; it is made when first asked for."""

    @cache
    def body() -> bytes:
        return msgspec.json.encode(describe(typed))

    @get("/schema/openapi.json", include_in_schema=False, sync_to_thread=False)
    def openapi() -> Response[bytes]:
        """OpenAPI 3.1."""
        headers = {"cache-control": "public, max-age=60", "access-control-allow-origin": "*"}
        return Response(body(), media_type=JSON.decode(), headers=headers)

    return openapi
