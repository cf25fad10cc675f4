"""What a visitor without JavaScript keeps is read by the release before too: in a rolling release both serve them."""

import zlib

import msgspec
import pytest

from api.forms.kept import Kept, KeptHold, pack_kept, unpack_kept
from engine.conditions import NOTHING, Proofs
from engine.draw import decode, encode

FIELDS_BEFORE = 9
TYPED = Proofs(("plain-spring",), {"member": "M 7"})


def read_before(value: str) -> list[object]:
    """As the release before reads a cookie: so many fields and no more, and nothing behind them."""
    found = msgspec.msgpack.decode(zlib.decompressobj().decompress(decode(value), 65_536), type=list[object])
    assert len(found) <= FIELDS_BEFORE
    return found


@pytest.mark.parametrize("proofs", [NOTHING, TYPED])
def test_the_release_before_reads_what_it_knows(proofs: Proofs) -> None:
    own = Kept("secret", "place", "pass", 7, holds=(KeptHold(b"token", 9),), made=1, order="order", proofs=proofs)
    for kept in (own, msgspec.structs.replace(own, line="press", code="a code", wait="a wait")):
        value = pack_kept(kept)
        assert read_before(value)[:4] == ["secret", "place", "pass", 7]
        assert unpack_kept(value) == kept


def test_what_the_release_before_wrote_is_read() -> None:
    before = ["secret", "place", "", 0, False, [[b"token", 9]], 1, "", ""]
    value = encode(zlib.compress(msgspec.msgpack.encode(before), 9))
    assert unpack_kept(value) == Kept("secret", "place", holds=(KeptHold(b"token", 9),), made=1)
    assert pack_kept(Kept("secret", "place", holds=(KeptHold(b"token", 9),), made=1)) == value


@pytest.mark.parametrize("behind", [b"x", zlib.compress(b"x"), zlib.compress(msgspec.msgpack.encode({"codes": 7}))])
def test_what_stands_behind_and_says_nothing_is_no_cookie_of_ours(behind: bytes) -> None:
    assert unpack_kept(encode(decode(pack_kept(Kept("secret"))) + behind)) is None
