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
from api.webhooks_wire import OnSaleEvent, OrderEvent, TestEvent
from engine.webhooks import TEST, TYPES

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
        "payload with it is refused (422). A refusal changed nothing and is decided again. Joining again gets the same "
        "place however late; a key that begins with the time in milliseconds (13 digits), or is a UUIDv7, says whether "
        "that may be a repeat, and spares a new join a look into the ledger."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
WHO: Final = {
    "pass": ("A visitor's pass", "JWT"),
    "key": ("One of the house's API keys", "pk_…"),
    "order_secret": ("The secret that came with the order", "MAC"),
    "operator_key": ("A key of one of the network's operators", "po_…"),
}


WEBHOOK: Final = (
    "Sent to the endpoints that a house registers by `…/manage/webhooks`, signed by the Standard Webhooks "
    "specification: any of its libraries verifies `webhook-id`, `webhook-timestamp` and `webhook-signature` with the "
    "endpoint's secret. Take it by any 2xx within ten seconds. It comes at least once, under the same `webhook-id` "
    "each time: an id that you have taken is none to take again. After anything else it comes again, after 5 s, 5 min, "
    "30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h; `Retry-After` counts with 429 and 503, redirects are not followed, "
    "410 or three days without a single 2xx disable the endpoint. What is told of one order or on-sale is sent in its "
    "order, as long as it is taken: confirmed before recorded. It may come in another order after a failure; "
    "`timestamp` says when it happened. `order.confirmed` is sent when the order is being recorded, at once as a rule, "
    "and later while the house's database is away; an order is recorded after it is confirmed, or, where its seat "
    "turned out to be another order's, never."
)
SIGNED: Final = {
    "webhook-id": "Of the event, the same however often it comes",
    "webhook-timestamp": "When it was sent this time, in seconds since 1970",
    "webhook-signature": "`v1,…`; two of them, with a space between, while two secrets count",
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


def _webhooks(schemas: dict[Any, Any]) -> Document:
    """What is sent to houses' own programs, by type."""
    shapes = {TEST: TestEvent} | {kind: OrderEvent if kind.startswith("order.") else OnSaleEvent for kind in TYPES}
    headers = [
        {"name": name, "in": "header", "required": True, "description": says, "schema": {"type": "string"}}
        for name, says in SIGNED.items()
    ]
    return {
        kind: {
            "post": {
                "summary": TYPES.get(kind, "somebody of the house tries the endpoint"),
                "description": WEBHOOK,
                "operationId": f"webhook {kind}",
                "parameters": headers,
                "requestBody": {"required": True, "content": {JSON.decode(): {"schema": schemas[shape]}}},
                "responses": {"2XX": {"description": "It is taken"}},
            }
        }
        for kind, shape in shapes.items()
    }


def describe(typed: Sequence[Any]) -> Document:
    """The whole document: of these typed handlers, and of the hot routes."""
    # An app that only describes: Litestar's own pages of documentation load scripts from elsewhere.
    config = OpenAPIConfig(title="Parvis", version="1")
    document: Document = Litestar(route_handlers=list(typed), openapi_config=config).openapi_schema.to_schema()
    types = [*_types(ROUTES), OnSaleEvent, OrderEvent, TestEvent]
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
    document["webhooks"] = _webhooks(by_type)
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
