"""The OpenAPI document describes every route, `@asgi` routes included, and others' tools can read it."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from litestar.routes import HTTPRoute

from api.app import TYPED, create_app
from api.hot import ROUTES
from api.openapi import describe
from tests.integration.test_walls import EXPECTED, OPERATING, PATHS, PUBLIC, SHOPPING, routes_of_the_app
from tests.town import Sale, Town

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
TYPES = {"string", "integer", "number", "boolean", "object", "array", "null"}
UNDESCRIBED = re.compile(r"^/($|plain|ops$|h/|web/|schema/)")
"""Pages, their files, and the document itself."""


@pytest.fixture(scope="module")
def document() -> Any:
    return msgspec.json.decode(msgspec.json.encode(describe(TYPED)))


def plain(path: str) -> str:
    """A path as OpenAPI writes it."""
    return re.sub(r"{(\w+):\w+}", r"{\1}", path)


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    """(method, path, operation) of everything that the document describes."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield method, path, operation


def nodes(node: Any) -> Iterator[Any]:
    """Every object in the document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def test_every_route_of_the_app_is_described_and_nothing_else(document: Any) -> None:
    served = {(method.lower(), plain(path)) for method, path in routes_of_the_app() if not UNDESCRIBED.match(path)}
    assert served == {(method, path) for method, path, _ in operations(document)}
    assert len(served) > 25


def test_the_hot_routes_are_those_of_the_routing_table() -> None:
    typed = {route.path for route in create_app([]).routes if isinstance(route, HTTPRoute)}
    assert {route.path for route in create_app([]).routes} - typed == {*(route.path for route in ROUTES), *PATHS}


def test_every_operation_says_what_it_takes_and_what_it_gives(document: Any) -> None:
    names = []
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        names.append(operation["operationId"])
        assert operation["summary"].strip(), where
        answers = operation["responses"]
        good = {status: answer for status, answer in answers.items() if status.startswith("2")}
        assert len(good) == 1, where
        assert "default" in answers, where
        for status, answer in answers.items():
            assert re.fullmatch(r"[1-5]\d\d|default", status), where
            assert answer["description"], where
            if status != "204":
                assert answer["content"], where
                assert all(media.get("schema") for media in answer["content"].values()), where
        parameters = operation.get("parameters", [])
        in_path = {each["name"] for each in parameters if each["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path)), where
        assert all(each["required"] for each in parameters if each["in"] == "path"), where
        assert all(each["schema"] for each in parameters), where
        keyed = {each["name"] for each in parameters if each["in"] == "header"} == {"Idempotency-Key"}
        assert keyed == (method == "post" and not path.endswith("/events")), where
    assert len(names) == len(set(names))


def test_what_needs_a_token_says_so(document: Any) -> None:
    schemes = document["components"]["securitySchemes"]
    table = {(verb.lower(), plain(each)): by for (verb, each), by in EXPECTED.items()}
    for method, path, operation in operations(document):
        by = table[method, path]
        named = [name for each in operation.get("security", []) for name in each]
        assert set(named) <= schemes.keys()
        if isinstance(by, frozenset):
            assert named == ["key"], path
        elif by == SHOPPING:
            assert set(named) == {"pass", "key"}, path
        elif by == OPERATING:
            assert named == ["operator_key"], path
        elif by == PUBLIC:
            assert not named, path
    assert all(scheme == {**scheme, "type": "http", "scheme": "bearer"} for scheme in schemes.values())


def test_the_document_is_openapi_3_1_and_refers_to_what_it_has(document: Any) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"].keys() >= {"title", "version"}
    assert document.keys() <= {"openapi", "info", "servers", "paths", "webhooks", "components", "tags", "security"}
    used = set()
    for node in nodes(document):
        if isinstance(reference := node.get("$ref"), str):
            target: Any = document
            for part in reference.removeprefix("#/").split("/"):
                target = target[part]
            used.add(reference.rpartition("/")[2])
    assert used <= document["components"]["schemas"].keys()
    for name, schema in document["components"]["schemas"].items():
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
        for node in nodes(schema):
            if "properties" not in node.get("properties", {}) and isinstance(node.get("type"), str):
                assert node["type"] in TYPES, name
            if isinstance(required := node.get("required"), list):
                assert set(required) <= node["properties"].keys(), name


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (
            "StatusReply",
            {
                "house",
                "on_sale",
                "phase",
                "opens_at",
                "server_time",
                "lines",
                "draw",
                "seats_open",
                "seats_held",
                "chance",
                "poll",
                "epoch",
            },
        ),
        ("PlaceReply", {"place", "line", "index"}),
        ("PassReply", {"pass", "expires_at"}),
        ("HoldReply", {"hold", "items", "total", "currency", "expires_at", "choices"}),
        ("OrderedReply", {"order", "order_secret", "state"}),
        ("SeatsReply", {"version", "seats", "areas"}),
        ("SeatChanges", {"since", "version", "changes", "areas"}),
        ("ProblemReply", {"type", "title", "status", "detail"}),
        ("KeySet", {"keys"}),
    ],
)
def test_a_schema_requires_what_the_contract_names(document: Any, kind: str, fields: "set[str]") -> None:
    assert set(document["components"]["schemas"][kind]["required"]) == fields


async def test_it_is_served_and_nothing_of_it_comes_from_elsewhere(town: Town, shared: Sale, document: Any) -> None:
    async with shared as sale:
        served = await sale.get(f"{town.url}/schema/openapi.json")
        assert (served.status, served.json) == (200, document)
        assert served.headers["Access-Control-Allow-Origin"] == "*"
        for path in ("/schema", "/schema/", "/schema/swagger", "/schema/litestar", "/schema/openapi.yaml"):
            answer = await sale.get(town.url + path)
            assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")


def matches(document: Any, schema: Any, value: Any) -> bool:
    """Whether a value has the shape of a schema, as far as objects, lists and plain types go."""
    if "$ref" in schema:
        return matches(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], value)
    if "anyOf" in schema:
        return any(matches(document, each, value) for each in schema["anyOf"])
    match schema.get("type"):
        case "object":
            known = schema.get("properties", {})
            rest = schema.get("additionalProperties", {})
            return (
                isinstance(value, dict)
                and set(schema.get("required", ())) <= value.keys()
                and all(matches(document, known.get(name, rest or {}), each) for name, each in value.items())
                and (not known or value.keys() <= known.keys())
            )
        case "array":
            items = schema.get("items") or {}
            return isinstance(value, list) and all(matches(document, items, each) for each in value)
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "null":
            return value is None
    return True


async def test_answers_have_the_shape_that_the_document_gives_them(town: Town, document: Any) -> None:
    async with await town.open_sale("noord") as sale:
        place, secret = await sale.join()
        token = await sale.pass_for(place, secret)
        held = await sale.hold(token, "zaal-A-1")
        ordered = await sale.order(token, held.json["hold"])
        at = "/v1/houses/{house}"
        answers = {
            ("get", f"{at}/on-sales/{{on_sale}}/status"): await sale.get(f"/on-sales/{sale.on_sale}/status"),
            ("get", f"{at}/on-sales/{{on_sale}}/draw"): await sale.get(f"/on-sales/{sale.on_sale}/draw"),
            ("get", f"{at}/on-sales/{{on_sale}}"): await sale.get(f"/on-sales/{sale.on_sale}"),
            ("get", at): await sale.get(sale.base),
            ("get", "/v1/on-sales"): await sale.get(f"{town.url}/v1/on-sales"),
            ("get", f"{at}/.well-known/jwks.json"): await sale.get("/.well-known/jwks.json"),
            ("get", f"{at}/performances/{{performance}}/seats"): await sale.get(
                f"/performances/{sale.performance}/seats"
            ),
            ("post", f"{at}/on-sales/{{on_sale}}/passes"): await sale.claim(place, secret),
            ("post", f"{at}/holds"): held,
            ("post", f"{at}/orders"): ordered,
            ("get", f"{at}/orders/{{order}}"): await sale.get(
                f"/orders/{ordered.json['order']}", token=ordered.json["order_secret"]
            ),
            **{
                ("get", f"{at}/manage/{what}"): await sale.get(f"/manage/{what}", token=sale.manage_key)
                for what in ("halls", "performances", "on-sales", "orders", "keys", "actions", "webhooks")
            },
        }
        for (method, path), answer in answers.items():
            described = document["paths"][path][method]["responses"][str(answer.status)]["content"]
            assert matches(document, described["application/json"]["schema"], answer.json), (path, answer.json)
        refused = await sale.hold(token, "zaal-A-1")
        assert refused.json.keys() >= set(document["components"]["schemas"]["ProblemReply"]["required"])
