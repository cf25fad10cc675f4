"""Every route that takes an id, asked by everybody with an id of another house and with one that nobody has: with
whatever token, nobody can tell the one from the other.
"""

import asyncio
import re
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.integration.pictures import logo, png
from tests.integration.test_walls import EXPECTED, SCOPES
from tests.town import Answer, Sale, Town

NO_IDS = {"house", "line", "name", "provider", "action", "change", "index", "code"}
"""Parts of paths that are words and no ids."""
THEIR_ALARM, NO_ALARM = 999_999_001, 999_999_002
PLACEHOLDER = re.compile(r"{(\w+):\w+}")


def routes_with_ids() -> Iterator[tuple[str, str]]:
    for method, path in EXPECTED:
        # What a house contributes to a draw is made for whatever draw of another it is asked for: nothing is looked up.
        if "/draw-contributions/" not in path and set(PLACEHOLDER.findall(path)) - NO_IDS:
            yield method, path


def bodies(ids: "dict[str, Any]") -> "dict[str, Any]":
    """Ids that travel in bodies, by method and path."""
    item = {"performance": ids["performance"], "seats": ["zaal-A-1"]}
    payment = {"provider": "demo", "reference": f"yes-{uuid.uuid4()}"}
    soon = "2030-01-01T20:00:00Z"
    show = {"performance": "new", "hall": ids["hall"], "title": "A", "starts_at": soon, "prices": {}}
    sale = {"on_sale": "new", "title": "A", "performances": [ids["performance"]], "prequeue_at": soon, "opens_at": soon}
    return {
        "/holds": {"items": [item]},
        "/orders": {"holds": [ids["hold"]], "customer": {"email": "a@example.org"}, "payment": payment},
        "/manage/performances": show,
        "/manage/on-sales": sale,
        "/manage/codes": {"batch": "new", "title": "A", "count": 1, "performances": [ids["performance"]]},
        "/manage/refunds/paid": {"provider": "demo", "reference": ids["paid"], "reason": "none"},
    }


@pytest.fixture(scope="module")
def ids(town: Town) -> "tuple[Sale, dict[str, Any], dict[str, Any], dict[str, str]]":
    """Our sale, ids of the other house, ids of nobody, and everybody's tokens."""

    async def gather() -> "tuple[Sale, dict[str, Any], dict[str, Any], dict[str, str]]":
        async with await town.open_sale("noord", hold_seconds=600) as sale, await town.open_sale("zuid") as far:
            token = await far.enter()
            held = (await far.hold(token, "zaal-A-1")).json["hold"]
            buyer, paid = await far.enter(), f"yes-{uuid.uuid4()}"
            order = (await far.order(buyer, (await far.hold(buyer, "zaal-B-1")).json["hold"], payment=paid)).json
            await far.until_recorded(order)
            with psycopg.connect(town.network.house("zuid").postgres_dsn) as connection:
                connection.execute(
                    # Somebody has seen to it: other tests ask whether anything is wrong in this town.
                    "INSERT INTO alarms (id, kind, detail, seen_at, seen_by) OVERRIDING SYSTEM VALUE "
                    "VALUES (%s, 'test', '{}', now(), 'somebody') "
                    "ON CONFLICT DO NOTHING",
                    [THEIR_ALARM],
                )
            batch = {"batch": f"batch-{uuid.uuid4().hex[:8]}", "title": "Codes", "count": 1}
            assert (await far.post("/manage/codes", batch, token=far.manage_key)).status == 201
            aside = {
                "performance": far.performance,
                "name": "theirs",
                "purpose": "house",
                "seats": ["zaal-C-1"],
                "reason": "none",
            }
            assert (await far.post("/manage/allotments", aside, token=far.manage_key)).status == 201
            webhook = await far.webhook()
            tested = await far.post(f"/manage/webhooks/{webhook}/test", {"reason": "a test"}, token=far.manage_key)
            look = {"colours": {}, "logo": logo(png()), "reason": "a test"}
            drafted = await far.post("/manage/theme/draft", look, token=far.manage_key)
            preview = drafted.json["preview"]["page"].rpartition("preview=")[2]
            drawn = (await far.get(f"/previews/{preview}")).json["logo"]["address"].rpartition("/")[2]
            place, _ = await sale.join()
            theirs = {
                "on_sale": far.on_sale, "performance": far.performance, "hall": far.hall, "hold": held,
                "order": order["order"], "key_id": far.manage_key.split("_")[1], "alarm": THEIR_ALARM,
                "paid": paid, "webhook": webhook, "event": tested.json["event"],
                "preview": preview, "logo": drawn, "batch": batch["batch"], "allotment": "theirs",
            }  # fmt: skip
            nobodys = {
                "on_sale": "sale-0", "performance": "show-0-0", "hall": "hall-0", "hold": held[:-8] + "AAAAAAAA",
                "order": str(uuid.uuid4()), "key_id": "0" * 16, "alarm": NO_ALARM, "paid": "yes-none",
                "webhook": "wh" + "0" * 16, "event": "test-" + "0" * 32,
                "preview": "0" * len(preview), "logo": "0" * 12 + drawn[12:],
                "batch": "batch-00000000", "allotment": "nobodys",
            }  # fmt: skip
            tokens = {
                "nobody": "",
                "a place": place,
                "our pass": await sale.enter(),
                "our manager": sale.manage_key,
                **{f"our key for {scope}": await sale.key(scope) for scope in SCOPES},
                "their pass": await far.enter(),
                "their key": far.manage_key,
                "their order's secret": order["order_secret"],
            }
            return sale, theirs, nobodys, tokens

    return asyncio.run(gather())


def without_ids(answer: Answer, *ids: "dict[str, Any]") -> "tuple[int, bytes, list[str]]":
    """Status, body and names of headers; without what was asked for and when, where an answer repeats that."""
    body = re.sub(rb"\d{4}-\d\d-\d\dT\d\d%3A\d\d%3A[\d.]+Z", b"NOW", answer.body)
    for each in ids:
        for value in each.values():
            body = body.replace(str(value).encode(), b"ID")
    return answer.status, body, sorted(name.lower() for name in answer.headers)


@pytest.mark.parametrize(("method", "path"), routes_with_ids())
async def test_an_id_of_another_house_in_a_path_is_an_id_of_nobody(
    town: Town, ids: "tuple[Sale, dict[str, Any], dict[str, Any], dict[str, str]]", method: str, path: str
) -> None:
    opened, theirs, nobodys, tokens = ids
    words = {"house": "noord", "provider": "demo", "action": "pause", "change": "0", "line": "members"}
    words |= {"index": "0", "code": "SessionTimedOut"}
    async with opened as sale:
        wanted: dict[str, dict[str, Any]] = {
            "plan": {"hall": sale.hall, "reason": "none"},
            "access-release": {"access_release": [], "reason": "none"},
            "offers": {"wishes": [{"performance": sale.performance, "best": {"quantity": 1}}]},
            "invitations": {"count": 1},
            "exchange": {"hold": "h", "difference": 0, "reason": "none"},
        }
        for who, token in tokens.items():
            seen = []
            for named in (theirs, nobodys):
                full = town.url + PLACEHOLDER.sub(r"{\1}", path).format(**(named | words))
                body = {"secret_hash": "x"} if path.endswith("/places") else {"place": "x", "secret": "x"}
                sent = {"reason": "none"} if "/manage/" in path else body
                sent = wanted.get(path.rpartition("/")[2], sent)
                answer = await sale.ask(method, full, sent if method == "POST" else None, token=token)
                seen.append(without_ids(answer, theirs, nobodys))
            assert seen[0] == seen[1], who
            if not path.startswith("/h/"):
                # A preview that is not there may have been: it is gone.
                assert seen[0][0] in {401, 403, 404, 410 if "{preview" in path else 404}, (who, seen[0])
            if who == "our manager" and "/manage/" in path:
                assert seen[0][0] == 404, seen[0]


@pytest.mark.parametrize(
    "path", ["/holds", "/orders", "/manage/performances", "/manage/on-sales", "/manage/refunds/paid"]
)
async def test_an_id_of_another_house_in_a_body_is_an_id_of_nobody(
    town: Town, ids: "tuple[Sale, dict[str, Any], dict[str, Any], dict[str, str]]", path: str
) -> None:
    opened, theirs, nobodys, tokens = ids
    async with opened as sale:
        for who, token in tokens.items():
            seen = []
            for named in (theirs, nobodys):
                answer = await sale.post(path, bodies(named)[path], token=token)
                seen.append(without_ids(answer, theirs, nobodys))
            assert seen[0] == seen[1], who
            assert 400 <= seen[0][0] < 500 or path == "/manage/refunds/paid", (who, seen[0])
