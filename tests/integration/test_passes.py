"""One shopper a place, however many devices, tabs and copies: another device takes over, and the first is told."""

import asyncio
import uuid
from collections import Counter
from typing import Any

import jwt

from engine.instants import from_rfc3339, now_ms
from engine.waiting_room import hash_secret
from tests.town import Answer, Sale, Town, past, small_plan

CLIENTS = 50
CLAIMS = 200


async def use(sale: Sale, token: str, hold: str, seat: str) -> "list[tuple[int, str]]":
    """What each thing that a pass is good for answers; what succeeds changes nothing but `hold`."""
    path = f"/holds/{hold}"
    presence = {"leaving": False, "at": now_ms()}
    payment = {"payment": {"provider": "demo", "reference": f"late-{uuid.uuid4()}"}}
    answers = [
        await sale.hold(token, seat),
        await sale.swap(token, hold, seat),
        await sale.post(f"{path}/presence", presence, token=token),
        await sale.post(f"{path}/extend", payment, token=token),
        await sale.ask("DELETE", path, token=token),
        await sale.order(token, hold),
        await sale.order(token, hold, payment=f"late-{uuid.uuid4()}"),
    ]
    return [(answer.status, answer.slug) for answer in answers]


async def until_held(sale: Sale, count: int) -> None:
    """Waits until the public seat map shows so many seats held."""
    for _ in range(100):
        if (shown := (await sale.seats()).count("h")) == count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(shown)


async def renew(sale: Sale, place: str, secret: str, token: str, **more: Any) -> Answer:
    return await sale.post(
        f"/on-sales/{sale.on_sale}/passes", {"place": place, "secret": secret, "renews": token, **more}
    )


async def test_another_device_takes_over_and_the_first_is_told(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        place, secret = await sale.join()
        first = await sale.pass_for(place, secret)
        held = (await sale.hold(first, "zaal-A-1")).json["hold"]
        second = await sale.pass_for(place, secret)
        assert set(await use(sale, first, held, "zaal-B-1")) == {(409, "moved-elsewhere")}
        await sale.until_seats("h", "zaal-A-1")
        # What the first device held is the visitor's all the same, and they pay for it where they are now.
        assert (await sale.swap(second, held, "zaal-B-2")).status == 201
        mine = (await sale.hold(second, "zaal-C-1")).json["hold"]
        # A renewal of the first, which nobody asked for, takes nothing back; pressing the button does.
        assert (await renew(sale, place, secret, first)).slug == "moved-elsewhere"
        renewed = await renew(sale, place, secret, second)
        assert renewed.status == 201
        assert (await sale.hold(second, "zaal-C-3")).slug == "moved-elsewhere", "one pass of a place at a time"
        back = await sale.pass_for(place, secret)
        assert (await sale.hold(renewed.json["pass"], "zaal-C-3")).slug == "moved-elsewhere"
        assert (await sale.order(back, mine)).status == 202


async def test_a_repeat_gets_the_first_answer_also_after_another_device_took_over(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        place, secret = await sale.join()
        first = await sale.pass_for(place, secret)
        held = await sale.hold(first, "zaal-A-1", key="hold")
        payment = f"yes-{uuid.uuid4()}"
        ordered = await sale.order(first, held.json["hold"], key="order", payment=payment)
        await sale.pass_for(place, secret)
        assert (await sale.hold(first, "zaal-A-1", key="hold")).json == held.json
        again = await sale.order(first, held.json["hold"], key="order", payment=payment)
        assert (again.status, again.json["order"]) == (202, ordered.json["order"])


async def test_a_pass_renews_its_own_place_alone(town: Town) -> None:
    async with await town.open_sale("noord") as sale, await town.open_sale("noord") as other:
        place, secret = await sale.join()
        token = await sale.pass_for(place, secret)
        for foreign in (await sale.enter(), await other.enter()):
            answer = await renew(sale, place, secret, foreign)
            assert (answer.status, answer.slug) == (403, "not-your-place")
        assert (await renew(sale, place, secret, token[:-4] + "AAAA")).slug == "forged-token"
        assert (await sale.hold(token, "zaal-A-1")).status == 201


async def test_one_pass_on_fifty_clients_is_one_shopper(town: Town) -> None:
    """C2. Fifty clients with the same pass, each on connections of its own, all at once, again and again."""
    plan = small_plan(rows=4, seats=30)
    async with await town.open_sale("noord", plan=plan, seats_a_place=6, seats_a_hold=2, lone_seats="off") as sale:
        token = await sale.enter()
        rounds = [asyncio.gather(*(sale.best(token, 2) for _ in range(CLIENTS))) for _ in range(3)]
        told = Counter[tuple[int, str]]()
        for each in rounds:
            told.update((answer.status, answer.slug) for answer in await each)
        assert told == {(201, ""): 3, (422, "too-many-seats"): 3 * CLIENTS - 3}
        await until_held(sale, 6)
        # Another pass of the same place is no other shopper either.
        place, secret = await sale.join()
        passes = [await sale.pass_for(place, secret) for _ in range(5)]
        answers = await asyncio.gather(*(sale.best(each, 2) for each in passes for _ in range(10)))
        told = Counter((answer.status, answer.slug) for answer in answers)
        assert told == {(201, ""): 3, (422, "too-many-seats"): 7, (409, "moved-elsewhere"): 40}


async def test_of_many_claims_at_once_one_is_the_shopper(town: Town) -> None:
    """C3 over HTTP: `CLAIMS` at once for each of some places; the thousand places are in `test_racers.py`."""
    async with await town.open_sale("noord", plan=small_plan(rows=4, seats=30), cap=1000) as sale:
        for seat in ("zaal-A-1", "zaal-A-4", "zaal-A-7"):
            place, secret = await sale.join()
            await sale.pass_for(place, secret)
            answers = await asyncio.gather(*(sale.claim(place, secret) for _ in range(CLAIMS)))
            passes = {answer.json["pass"] for answer in answers if answer.status == 201}
            assert passes, Counter((answer.status, answer.slug) for answer in answers)
            assert {answer.slug for answer in answers if answer.status != 201} <= {"house-busy", "cell-busy"}
            held = await asyncio.gather(*(sale.hold(each, seat) for each in passes))
            told = Counter((answer.status, answer.slug) for answer in held)
            assert told == {(201, ""): 1, (409, "moved-elsewhere"): len(passes) - 1}
        found = (await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.manage_key)).json
        assert (found["admitted"], found["live_passes"]) == (3, 3)


async def test_one_key_claims_once_however_often_it_is_sent(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        place, secret = await sale.join()
        await sale.pass_for(place, secret)
        answers = await asyncio.gather(*(sale.claim(place, secret, key="mine") for _ in range(CLAIMS)))
        passes = {answer.json["pass"] for answer in answers if answer.status == 201}
        assert len(passes) == 1
        assert (await sale.hold(passes.pop(), "zaal-A-1")).status == 201


async def test_whose_pass_has_ended_goes_on_within_the_grace_and_not_after_it(town: Town) -> None:
    times: dict[str, Any] = {"pass_seconds": 1, "turn_seconds": 1}
    async with (
        await town.open_sale("noord", **times, grace_seconds=60) as kind,
        await town.open_sale("noord", **times, grace_seconds=0) as strict,
    ):
        inside: list[tuple[Sale, str, str, str]] = []
        for sale in (kind, strict):
            place, secret = await sale.join()
            inside.append((sale, place, secret, await sale.pass_for(place, secret)))
        await past(strict.slot_ends_at(inside[-1][-1]))
        for sale in (kind, strict) * 3:  # others come, and their turns make the former ones old
            await sale.join()
            await asyncio.sleep(0.6)
        mine, theirs = (each[1:] for each in inside)
        assert (await kind.hold(mine[2], "zaal-A-1")).slug == "pass-ended"
        again = await renew(kind, *mine)
        assert again.status == 201
        assert (await kind.hold(again.json["pass"], "zaal-A-1")).status == 201
        over = await renew(strict, *theirs)
        assert (over.status, over.slug) == (410, "turn-over")
        assert await strict.enter(), "and a new number is the way on"


async def test_nobody_sits_inside_for_ever_and_what_is_reserved_is_paid_for(town: Town) -> None:
    times: dict[str, Any] = {"pass_seconds": 2, "longest_stay_seconds": 3, "more_time_percent": 100}
    async with await town.open_sale("noord", **times, hold_seconds=300) as sale:
        place, secret = await sale.join()
        answer = await sale.until_claimed(place, secret)
        token, stay_ends_at = answer["pass"], answer["stay_ends_at"]
        assert from_rfc3339(answer["expires_at"]) + 1_000 == from_rfc3339(stay_ends_at), "told from the beginning"
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["stay_until"] == from_rfc3339(stay_ends_at) // 1000
        held = (await sale.hold(token, "zaal-A-1")).json["hold"]
        await past(answer["expires_at"])
        last = (await renew(sale, place, secret, token)).json
        assert last["expires_at"] == last["stay_ends_at"] == stay_ends_at, "the last pass ends with the stay"
        await past(stay_ends_at)
        for refused in (await renew(sale, place, secret, last["pass"]), await sale.claim(place, secret)):
            assert (refused.status, refused.slug, refused.json["ended_at"]) == (410, "stay-over", stay_ends_at)
        # Whoever asks for more time has twice as much.
        longer = await renew(sale, place, secret, last["pass"], more_time=True)
        assert from_rfc3339(longer.json["stay_ends_at"]) == from_rfc3339(stay_ends_at) + 3_000
        await past(sale.slot_ends_at(longer.json["pass"]))
        # What is reserved is kept to its own end, and paid for.
        assert (await sale.hold(longer.json["pass"], "zaal-A-3")).slug == "pass-ended"
        payment = {"payment": {"provider": "demo", "reference": f"late-{uuid.uuid4()}"}}
        assert (await sale.post(f"/holds/{held}/extend", payment, token=longer.json["pass"])).status == 200
        assert (await sale.order(longer.json["pass"], held)).status == 202
        # The way on: a new number.
        assert (await sale.hold(await sale.enter(), "zaal-A-3")).status == 201


async def test_a_house_may_let_people_stay_without_an_end(town: Town) -> None:
    async with await town.open_sale("noord", longest_stay_seconds=0) as sale:
        answer = await sale.until_claimed(*await sale.join())
        assert "stay_ends_at" not in answer
        assert "stay_until" not in jwt.decode(answer["pass"], options={"verify_signature": False})
    async with await town.open_sale("noord", pass_seconds=600, longest_stay_seconds=60) as sale:
        answer = await sale.until_claimed(*await sale.join())
        assert answer["stay_ends_at"] == answer["expires_at"], "never less than a pass"


async def test_whoever_asks_for_more_time_has_it_to_choose_and_to_pay(town: Town) -> None:
    times: dict[str, Any] = {
        "pass_seconds": 600,
        "hold_seconds": 300,
        "longest_hold_seconds": 400,
        "more_time_percent": 50,
    }
    async with await town.open_sale("noord", **times, cap=1) as sale:
        place, secret = await sale.join()
        token = await sale.pass_for(place, secret)
        held = (await sale.hold(token, "zaal-A-1")).json
        now = now_ms()
        assert 290_000 < from_rfc3339(held["expires_at"]) - now <= 300_000
        longer = (await renew(sale, place, secret, token, more_time=True)).json
        now = now_ms()
        assert 890_000 < from_rfc3339(longer["expires_at"]) - now <= 900_000
        # Whoever has asked once need not ask again: a page renews by itself what it has.
        longer = (await renew(sale, place, secret, longer["pass"])).json
        assert from_rfc3339(longer["expires_at"]) - now_ms() > 890_000
        held = (await sale.hold(longer["pass"], "zaal-A-3")).json
        assert 440_000 < from_rfc3339(held["expires_at"]) - now_ms() <= 450_000
        # A verifier elsewhere reads the same, and the house is no fuller than its cap for it.
        assert jwt.decode(longer["pass"], options={"verify_signature": False})["more_time"] is True
        assert (await sale.claim(*await sale.join())).slug in {"full", "not-yet-served"}


async def test_a_token_is_accepted_for_no_second_person(town: Town) -> None:
    """Another queue took one person's token from whoever brought it. Ours are good for their own person alone."""
    async with await town.open_sale("noord") as sale:
        (place, secret), (other_place, other_secret) = await sale.join(), await sale.join()
        token = await sale.pass_for(place, secret)
        other = await sale.pass_for(other_place, other_secret)
        # The place of one with the secret of the other, whichever way, also while the one is inside.
        for tokens in ((place, other_secret), (other_place, secret), (place, ""), (place, hash_secret(secret))):
            answer = await sale.claim(*tokens)
            assert (answer.status, answer.slug) == (403, "not-your-place")
        # The pass of one neither renews the other's place nor reaches what the other holds.
        assert (await renew(sale, other_place, other_secret, token)).slug == "not-your-place"
        held = (await sale.hold(token, "zaal-A-1")).json["hold"]
        assert set(await use(sale, other, held, "zaal-A-3")) == {(201, ""), (404, "unknown-hold")}
        # Under the same key of idempotency the one's answer is not the other's.
        first = await sale.claim(place, secret, key="a key")
        answer = await sale.claim(other_place, other_secret, key="a key")
        assert (first.status, answer.status, answer.slug) == (201, 422, "key-reused")
        # And nothing of all that has put the one out.
        assert (await sale.order(first.json["pass"], held)).status == 202
