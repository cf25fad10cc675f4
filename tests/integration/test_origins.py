"""CORS: status, plan and seats for every web page; everything else for the house's own list, without credentials."""

import pytest

from tests.town import Sale, Town

OURS = "https://www.example.org"
THEIRS = "https://elsewhere.example"
PUBLIC = (
    "/on-sales/{on_sale}/status",
    "/on-sales/{on_sale}/draw",
    "/on-sales/{on_sale}/draw/paths/0",
    "/performances/{performance}/plan",
    "/performances/{performance}/seats",
    "/performances/nonsense/plan",
    "/performances/nonsense/seats",
    "/on-sales/nonsense/status",
    "/performances/nonsense/seats/changes",
)
OTHERS = (
    ("GET", ""),
    ("GET", "/on-sales/{on_sale}"),
    ("GET", "/.well-known/jwks.json"),
    ("POST", "/on-sales/{on_sale}/places"),
    ("POST", "/on-sales/{on_sale}/passes"),
    ("POST", "/holds"),
    ("POST", "/holds/nonsense/extend"),
    ("POST", "/holds/nonsense/swap"),
    ("DELETE", "/holds/nonsense"),
    ("POST", "/orders"),
    ("GET", "/orders/nonsense"),
    ("GET", "/on-sales/nonsense"),
    ("PUT", "/holds"),
    ("GET", "/nonsense"),
    ("GET", "/manage/orders"),
    ("POST", "/manage/keys"),
    ("PUT", "/manage/keys"),
    ("GET", "/manage/nonsense"),
    ("DELETE", "/manage/keys/nonsense"),
)
EXPOSED = {"Retry-After", "ETag", "Parvis-Signature"}


def fill(sale: Sale, path: str) -> str:
    return path.format(on_sale=sale.on_sale, performance=sale.performance)


@pytest.mark.parametrize("path", PUBLIC)
async def test_any_web_page_may_read_what_is_public(town: Town, shared: Sale, path: str) -> None:
    async with shared as sale:
        for headers in ({}, {"Origin": THEIRS}, {"Origin": OURS}):
            answer = await sale.get(fill(sale, path), headers=headers)
            assert answer.headers.getall("Access-Control-Allow-Origin") == ["*"]
            assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) == EXPOSED
            assert "Access-Control-Allow-Credentials" not in answer.headers
        preflight = await sale.ask("OPTIONS", fill(sale, path), headers={"Origin": THEIRS})
        assert preflight.status == 204
        assert preflight.headers.getall("Access-Control-Allow-Origin") == ["*"]


@pytest.mark.parametrize(("method", "path"), OTHERS)
async def test_everything_else_is_for_scripts_of_the_houses_own_list(
    town: Town, shared: Sale, method: str, path: str
) -> None:
    async with shared as sale:
        for token in ("", sale.manage_key):
            ours = await sale.ask(method, fill(sale, path), token=token, headers={"Origin": OURS})
            assert ours.headers.getall("Access-Control-Allow-Origin") == [OURS]
            assert set(ours.headers["Access-Control-Expose-Headers"].split(", ")) == EXPOSED
            assert ours.headers["Vary"] == "Origin"
            theirs = await sale.ask(method, fill(sale, path), token=token, headers={"Origin": THEIRS})
            assert "Access-Control-Allow-Origin" not in theirs.headers
            assert theirs.headers["Vary"] == "Origin", "a cache must not give one origin's answer to another"
            for answer in (ours, theirs):
                assert "Access-Control-Allow-Credentials" not in answer.headers
                assert answer.status < 500


@pytest.mark.parametrize("path", ["/holds", "/orders", "/manage/keys", "/on-sales/{on_sale}/places"])
async def test_a_preflight_is_answered_for_the_houses_own_list(town: Town, shared: Sale, path: str) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "idempotency-key"}
    async with shared as sale:
        ours = await sale.ask("OPTIONS", fill(sale, path), headers={"Origin": OURS} | asks)
        assert ours.status == 204
        assert ours.headers["Access-Control-Allow-Origin"] == OURS
        assert {"GET", "POST", "DELETE"} <= set(ours.headers["Access-Control-Allow-Methods"].split(", "))
        allowed = set(ours.headers["Access-Control-Allow-Headers"].split(", "))
        assert {"Authorization", "Content-Type", "Idempotency-Key", "Prefer"} <= allowed
        theirs = await sale.ask("OPTIONS", fill(sale, path), headers={"Origin": THEIRS} | asks)
        assert not [name for name in theirs.headers if name.startswith("Access-Control-Allow")]


async def test_a_house_that_does_not_exist_allows_nobody(town: Town, shared: Sale) -> None:
    async with shared as sale:
        for path in ("/v1/houses/nowhere/holds", "/v1/houses/nowhere/manage/keys", "/v1/houses/nowhere"):
            answer = await sale.ask("POST", town.url + path, headers={"Origin": OURS})
            assert answer.status == 404
            assert "Access-Control-Allow-Origin" not in answer.headers
