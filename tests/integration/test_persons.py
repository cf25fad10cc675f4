"""Where each person has one place: they are one shopper, and whoever missed their turn is not out for good."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest
from yarl import URL

from api.forms.kept import Kept, KeptHold, pack_kept, unpack_kept
from engine import seats, waiting_room
from engine.catalogue import Line
from engine.cli.sales import at_house
from engine.draw import decode
from engine.errors import Refused
from engine.instants import from_rfc3339, now_ms
from engine.on_sale import standing
from engine.shares import Owner
from engine.signing import Contact, Pass, Place, Signer
from engine.waiting_room import Admissible, hash_secret
from engine.wishes import Wish
from engine.words import LineName, OnSaleId, SeatId
from tests.backstage import Backstage, until
from tests.integration.test_codes_after_loss import a_visitor
from tests.integration.test_lines import LATER_MS, invited
from tests.integration.test_passes import renew
from tests.integration.test_recovery import go_back, keep, keep_copy, recover
from tests.plain import PlainVisitor, room
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


async def test_a_redis_that_lost_a_moment_knows_whose_place_is_the_newest(stage: Backstage, tmp_path: Path) -> None:
    """It has that one, which is not recorded yet; the ledger has the one before."""
    await stage.open()
    on_sale = await stage.put_on(turn_seconds=1, **ONE_PLACE)
    who = Admissible(person=someone())

    async def joined(key: str) -> int:
        return (await waiting_room.join(stage.cell, on_sale, hash_secret("phone"), key, who)).index

    async def is_turn_over() -> bool:
        await waiting_room.serve(stage.cell, on_sale.on_sale)
        return int((await standing(stage.cell, on_sale.on_sale))["gone"]) > 0

    assert await joined("first") == 0
    await stage.drain()
    await until(is_turn_over, "the turn is over")
    newest = await joined("again")
    assert newest > 0
    copy = keep_copy(stage, tmp_path)
    await stage.join(on_sale)
    await keep(stage)
    go_back(stage, copy)
    await recover(stage)
    ((detail,),) = await stage.rows("SELECT detail->>'kind' FROM recoveries ORDER BY epoch DESC LIMIT 1")
    assert detail == "fell_behind"
    assert await joined("once more") == newest


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


async def test_whom_an_earlier_release_let_in_renews_and_keeps_what_they_have_reserved(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.open()
    on_sale, signer = await stage.put_on(**ONE_PLACE), stage.cell.signer
    who = Admissible(person=someone())
    place = (await waiting_room.join(stage.cell, on_sale, hash_secret("phone"), "join", who)).place
    with monkeypatch.context() as earlier:  # a place was a shopper of its own, of whom a pass told a MAC
        nobodys = msgspec.structs.replace(signer.read(Place, place), person="")
        facts = f"{on_sale.on_sale}|public|0|{who.person}"
        earlier.setattr(Signer, "pseudonym", lambda self, _: self._mac(b"pseudonym", facts.encode()).hex())
        inside = await a_visitor(stage, on_sale, signer.sign(nobodys), "phone")
        token = (await waiting_room.admit(stage.cell, on_sale, signer.sign(nobodys), "phone", "b")).token
    assert (inside.owner == who.person, inside.place) == (False, "0")

    async def renewed(renews: str, key: str) -> tuple[str, Pass]:
        admitted = await waiting_room.admit(stage.cell, on_sale, place, "phone", key, renews=renews)
        return admitted.token, signer.read_pass(admitted.token)

    async def hold(visitor: Pass, seat: str, former: seats.Held | None = None) -> seats.Held:
        owner = Owner(visitor.owner, visitor.index, visitor.on_sale, generation=visitor.generation)
        wish = Wish(performance=on_sale.performances[0], seats=(SeatId(seat),))
        given_up = former.hold if former else None
        return await seats.hold(stage.cell, owner, [wish], (), f"hold {seat}", former=given_up)

    held = await hold(signer.read_pass(token), "zaal-A-1")
    for key in ("c", "d"):
        token, again = await renewed(token, key)
        assert (again.owner, again.index) == (inside.owner, "0")
    assert await stage.owner.zcard(stage.keys.live(on_sale.on_sale)) == 1, "they are inside once"
    assert (await hold(again, "zaal-A-2", held)).hold.owner == inside.owner, "what they have is theirs"
    # The pass of somebody else's place renews nothing, of before or not.
    other = (await waiting_room.join(stage.cell, on_sale, hash_secret("b"), "b", Admissible(person=someone()))).place
    with pytest.raises(Refused, match="do not belong together"):
        await waiting_room.admit(stage.cell, on_sale, other, "b", "e", renews=token)


async def test_whom_an_earlier_release_let_in_without_javascript_comes_in_again_to_what_they_have_reserved(
    town: Town,
) -> None:
    async with await town.open_sale("noord", **ONE_PLACE) as sale, PlainVisitor(town.url) as visitor:
        place = (await joins(town, sale, someone(), "phone")).json["place"]
        await sale.pass_for(place, "phone")
        async with at_house(town.network_file, sale.slug) as (cell, _):
            found = cell.signer.read(Place, place)
            given = cell.signer.sign_pass(found, now_ms(), owner=cell.signer.former_pseudonym(found))
        token = (await renew(sale, place, "phone", given)).json["pass"]
        held = (await sale.hold(token, "zaal-A-1")).json
        holds = (KeptHold(decode(held["hold"]), from_rfc3339(held["expires_at"])),)
        kept = Kept("phone", place, token, now_ms() + 60_000, holds=holds)
        visitor.jar.update_cookies({"parvis": pack_kept(kept)}, URL(town.url + room(sale)))
        pay = await visitor.open(f"{room(sale)}/pay")
        for_forms = dict(pay.form("Pay").fields)["token"]
        await visitor.ask("POST", f"{room(sale)}/enter", data={"token": for_forms})
        now = unpack_kept(visitor.cookie(sale))
        assert now is not None
        assert now.pass_ not in {"", token}, "they have come in again"
        paid = await visitor.send(await visitor.open(f"{room(sale)}/pay"), "Pay", email="ada@example.org")
        assert paid.orders
