"""Who a place is for a house."""

from pathlib import Path

import msgspec
import pytest

from engine.signing import Place, Signer
from engine.words import HouseSlug, LineName, OnSaleId

PLACE = Place(on_sale=OnSaleId("sale"), line=LineName("public"), index=7, secret_hash="a" * 43, epoch=1)


@pytest.mark.parametrize(("changed", "is_the_same"), [({"epoch": 2}, True), ({"index": 8}, False)])
def test_a_place_is_the_same_shopper_in_every_epoch(
    tmp_path: Path, changed: dict[str, int], *, is_the_same: bool
) -> None:
    signer = Signer(HouseSlug("noord"), tmp_path)
    other = signer.pseudonym(msgspec.structs.replace(PLACE, **changed))
    assert (signer.pseudonym(PLACE) == other) is is_the_same


def test_one_index_that_was_given_twice_makes_two_shoppers(tmp_path: Path) -> None:
    """After a loss of Redis the line may begin again a little before where it was."""
    signer = Signer(HouseSlug("noord"), tmp_path)
    other = msgspec.structs.replace(PLACE, secret_hash="b" * 43)
    assert signer.pseudonym(PLACE) != signer.pseudonym(other)
    owners = {signer.read_pass(signer.sign_pass(place, 10**13)).owner for place in (PLACE, other)}
    assert len(owners) == 2


def test_no_house_knows_another_houses_shoppers(tmp_path: Path) -> None:
    pseudonyms = {Signer(HouseSlug(slug), tmp_path / slug).pseudonym(PLACE) for slug in ("noord", "zuid")}
    assert len(pseudonyms) == 2


def test_a_person_is_one_shopper_in_every_line_with_every_device_and_once_among_the_live_passes(tmp_path: Path) -> None:
    signer = Signer(HouseSlug("noord"), tmp_path)
    person = "p" + "x" * 22
    places = [
        msgspec.structs.replace(PLACE, person=person),
        msgspec.structs.replace(PLACE, person=person, index=8, secret_hash="b" * 43, line=LineName("members")),
    ]
    tokens = [signer.sign_pass(place, 10**13) for place in places]
    for reader in (signer, Signer(HouseSlug("noord"), tmp_path)):  # what was signed here, and by another process
        found = [reader.read_pass(token) for token in tokens]
        assert {(each.owner, each.index) for each in found} == {(person, person)}
    assert not signer.pseudonym(PLACE).startswith("p")
