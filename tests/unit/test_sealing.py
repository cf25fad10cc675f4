"""What is sealed to a house is opened by that house, for that order, and by nobody else; and leaks into no file."""

import random
from pathlib import Path
from typing import Any

import pytest

from engine import sealing
from engine.entries import Customer, Order, decode_order, encode_order, without_customer
from engine.errors import BadInput
from engine.orders import new_order_id
from engine.sealing import PRIVATE_FILE, PUBLIC_FILE, NoSealingKey, Opener, Sealer, Unopenable, is_of
from engine.signing import Signer
from engine.words import HouseSlug, OnSaleId, OrderId

ZUID, NOORD = HouseSlug("zuid"), HouseSlug("noord")
SOMEBODY = Customer(email="an.kast@example.org", name="An Kast", language="nl", phone="+32 470 00 00 00")
SEED = 20261125


def opener(folder: Path, house: HouseSlug = ZUID) -> Opener:
    return Opener(Signer(house, folder), folder)


def sealer_of(folder: Path) -> Sealer:
    return Sealer(Signer(ZUID, folder), folder)


def ordered(sealed: Any, order: OrderId) -> Order:
    return Order(order=order, on_sale=OnSaleId("s"), owner="o", items=(), total=0, currency="EUR", customer=sealed)


def test_what_is_sealed_for_an_order_is_opened_for_it(tmp_path: Path) -> None:
    opens, order = opener(tmp_path), new_order_id()
    sealed = sealer_of(tmp_path).seal(SOMEBODY, order)
    travelled = decode_order(encode_order(ordered(sealed, order)))
    assert opens.open(travelled) == SOMEBODY
    for part in (SOMEBODY.email, SOMEBODY.name, SOMEBODY.phone):
        assert part.encode() not in encode_order(travelled)
    assert decode_order(without_customer(travelled)).customer is None


def test_no_two_seals_are_alike_so_nobody_can_try_addresses(tmp_path: Path) -> None:
    opener(tmp_path)
    sealer, order = sealer_of(tmp_path), new_order_id()
    assert len({sealer.seal(SOMEBODY, order) for _ in range(1000)}) == 1000


def test_a_seal_opens_for_no_other_order_house_or_key(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "zuid", tmp_path / "noord"
    opens, order = opener(mine), new_order_id()
    others = {"another key": opener(theirs), "another house": opener(mine, NOORD)}
    sealed = sealer_of(mine).seal(SOMEBODY, order)
    for other in others.values():
        with pytest.raises(Unopenable):
            other.open(ordered(sealed, order))
    with pytest.raises(Unopenable):
        opens.open(ordered(sealed, new_order_id()))
    assert opens.open(ordered(sealed, order)) == SOMEBODY


def test_a_seal_that_is_cut_bent_or_made_up_is_unopenable_and_nothing_worse(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    opens, order = opener(tmp_path), new_order_id()
    sealed = sealer_of(tmp_path).seal(SOMEBODY, order)
    wrong = [sealed[:length] for length in range(len(sealed))]
    wrong += [sealed + b"\0", b"\0" * len(sealed), chance.randbytes(len(sealed))]
    for place in range(len(sealed)):
        bent = bytearray(sealed)
        bent[place] ^= 1 << chance.randrange(8)
        wrong.append(bytes(bent))
    for each in wrong:
        with pytest.raises(Unopenable):
            opens.open(ordered(each, order))


def test_one_of_a_release_that_did_not_seal_is_read_as_it_is(tmp_path: Path) -> None:
    opens = opener(tmp_path)
    assert opens.open(decode_order(encode_order(ordered(SOMEBODY, new_order_id())))) == SOMEBODY
    assert opens.open(ordered(None, new_order_id())) is None


def test_a_key_is_drawn_anew_and_older_ones_still_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "KEY_SECONDS", 0.0)
    opens, sealer, orders = opener(tmp_path), sealer_of(tmp_path), [new_order_id() for _ in range(20)]
    sealed = [sealer.seal(SOMEBODY, order) for order in orders]
    assert len({each[16 : 16 + sealing.WRAPPED_BYTES] for each in sealed}) == len(sealed)
    assert all(opens.open(ordered(each, order)) == SOMEBODY for each, order in zip(sealed, orders, strict=True))


def test_without_the_writers_key_nothing_can_be_sealed_until_the_writer_has_made_it(tmp_path: Path) -> None:
    sealer = sealer_of(tmp_path)
    with pytest.raises(NoSealingKey):
        sealer.seal(SOMEBODY, new_order_id())
    opener(tmp_path)
    assert sealer.seal(SOMEBODY, new_order_id())


def test_the_private_key_is_its_owners_alone_and_sealing_does_not_need_it(tmp_path: Path) -> None:
    opens, order = opener(tmp_path), new_order_id()
    assert (tmp_path / PRIVATE_FILE).stat().st_mode & 0o077 == 0
    (tmp_path / PRIVATE_FILE).unlink()
    assert opens.open(ordered(sealer_of(tmp_path).seal(SOMEBODY, order), order)) == SOMEBODY


def test_a_private_key_that_has_gone_is_said_and_not_replaced(tmp_path: Path) -> None:
    opener(tmp_path)
    key = (tmp_path / PRIVATE_FILE).read_bytes()
    (tmp_path / PRIVATE_FILE).unlink()
    with pytest.raises(BadInput, match="put the key back"):
        opener(tmp_path)
    (tmp_path / PRIVATE_FILE).write_bytes(key)
    (tmp_path / PUBLIC_FILE).unlink()
    order = new_order_id()
    assert opener(tmp_path).open(ordered(sealer_of(tmp_path).seal(SOMEBODY, order), order)) == SOMEBODY


def test_a_customers_mark_is_the_houses_own_and_the_same_for_any_spelling(tmp_path: Path) -> None:
    mine, theirs = Signer(ZUID, tmp_path / "zuid"), Signer(NOORD, tmp_path / "noord")
    assert mine.customer_mark("An.Kast@Example.org ") == mine.customer_mark("an.kast@example.org")
    assert mine.customer_mark("an.kast@example.org") != theirs.customer_mark("an.kast@example.org")


def test_what_is_sealed_is_found_by_whoever_has_the_houses_key_and_cannot_open_it(tmp_path: Path) -> None:
    opener(tmp_path)
    order, signer = new_order_id(), Signer(ZUID, tmp_path)
    sealed = ordered(sealer_of(tmp_path).seal(SOMEBODY, order), order)
    for spelled, is_theirs in ((SOMEBODY.email, True), (SOMEBODY.email.upper(), True), ("an@example.org", False)):
        assert is_of(signer, sealed, spelled) is is_of(signer, ordered(SOMEBODY, order), spelled) is is_theirs
        assert not is_of(Signer(ZUID, tmp_path / "other"), sealed, spelled)
    assert not is_of(signer, ordered(None, order), SOMEBODY.email)
