"""A visitor's whole way over HTTP: join, wait, be admitted, hold, extend, release, order, read it again."""

import asyncio
import base64
import itertools
import uuid

import jwt
import pytest

from engine.instants import from_rfc3339, now_ms
from engine.waiting_room import hash_secret
from tests.town import Sale, Town, past


async def test_a_visitor_comes_from_the_queue_to_a_recorded_order(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        secret = uuid.uuid4().hex
        joined = await sale.post(f"/on-sales/{sale.on_sale}/places", {"secret_hash": hash_secret(secret)})
        assert joined.status == 201
        assert (joined.json["line"], joined.json["index"]) == ("public", 0)
        assert joined.headers["Cache-Control"] == "no-store"

        claim = {"place": joined.json["place"], "secret": secret}
        token = await sale.pass_for(joined.json["place"], secret)
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["aud"] == f"noord/{sale.on_sale}"
        again = await sale.post(f"/on-sales/{sale.on_sale}/passes", claim)
        assert again.status == 201
        assert jwt.decode(again.json["pass"], options={"verify_signature": False})["sub"] == claims["sub"]
        token = again.json["pass"]

        plan = await sale.get(f"/performances/{sale.performance}/plan")
        names = [seat["seat_guid"] for zone in plan.json["zones"] for row in zone["rows"] for seat in row["seats"]]
        assert await sale.seats() == "o" * len(names)
        held = await sale.hold(token, "zaal-C-3", "zaal-C-4")
        assert held.status == 201
        assert [item["seat"] for item in held.json["items"]] == ["zaal-C-3", "zaal-C-4"]
        assert {item["category"] for item in held.json["items"]} == {"Rang 2"}
        assert (held.json["total"], held.json["currency"]) == (2 * (2000 + 100), "EUR")

        ordered = await sale.order(token, held.json["hold"], headers={"Prefer": "wait=5"})
        assert ordered.status == 202
        assert ordered.json["state"] == "recorded"
        read = await sale.get(f"/orders/{ordered.json['order']}", token=ordered.json["order_secret"])
        assert read.status == 200
        assert (read.json["state"], read.json["total"]) == ("recorded", held.json["total"])
        assert read.json["items"] == held.json["items"]
        assert uuid.UUID(read.json["order"]).version == 7
        await sale.until_seats("s", "zaal-C-3", "zaal-C-4")
        assert (await sale.seats()).count("o") == len(names) - 2


async def test_the_same_secret_keeps_its_place_for_a_minute(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        assert await sale.join("a secret") == await sale.join("a secret")
        assert (await sale.join("another"))[0] != (await sale.join("a secret"))[0]
        assert (await sale.status())["lines"]["public"]["joined"] == 2


async def test_nobody_joins_before_the_queue_opens_and_nobody_is_admitted_before_their_turn(town: Town) -> None:
    later_ms = 4_000_000_000_000
    async with await town.open_sale("noord", prequeue_at_ms=later_ms, opens_at_ms=later_ms) as sale:
        early = await sale.post(f"/on-sales/{sale.on_sale}/places", {"secret_hash": hash_secret("x")})
        assert (early.status, early.slug) == (409, "queue-not-open")
        assert early.json["opens_at"] == "2096-10-02T07:06:40.000Z"
    async with await town.open_sale("noord", opens_at_ms=later_ms) as sale:
        place, secret = await sale.join()
        assert (await sale.status())["phase"] == "prequeue"
        refused = await sale.claim(place, secret)
        assert (refused.status, refused.slug) == (409, "not-yet-served")
        assert int(refused.headers["Retry-After"]) == 60, "sales begin in seventy years"
    soon_ms = now_ms() + 20_000
    async with await town.open_sale("noord", opens_at_ms=soon_ms, turn_seconds=20) as sale:
        assert (await sale.claim(*await sale.join())).headers["Retry-After"] == "10", "half a turn is not to be missed"
    async with await town.open_sale("noord", opens_at_ms=soon_ms) as sale:
        wait_s = int((await sale.claim(*await sale.join())).headers["Retry-After"])
        assert abs(wait_s * 1000 - (soon_ms - now_ms())) < 5_000
    async with await town.open_sale("noord", rate_per_minute=1) as sale:
        for place, secret in [await sale.join() for _ in range(3)]:
            refused = await sale.claim(place, secret)
            assert (refused.status, refused.slug, refused.json["now_serving"]) == (409, "not-yet-served", 0)
            assert 1 <= int(refused.headers["Retry-After"]) <= 60


async def test_a_full_house_keeps_the_turn_and_says_when_to_ask_again(town: Town) -> None:
    async with await town.open_sale("noord", cap=1) as sale:
        first, second = await sale.join(), await sale.join()
        token = await sale.pass_for(*first)
        refused = await sale.claim(*second)
        assert refused.status == 409
        assert refused.slug in {"full", "not-yet-served"}
        assert int(refused.headers["Retry-After"]) >= 1
        held = await sale.hold(token, "zaal-A-1")
        await sale.order(token, held.json["hold"])  # buying ends the pass, and the next may come
        assert await sale.pass_for(*second)


async def test_a_turn_that_was_missed_for_long_is_over(town: Town) -> None:
    async with await town.open_sale("noord", turn_seconds=1) as sale:
        # Each asks once, a moment after the one before: a claim in time would keep the turn.
        places = [await sale.join() for _ in range(60)]
        for place, secret in places:
            answer = await sale.claim(place, secret)
            if answer.status == 410:
                break
            await asyncio.sleep(0.1)
        assert (answer.status, answer.slug) == (410, "turn-over")


async def test_several_performances_are_held_all_or_not_at_all(town: Town) -> None:
    async with await town.open_sale("noord", shows=2) as sale:
        token, other = await sale.enter(), await sale.enter()
        one, two = sale.performances
        assert (await sale.hold(other, "zaal-A-5", performance=two)).status == 201

        def both(second: str) -> "list[dict[str, object]]":
            return [{"performance": one, "seats": ["zaal-A-1"]}, {"performance": two, "seats": [second]}]

        refused = await sale.post("/holds", {"items": both("zaal-A-5")}, token=token)
        assert (refused.status, refused.slug) == (409, "seats-taken")
        assert refused.json["taken"] == ["zaal-A-5"]
        assert refused.json["alternatives"]
        await sale.until_seats("h", "zaal-A-5", performance=two)
        assert await sale.seat("zaal-A-1", one) == "o"
        held = await sale.post("/holds", {"items": both("zaal-A-6")}, token=token)
        assert held.status == 201
        assert [item["performance"] for item in held.json["items"]] == [one, two]
        assert (await sale.order(token, held.json["hold"])).status == 202
        await sale.until_seats("s", "zaal-A-1", performance=one)
        await sale.until_seats("s", "zaal-A-6", performance=two)


async def test_the_best_together_and_standing_places_are_held_with_their_prices(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        best = await sale.best(token, 3, "Rang 1")
        assert best.status == 201
        numbers = [int(item["seat"].rpartition("-")[2]) for item in best.json["items"]]
        assert numbers == list(range(numbers[0], numbers[0] + 3))
        assert {item["category"] for item in best.json["items"]} == {"Rang 1"}
        standing = {
            "items": [{"performance": sale.performance, "area": "vloer", "quantity": 2}],
            "price_types": ["full", "reduced"],
        }
        floor = await sale.post("/holds", standing, token=token)
        assert floor.status == 201
        assert [(item["area"], item["price_type"], item["price"]) for item in floor.json["items"]] == [
            ("vloer", "full", 2000),
            ("vloer", "reduced", 1500),
        ]
        ordered = await sale.order(token, best.json["hold"], floor.json["hold"])
        read = await sale.get(f"/orders/{ordered.json['order']}", token=ordered.json["order_secret"])
        assert read.json["total"] == best.json["total"] + floor.json["total"]
        assert len(read.json["items"]) == 5


async def test_a_visitor_has_the_seats_of_one_visitor_however_often_they_ask(town: Town) -> None:
    async with await town.open_sale("noord", seats_a_hold=4, seats_a_place=6) as sale:
        place, secret = await sale.join()
        token = await sale.pass_for(place, secret)
        assert (await sale.best(token, 5)).slug == "too-many-seats"
        assert (await sale.best(token, 4)).status == 201
        renewed = await sale.pass_for(place, secret)
        refused = await sale.best(renewed, 3)
        assert (refused.status, refused.slug, refused.json["yours"]) == (422, "too-many-seats", 4)
        assert (await sale.best(renewed, 2)).status == 201


async def test_a_hold_is_extended_once_and_given_back(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1")).json
        path = f"/holds/{held['hold']}"
        for payment, status, slug in (
            (None, 409, "payment-not-under-way"),
            ("no-money", 402, "payment-declined"),
            ("", 422, "bad-input"),
        ):
            body = {"payment": {"provider": "demo", "reference": payment}} if payment is not None else {}
            refused = await sale.post(f"{path}/extend", body, token=token)
            assert (refused.status, refused.slug) == (status, slug)
        under_way = {"payment": {"provider": "demo", "reference": "late-and-under-way"}}
        extended = await sale.post(f"{path}/extend", under_way, token=token)
        assert (extended.status, extended.json["hold"]) == (200, held["hold"])
        assert extended.json["expires_at"] > held["expires_at"]
        again = await sale.post(f"{path}/extend", under_way, token=token)
        assert (again.status, again.slug) == (409, "already-extended")
        released = await sale.ask("DELETE", path, token=token)
        assert (released.status, released.body) == (204, b"")
        await sale.until_seats("o", "zaal-A-1")
        assert (await sale.hold(await sale.enter(), "zaal-A-1")).status == 201
        refused = await sale.order(token, held["hold"])
        assert (refused.status, refused.slug) == (410, "hold-ended")


async def test_no_hold_lives_longer_than_the_house_says_and_staff_need_no_payment_to_keep_one(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=60, longest_hold_seconds=90) as sale:
        token = await sale.enter()
        payment = {"provider": "demo", "reference": "late-but-coming"}
        held = (await sale.hold(token, "zaal-A-1")).json
        extended = await sale.post(f"/holds/{held['hold']}/extend", {"payment": payment}, token=token)
        assert from_rfc3339(extended.json["expires_at"]) == from_rfc3339(held["expires_at"]) + 30_000
        bought = await sale.hold(token, "zaal-A-2")
        await sale.order(token, bought.json["hold"], payment="yes-and-used")
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-3")).json
        used = {"payment": {"provider": "demo", "reference": "yes-and-used"}}
        refused = await sale.post(f"/holds/{held['hold']}/extend", used, token=token)
        assert (refused.status, refused.slug) == (422, "payment-used")
        kept = (await sale.hold(sale.counter_key, "zaal-A-5")).json
        assert (await sale.post(f"/holds/{kept['hold']}/extend", {}, token=sale.counter_key)).status == 200


async def test_a_hold_that_ran_out_is_gone_and_its_money_goes_back_if_its_seat_is_somebody_elses(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=1) as sale:
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1")).json
        await past(held["expires_at"])
        for method, path in (("POST", f"/holds/{held['hold']}/extend"), ("DELETE", f"/holds/{held['hold']}")):
            body = {"payment": {"provider": "demo", "reference": "late-at-all"}} if method == "POST" else None
            answer = await sale.ask(method, path, body, token=token)
            assert (answer.status, answer.slug) == (410, "hold-ended"), method
        other = (await sale.hold(await sale.enter(), "zaal-A-1")).json
        refused = await sale.order(token, held["hold"], headers={"Prefer": "wait=5"})
        assert (refused.status, refused.slug, refused.json["refund"]) == (410, "hold-ended", "requested")
        read = await sale.get(f"/orders/{refused.json['order']}", token=refused.json["order_secret"])
        assert read.json["state"] == "conflicted"
        # Nobody else wants the next one's seat: whoever has paid gets it, however late.
        await past(other["expires_at"])
        bought = await sale.order(await sale.enter(), other["hold"])
        assert bought.status == 404, "a hold is its owner's alone"


async def test_waiting_for_recorded_is_asked_for_and_never_longer_than_said(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        states: list[str] = []
        for seat, prefer in (("zaal-A-1", ""), ("zaal-A-2", "respond-async, wait=3"), ("zaal-A-3", "wait=nonsense")):
            if states:
                token = await sale.enter()
            held = await sale.hold(token, seat)
            ordered = await sale.order(token, held.json["hold"], headers={"Prefer": prefer} if prefer else {})
            states.append(ordered.json["state"])
        assert states == ["confirmed", "recorded", "confirmed"]


async def test_other_programs_verify_a_pass_with_the_published_keys_alone(town: Town) -> None:
    async with await town.open_sale("noord") as sale, await town.open_sale("zuid") as elsewhere:
        token = await sale.enter()
        url = f"{sale.base}/.well-known/jwks.json"

        def verify(url: str, audience: str) -> "dict[str, object]":
            key = jwt.PyJWKClient(url).get_signing_key_from_jwt(token)
            return jwt.decode(token, key, algorithms=["ES256"], audience=audience, issuer="noord")

        claims = await asyncio.to_thread(verify, url, f"noord/{sale.on_sale}")
        assert claims.keys() >= {"iss", "aud", "sub", "exp"}
        with pytest.raises(jwt.InvalidAudienceError):
            await asyncio.to_thread(verify, url, "noord/another")
        with pytest.raises(jwt.PyJWKClientError):
            await asyncio.to_thread(verify, f"{elsewhere.base}/.well-known/jwks.json", f"noord/{sale.on_sale}")
        key = (await sale.get(url)).json["keys"][0]
        assert len(base64.urlsafe_b64decode(key["x"] + "=")) == 32


async def test_an_outsider_learns_nothing_from_the_pseudonym_of_a_pass(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        tokens = [await sale.enter() for _ in range(4)]
        subjects = [jwt.decode(token, options={"verify_signature": False})["sub"] for token in tokens]
        assert len(set(subjects)) == 4
        assert all(len(one) == 32 and one[:8] != two[:8] for one, two in itertools.pairwise(subjects))


@pytest.mark.parametrize("wrong", ["", "the wrong one", "x" * 5000])
async def test_a_place_is_of_no_use_without_its_secret(town: Town, shared: Sale, wrong: str) -> None:
    async with shared as sale:
        place, _ = await sale.join()
        answer = await sale.claim(place, wrong)
        assert (answer.status, answer.slug) == (403, "not-your-place")
