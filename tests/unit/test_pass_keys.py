"""The keys that sign passes, one after the other: every process agrees, and whoever keeps copies is not surprised."""

import stat
from pathlib import Path

import jwt
import pytest

from engine import pass_keys
from engine.errors import BadInput, ForgedToken
from engine.instants import now_ms
from engine.pass_keys import KEPT_MS, KEYS_CACHED_SECONDS, PUBLISHED_BEFORE_MS, PassKeys, rotate
from engine.signing import Place, Signer
from engine.words import HouseSlug, LineName, OnSaleId

HOUSE = HouseSlug("zeewind")
PLACE = Place(on_sale=OnSaleId("s"), line=LineName("public"), index=7, secret_hash="h", epoch=1)
LONGEST_MS = 900_000


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process waits before it looks what lies there."""
    monkeypatch.setattr(pass_keys, "LOOK_AGAIN_SECONDS", 0.0)


def lay(folder: Path, starts_at_ms: int) -> None:
    """A new key, from an instant on."""
    (folder / f"pass.{starts_at_ms}.pem").write_bytes(pass_keys.new_key())


def kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def published(signer: Signer, at_ms: int) -> list[str]:
    return [key["kid"] for key in signer.jwks(at_ms, LONGEST_MS)["keys"]]


def test_a_key_signs_what_is_claimed_from_its_instant_on(tmp_path: Path) -> None:
    signer, now = Signer(HOUSE, tmp_path), now_ms()
    lay(tmp_path, now + 1_000)
    before, after = (signer.sign_pass(PLACE, now + 60_000, claimed_at_ms=now + ms) for ms in (999, 1_000))
    assert kid(before) != kid(after)
    assert kid(signer.sign_pass(PLACE, now + 60_000)) == kid(before), "without an instant it is now"
    for token in (before, after):
        assert Signer(HOUSE, tmp_path).read_pass(token).owner == signer.pseudonym(PLACE)


def test_every_process_signs_alike_also_one_that_starts_in_the_middle(tmp_path: Path) -> None:
    first, second, now = Signer(HOUSE, tmp_path), Signer(HOUSE, tmp_path), now_ms()
    lay(tmp_path, now + 1_000)
    third = Signer(HOUSE, tmp_path)
    lay(tmp_path, now + 2_000)
    fourth = Signer(HOUSE, tmp_path)
    seen = set()
    for ms in range(0, 3_000, 100):
        made = {
            each.sign_pass(PLACE, now + 60_000, 3, claimed_at_ms=now + ms) for each in (first, second, third, fourth)
        }
        assert len(made) == 1, "a repeat that another process answers is the same to the byte"
        seen.add(kid(made.pop()))
    assert len(seen) == 3
    assert len({tuple(published(each, now)) for each in (first, second, third, fourth)}) == 1


def test_a_key_is_published_as_soon_as_it_lies_there_and_until_its_last_pass_has_ended(tmp_path: Path) -> None:
    signer, now = Signer(HOUSE, tmp_path), now_ms()
    old = kid(signer.sign_pass(PLACE, now + 60_000))
    assert published(signer, now) == [old]
    lay(tmp_path, now + 1_000)
    new = kid(signer.sign_pass(PLACE, now + 60_000, claimed_at_ms=now + 1_000))
    assert published(signer, now) == [old, new]
    # The last pass of the former key is claimed a moment before, and lives so long.
    assert published(signer, now + 999 + LONGEST_MS) == [old, new]
    assert published(signer, now + 1_000 + LONGEST_MS) == [new]


def test_the_next_key_lies_there_for_longer_than_anybody_keeps_a_copy(tmp_path: Path) -> None:
    PassKeys(tmp_path)
    before = now_ms()
    starts_at_ms = rotate(tmp_path)
    assert starts_at_ms >= before + 600_000
    assert PUBLISHED_BEFORE_MS >= 600_000 > KEYS_CACHED_SECONDS * 1_000
    path = tmp_path / f"pass.{starts_at_ms}.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(BadInput, match="lies there already"):
        rotate(tmp_path)
    assert len(list(tmp_path.glob("pass*.pem"))) == 2


def test_a_former_key_is_taken_away_once_no_pass_can_be_its_own(tmp_path: Path) -> None:
    PassKeys(tmp_path)
    now = now_ms()
    lay(tmp_path, now - 2 * KEPT_MS)
    lay(tmp_path, now - KEPT_MS + 60_000)
    starts_at_ms = rotate(tmp_path)
    left = {path.name for path in tmp_path.glob("pass*.pem")}
    assert left == {f"pass.{each}.pem" for each in (now - 2 * KEPT_MS, now - KEPT_MS + 60_000, starts_at_ms)}
    assert "pass.pem" not in {path.name for path in tmp_path.glob("pass*.pem")}
    PassKeys(tmp_path)
    assert not (tmp_path / "pass.pem").exists(), "and is not made anew"


def test_a_key_that_was_taken_away_verifies_nothing_any_more(tmp_path: Path) -> None:
    signer, other = Signer(HOUSE, tmp_path), Signer(HOUSE, tmp_path)
    token = signer.sign_pass(PLACE, now_ms() + 60_000)
    assert other.read_pass(token)
    lay(tmp_path, 1)
    (tmp_path / "pass.pem").unlink()
    for each in (signer, other):
        with pytest.raises(ForgedToken):
            each.read_pass(token)
    assert other.read_pass(signer.sign_pass(PLACE, now_ms() + 60_000))


def test_without_any_file_a_process_goes_on_with_what_it_has(tmp_path: Path) -> None:
    signer = Signer(HOUSE, tmp_path)
    (tmp_path / "pass.pem").unlink()
    (tmp_path / "pass.old.pem").write_text("somebody's copy")
    assert signer.read_pass(signer.sign_pass(PLACE, now_ms() + 60_000)).index == "7"


@pytest.mark.parametrize(
    "more",
    [{"crit": ["exp"]}, {"crit": ["b64"], "b64": False}, {"jku": "https://x"}, {"x5c": []}, {"kid": ""}],
)
def test_a_header_that_is_not_ours_to_the_byte_is_no_header(tmp_path: Path, more: dict[str, object]) -> None:
    """Even signed with our own key: no rule of somebody's header is ever followed."""
    signer = Signer(HOUSE, tmp_path)
    token = signer.sign_pass(PLACE, now_ms() + 60_000)
    claims = jwt.decode(token, options={"verify_signature": False})
    key = (tmp_path / "pass.pem").read_bytes()
    told = jwt.get_unverified_header(token)
    made = jwt.encode(claims | {"index": 8}, key, algorithm="ES256", headers=told | more)
    with pytest.raises(ForgedToken):
        signer.read_pass(made)
