"""Whoever joins while many do shows a proof of work; nobody is refused without a reason and a way on."""

import asyncio
import itertools
import uuid
from typing import Any

import pytest

from api.forms.kept import unpack_kept
from api.waits import PHONE_A_SECOND
from engine import proof
from engine.cli.sales import at_house
from engine.signing import Wait
from engine.waiting_room import hash_secret
from tests.plain import PlainVisitor, room
from tests.solver import solve
from tests.town import Answer, Sale, Town

HERE, ELSEWHERE = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "198.51.100.7"}


async def join(sale: Sale, secret: str, shown: str = "", **options: Any) -> Answer:
    body = {"secret_hash": hash_secret(secret), "proof": shown}
    return await sale.post(f"/on-sales/{sale.on_sale}/places", body, **options)


async def challenge(sale: Sale, secret: str, **options: Any) -> Any:
    body = {"secret_hash": hash_secret(secret)}
    made = await sale.post(f"/on-sales/{sale.on_sale}/challenges", body, **options)
    assert made.status == 201, made.json
    return made.json


async def test_always_means_everybody_and_a_proof_lets_them_in(town: Town) -> None:
    async with await town.open_sale("noord", proof_of_work="always") as sale:
        secret = uuid.uuid4().hex
        refused = await join(sale, secret)
        assert (refused.status, refused.slug) == (409, "proof-required")
        assert refused.json["challenge"]["maxnumber"] == proof.LEAST
        shown = solve(refused.json["challenge"])
        joined = await join(sale, secret, shown)
        assert (joined.status, joined.json["index"]) == (201, 0)
        # Shown again, by however many and under other keys, it gives the very same place.
        again = await asyncio.gather(*(join(sale, secret, shown) for _ in range(20)))
        assert {answer.json["index"] for answer in again} == {joined.json["index"]}
        # And nobody else has anything of it.
        other = await join(sale, uuid.uuid4().hex, shown)
        assert (other.status, other.slug) == (422, "bad-proof")
        shown = solve(await challenge(sale, "second"))
        assert (await join(sale, "second", shown)).json["index"] == 1
        assert (await sale.status())["lines"]["public"]["joined"] == 2


async def test_a_proof_is_of_one_on_sale_and_one_house(town: Town) -> None:
    async with (
        await town.open_sale("noord", proof_of_work="always") as sale,
        await town.open_sale("noord", proof_of_work="always") as other,
        await town.open_sale("zuid", proof_of_work="always") as far,
    ):
        shown = solve(await challenge(sale, "one"))
        for elsewhere in (other, far):
            assert (await join(elsewhere, "one", shown)).slug == "bad-proof"


async def test_nothing_is_asked_where_the_house_does_not(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        answers = await asyncio.gather(
            *(join(sale, uuid.uuid4().hex, headers=HERE) for _ in range(proof.FREE_JOINS + 5))
        )
        assert {answer.status for answer in answers} == {201}
        # Nobody has to, and whoever does may; a wrong one is told of.
        assert (await join(sale, "polite", solve(await challenge(sale, "polite")))).status == 201
        assert (await join(sale, "wrong", "e30=")).slug == "bad-proof"


async def test_under_pressure_a_network_is_asked_that_many_come_from_and_no_other(town: Town) -> None:
    async with await town.open_sale("noord", proof_of_work="under-pressure") as sale:
        crowd = {"X-Forwarded-For": f"10.{uuid.uuid4().int % 250}.{uuid.uuid4().int % 250}.7"}
        for _ in range(proof.FREE_JOINS):
            assert (await join(sale, uuid.uuid4().hex, headers=crowd)).status == 201
        secret = uuid.uuid4().hex
        refused = await join(sale, secret, headers=crowd)
        assert refused.slug == "proof-required"
        assert (await join(sale, uuid.uuid4().hex, headers=ELSEWHERE)).status == 201
        # What a client says of itself stands further to the left than what the proxy heard.
        forged = {"X-Forwarded-For": f"192.0.2.1, {crowd['X-Forwarded-For']}"}
        assert (await join(sale, uuid.uuid4().hex, headers=forged)).slug == "proof-required"
        shown = solve(refused.json["challenge"])
        assert (await join(sale, secret, shown, headers=crowd)).status == 201
        hardest = 0
        for _ in range(13 * proof.FREE_JOINS):
            hardest = (await challenge(sale, uuid.uuid4().hex, headers=crowd))["maxnumber"]
        assert hardest == proof.MOST


@pytest.mark.parametrize("shown", ["x", "e30=", "A" * 3000, "\u0000", "null"])
async def test_a_proof_that_is_none_is_refused_in_words(town: Town, shown: str) -> None:
    async with await town.open_sale("noord", proof_of_work="always") as sale:
        refused = await join(sale, "somebody", shown)
        assert (refused.status, refused.slug) == (422, "bad-proof")


async def test_without_javascript_a_moment_is_waited_instead(town: Town) -> None:
    async with await town.open_sale("noord", proof_of_work="always") as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.open(f"/h/noord/{sale.on_sale}/plain")
        page = await visitor.send(page, "Join the queue")
        assert "One moment" in page.text
        assert 1 <= int(page.headers["Refresh"]) <= 5
        path = page.url.removeprefix(town.url)
        async with PlainVisitor(town.url) as other:
            stolen = await other.open(path)
            assert "Join the queue" in stolen.text, "it is nobody else's"
        assert (await sale.status())["lines"]["public"]["joined"] == 0
        for _ in range(60):
            page = await visitor.open(path)
            if "One moment" not in page.text:
                break
            await asyncio.sleep(int(page.headers["Refresh"]))
        assert (await sale.status())["lines"]["public"]["joined"] == 1
        await visitor.open(path)
        assert (await sale.status())["lines"]["public"]["joined"] == 1


async def test_the_waits_of_one_network_are_over_one_after_another_and_hold_up_nobody_elsewhere(town: Town) -> None:
    async with (
        await town.open_sale("noord", proof_of_work="under-pressure") as sale,
        at_house(town.network_file, "noord") as (cell, _),
    ):
        crowd = f"10.{uuid.uuid4().int % 250}.{uuid.uuid4().int % 250}.7"

        async def over_at_ms(near: str) -> int:
            """When somebody's wait is over; 0 for whoever joins at once."""
            async with PlainVisitor(town.url, **{"X-Forwarded-For": near}) as visitor:
                waits = set()
                for _ in range(2):  # who presses again waits no longer
                    await visitor.send(await visitor.open(room(sale)), "Join the queue")
                    kept = unpack_kept(visitor.cookie(sale))
                    assert kept is not None
                    if kept.place:
                        return 0
                    waits.add(cell.signer.read(Wait, kept.wait).over_at_ms)
                (over_at_ms,) = waits
                return over_at_ms

        found = [await over_at_ms(crowd) for _ in range(proof.FREE_JOINS + 30)]
        waited = sorted(filter(None, found))
        assert len(waited) >= 30
        least_ms = proof.LEAST * 1000 // PHONE_A_SECOND
        gaps = [later - sooner for sooner, later in itertools.pairwise(waited)]
        assert all(gap >= least_ms for gap in gaps), gaps
        assert await over_at_ms(ELSEWHERE["X-Forwarded-For"]) == 0
