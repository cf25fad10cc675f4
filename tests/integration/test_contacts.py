"""Where a house wants it, each e-mail address or phone number has one place, and a code shows whose it is."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest

from api.contacts import CODES_A_SECRET
from engine import orders, recovery, seats, waiting_room
from engine.cli.sales import at_house
from engine.contacts import contact_secret, person_of
from engine.entries import Customer, Payment
from engine.instants import now_ms
from engine.ledger.customers import By, erase
from engine.ledger.persons import read_persons
from engine.ledger.retention import forget, forget_in_redis
from engine.orders import Buyer
from engine.shares import Owner
from engine.waiting_room import Admissible, hash_secret
from engine.wishes import Wish
from engine.words import SeatId
from tests.backstage import Backstage
from tests.integration.test_codes_after_loss import a_visitor
from tests.integration.test_customers import everywhere as in_the_ledger
from tests.integration.test_recovery import go_back, keep_copy, recover
from tests.receiver import Receiver
from tests.town import Answer, Sale, Town


async def code_for(sale: Sale, contact: str, secret: str, **options: Any) -> Answer:
    body = {"contact": contact, "secret_hash": hash_secret(secret), "language": "en"}
    return await sale.post(f"/on-sales/{sale.on_sale}/contact-codes", body, **options)


async def confirm(sale: Sale, contact: str, secret: str, code: str, **options: Any) -> Answer:
    body = {"contact": contact, "secret_hash": hash_secret(secret), "code": code}
    return await sale.post(f"/on-sales/{sale.on_sale}/contacts", body, **options)


async def join(sale: Sale, secret: str, contact: str = "") -> Answer:
    body = {"secret_hash": hash_secret(secret), "contact": contact}
    return await sale.post(f"/on-sales/{sale.on_sale}/places", body)


async def taken(receiver: Receiver, count: int) -> list[Any]:
    for _ in range(200):
        if len(receiver.received) >= count:
            assert all(each.is_right for each in receiver.received)
            return [each.says for each in receiver.received]
        await asyncio.sleep(0.05)
    raise AssertionError(f"{len(receiver.received)} codes were sent, not {count}")


def fresh(kind: str = "email") -> str:
    number = uuid.uuid4().int
    return f"{number % 10**12}@example.org" if kind == "email" else f"+32{470_000_000 + number % 10**6}"


async def opened(town: Town, receiver: Receiver, kind: str = "email", **changed: Any) -> Sale:
    async with at_house(town.network_file, "noord") as (cell, _):
        receiver.secrets["/hook"] = contact_secret(cell.signer)
    return await town.open_sale("noord", one_place_per=kind, contact_url=receiver.url(), **changed)


async def test_each_address_has_one_place_with_however_many_devices(town: Town) -> None:
    async with Receiver(town.certificate) as receiver, await opened(town, receiver) as sale:
        mine, token = fresh(), ""
        places = []
        for device in range(3):
            secret = uuid.uuid4().hex
            refused = await join(sale, secret)
            assert (refused.status, refused.slug) == (409, "contact-required")
            spelled = mine.replace("@", f"+{device}@") if device else mine.upper()
            assert (await code_for(sale, spelled, secret)).status == 202
            said = (await taken(receiver, device + 1))[-1]
            assert (said["house"], said["on_sale"], said["kind"]) == ("noord", sale.on_sale, "email")
            assert (said["contact"], said["language"]) == (spelled.lower(), "en")
            for wrong in ("", "0" * 8, said["code"][:-1], said["code"] + "0"):
                if wrong != said["code"]:
                    assert (await confirm(sale, spelled, secret, wrong)).slug == "bad-contact-code"
            assert (await confirm(sale, spelled, uuid.uuid4().hex, said["code"])).slug == "bad-contact-code"
            assert (await confirm(sale, fresh(), secret, said["code"])).slug == "bad-contact-code"
            typed = f" {said['code'][:4]} {said['code'][4:]}"
            shown = await confirm(sale, spelled, secret, typed)
            assert shown.status == 201, shown.json
            token = shown.json["contact"]
            assert mine.partition("@")[0] not in token
            joined = await join(sale, secret, token)
            assert (joined.status, joined.json["index"]) == (201, 0), joined.json
            places.append((joined.json["place"], secret))
        # It is for one secret, and ours alone.
        assert (await join(sale, "another", token)).slug == "contact-required"
        assert (await join(sale, "another", token[:-1] + ("B" if token[-1] == "A" else "A"))).slug == "forged-token"
        assert (await sale.status())["lines"]["public"]["joined"] == 1
        # They are one shopper: what one device holds is the other's too.
        first = await sale.pass_for(*places[0])
        held = await sale.hold(first, "zaal-A-1", "zaal-A-2", "zaal-A-3", "zaal-A-4")
        assert held.status == 201
        second = await sale.pass_for(*places[1])
        too_many = await sale.hold(second, "zaal-B-1", "zaal-B-2", "zaal-B-3")
        assert too_many.slug == "too-many-seats", too_many.json


async def test_a_phone_number_is_one_however_it_is_written(town: Town) -> None:
    async with Receiver(town.certificate) as receiver, await opened(town, receiver, "phone") as sale:
        number = fresh("phone")
        for count, written in enumerate((number, "00" + number[1:], f"{number[:3]} ({number[3:6]}) {number[6:]}"), 1):
            secret = uuid.uuid4().hex
            assert (await code_for(sale, written, secret)).status == 202
            said = (await taken(receiver, count))[-1]
            assert said["contact"] == number
            token = (await confirm(sale, written, secret, said["code"])).json["contact"]
            assert (await join(sale, secret, token)).json["index"] == 0
        for wrong in ("0470123456", "+32 abc", "", "a@example.org"):
            assert (await code_for(sale, wrong, "x")).slug == "bad-input"


async def test_nobody_is_sent_codes_again_and_again(town: Town) -> None:
    async with Receiver(town.certificate) as receiver, await opened(town, receiver) as sale:
        mine, secret = fresh(), uuid.uuid4().hex
        answers = [await code_for(sale, mine, secret) for _ in range(6)]
        assert [answer.status for answer in answers] == [202] * 4 + [429] * 2
        assert answers[-1].slug == "too-many-codes"
        assert int(answers[-1].headers["Retry-After"]) > 0
        said = await taken(receiver, 4)
        # Asked for again it is the same code, under the same id, unless its time has passed meanwhile.
        assert len({each["code"] for each in said}) <= 2
        tries = [await confirm(sale, mine, secret, "1") for _ in range(11)]
        assert [each.slug for each in tries] == ["bad-contact-code"] * 10 + ["too-many-codes"]
        other = uuid.uuid4().hex
        assert (await confirm(sale, mine, other, "1")).slug == "bad-contact-code", "nobody uses up another's tries"


async def test_an_address_that_the_house_knows_gets_the_answer_of_one_that_it_does_not(town: Town) -> None:
    async with Receiver(town.certificate) as receiver, await opened(town, receiver) as sale:
        receiver.delay_seconds = 1.0
        known, secret = fresh(), uuid.uuid4().hex
        await code_for(sale, known, secret)
        said = (await taken(receiver, 1))[-1]
        await join(sale, secret, (await confirm(sale, known, secret, said["code"])).json["contact"])
        receiver.answer = lambda came: 204 if came.says["contact"] == known else 500
        answers = [await code_for(sale, contact, uuid.uuid4().hex) for contact in (known, fresh())]
        first, second = ((each.status, sorted(each.json), len(each.body)) for each in answers)
        assert first == second
        assert first[0] == 202


async def test_who_has_a_place_is_known_again_after_a_loss_and_forgotten_in_time(
    stage: Backstage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "QUIET_MS", 0)  # nobody was promised anything here
    await stage.open()
    on_sale = await stage.put_on(one_place_per="email", contact_url="https://1.1.1.1/")

    async def joins(person: str) -> int:
        who, secret_hash = Admissible(person=person), hash_secret(uuid.uuid4().hex)
        return (await waiting_room.join(stage.cell, on_sale, secret_hash, uuid.uuid4().hex, who)).index

    copy = keep_copy(stage, tmp_path)
    indices = [await joins(person) for person in ("p1", "p2", "p3")]
    assert indices == [0, 1, 2]
    await stage.drain()
    go_back(stage, copy)
    await recover(stage)
    assert [await joins(person) for person in ("p3", "p1", "p2")] == [2, 0, 1]
    assert await read_persons(stage.ledger, on_sale.on_sale) == {"p1": 0, "p2": 1, "p3": 2}
    await forget(stage.ledger, 0)
    assert len(await read_persons(stage.ledger, on_sale.on_sale)) == 3
    assert (await forget(stage.ledger, now_ms() + 10**10)).persons == 3
    assert await read_persons(stage.ledger, on_sale.on_sale) == {}


async def everywhere(stage: Backstage) -> str:
    """All that the house's Redis and its database hold, as text."""
    told = [await in_the_ledger(stage)]
    async for key in stage.owner.scan_iter():
        kind: Any = await stage.owner.type(key)
        ask = {"hash": "hgetall", "zset": "zrange", "string": "get", "stream": "xrange"}[kind.decode()]
        told += [key.decode(), str(await getattr(stage.owner, ask)(key, *((0, -1) if kind == b"zset" else ())))]
    return "\n".join(told)


async def test_nothing_of_a_person_is_left_after_the_sale_and_an_erasure_during_it_opens_no_second_place(
    stage: Backstage,
) -> None:
    await stage.open()
    on_sale = await stage.put_on(one_place_per="email", contact_url="https://1.1.1.1/", seats_a_customer=4)
    hers = "ann@example.org"
    who = Admissible(person=person_of(stage.cell.signer, on_sale.on_sale, hers))
    mark = stage.cell.signer.customer_mark(hers).hex()

    async def joins(secret: str) -> waiting_room.Joined:
        return await waiting_room.join(stage.cell, on_sale, hash_secret(secret), uuid.uuid4().hex, who)

    place = (await joins("phone")).place

    async def holds(key: str, seat: str) -> seats.Held:
        token = (await waiting_room.admit(stage.cell, on_sale, place, "phone", key)).token
        visitor = stage.cell.signer.read_pass(token)
        owner = Owner(visitor.owner, visitor.index, visitor.on_sale, generation=visitor.generation)
        wish = Wish(performance=on_sale.performances[0], seats=(SeatId(seat),))
        return await seats.hold(stage.cell, owner, [wish], (), key)

    await a_visitor(stage, on_sale, place, "phone")
    buyer = Buyer(caller=who.person, owner=who.person, channel="web")
    paid = Payment(provider="demo", reference=f"yes-{uuid.uuid4()}")
    bought = (await holds("first", "zaal-A-1")).hold
    await orders.confirm(stage.cell, buyer, [bought], Customer(email=hers), paid, str(uuid.uuid4()))
    await seats.release(stage.cell, (await holds("second", "zaal-A-2")).hold)
    await stage.drain()
    assert (await erase(stage.ledger, stage.cell.signer, hers, By("a test", "she asked", "o"))).orders == 1
    assert (await joins("laptop")).index == 0, "it opened a second place"
    assert who.person not in str(await stage.rows("SELECT owner, payload FROM orders"))
    await forget(stage.ledger, 0)
    await forget_in_redis(stage.owner, stage.keys, stage.ledger, 0)
    assert (await joins("tablet")).index == 0, "the sale goes on"
    assert await stage.owner.exists(stage.keys.stays(on_sale.on_sale))

    await stage.drain()
    await forget(stage.ledger, now_ms() + 10**10)
    await forget_in_redis(stage.owner, stage.keys, stage.ledger, now_ms() + 10**10)
    for key in await stage.owner.keys("*:op:*") + await stage.owner.keys("*:order:*"):
        await stage.owner.unlink(key)  # for hours at most
    await stage.owner.xtrim(stage.keys.outbox, maxlen=0)  # what is recorded goes by itself
    left = await everywhere(stage)
    assert who.person not in left
    assert not await stage.owner.exists(stage.keys.stays(on_sale.on_sale))
    assert mark not in left.replace(f"customer {mark}", ""), "whom the house erased it can tell by the log alone"


async def test_whose_turn_passed_is_known_by_the_newest_place_after_a_loss(
    stage: Backstage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "QUIET_MS", 0)
    await stage.open()
    on_sale = await stage.put_on(one_place_per="email", contact_url="https://1.1.1.1/", turn_seconds=1)
    key, copy, index = stage.keys.persons(on_sale.on_sale), keep_copy(stage, tmp_path), 0
    async with asyncio.timeout(60):
        while index == 0:
            await waiting_room.serve(stage.cell, on_sale.on_sale)
            who, secret_hash = Admissible(person="p1"), hash_secret(uuid.uuid4().hex)
            index = (await waiting_room.join(stage.cell, on_sale, secret_hash, uuid.uuid4().hex, who)).index
            await asyncio.sleep(0.1)
    await stage.drain()  # both entries in one batch
    assert await read_persons(stage.ledger, on_sale.on_sale) == {"p1": index}
    go_back(stage, copy)
    await recover(stage)
    assert await stage.owner.hgetall(key) == {b"p1": b"%d" % index}


async def test_one_proof_or_wait_is_good_for_a_few_codes(town: Town) -> None:
    async with Receiver(town.certificate) as receiver, await opened(town, receiver) as sale:
        secret = uuid.uuid4().hex
        answers = [await code_for(sale, fresh(), secret) for _ in range(CODES_A_SECRET + 1)]
        assert [answer.status for answer in answers] == [202] * CODES_A_SECRET + [429]
        assert (await code_for(sale, fresh(), uuid.uuid4().hex)).status == 202
