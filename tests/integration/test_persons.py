"""Where each person has one place: they are one shopper, and whoever missed their turn is not out for good."""

import asyncio
import uuid
from typing import Any

from engine.catalogue import Line
from engine.cli.sales import at_house
from engine.instants import now_ms
from engine.on_sale import standing
from engine.signing import Contact
from engine.waiting_room import hash_secret
from engine.words import LineName, OnSaleId
from tests.integration.test_lines import LATER_MS, invited
from tests.town import Answer, Sale, Town

ONE_PLACE: dict[str, Any] = {"one_place_per": "email", "contact_url": "https://1.1.1.1/"}


async def joins(town: Town, sale: Sale, person: str, secret: str, **how: str) -> Answer:
    """Joins as somebody who has shown whose address it is."""
    secret_hash = hash_secret(secret)
    async with at_house(town.network_file, sale.slug) as (cell, _):
        shown = cell.signer.sign(Contact(OnSaleId(sale.on_sale), person, secret_hash, LATER_MS))
    body = {"secret_hash": secret_hash, "contact": shown} | how
    return await sale.post(f"/on-sales/{sale.on_sale}/places", body)


def someone() -> str:
    return "p" + uuid.uuid4().hex[:22]


async def test_whoever_missed_their_turn_joins_again_and_has_one_place_at_the_end(town: Town) -> None:
    opening: dict[str, Any] = {"prequeue_at_ms": now_ms() - 1_000, "opens_at_ms": now_ms() + 3_000}
    async with await town.open_sale("noord", turn_seconds=1, **opening, **ONE_PLACE) as sale:
        mine, other = someone(), someone()
        place = (await joins(town, sale, mine, "phone")).json["place"]
        assert (await joins(town, sale, other, "theirs")).json["index"] == 1
        async with at_house(town.network_file, sale.slug) as (cell, _):
            for _ in range(300):  # until the turns of both have passed
                if int((await standing(cell, OnSaleId(sale.on_sale)))["gone"]) == 2:
                    break
                await asyncio.sleep(0.2)
        assert (await sale.claim(place, "phone")).slug == "turn-over"
        # From wherever they join, and with the secret that they had: it is one place, behind everybody.
        again = [await joins(town, sale, mine, secret) for secret in ("phone", "laptop", "phone")]
        assert {answer.json["index"] for answer in again} == {2}, [answer.json for answer in again]
        assert (await sale.status())["lines"]["public"]["joined"] == 3
        assert (await sale.claim(place, "phone")).slug == "turn-over", "the place before is no second one"


async def test_a_person_in_two_lines_has_one_pass_and_one_limit(town: Town) -> None:
    line = Line(LineName("press"), "Press", "invitation", 20, now_ms() - 60_000)
    async with await town.open_sale("noord", lines=(line,), seats_a_hold=4, seats_a_place=4, **ONE_PLACE) as sale:
        mine = someone()
        (code,) = await invited(town, sale, 1)
        public = (await joins(town, sale, mine, "phone")).json["place"]
        press = (await joins(town, sale, mine, "laptop", line="press", code=code)).json["place"]
        first = await sale.pass_for(public, "phone")
        assert (await sale.hold(first, "zaal-A-1", "zaal-A-2", "zaal-A-3")).status == 201
        second = await sale.pass_for(press, "laptop")
        assert (await sale.hold(first, "zaal-B-1")).slug == "moved-elsewhere", "the second took over"
        assert (await sale.hold(second, "zaal-B-1", "zaal-B-2")).slug == "too-many-seats"
        assert (await sale.hold(second, "zaal-B-1")).status == 201
        assert (await sale.status())["chance"]["admitted"] == 1
