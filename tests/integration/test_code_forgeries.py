"""Codes and invitations that were made up, bent, cut, carried over, or come too late or twice, at the visitors' doors:
each is refused with a slug of its own, and Redis is asked for none of them before it is known to be ours.
"""

import itertools
import random
from collections import Counter
from pathlib import Path

import pytest

from engine import codes
from engine.catalogue import Line, OnSale
from engine.codes import NewBatch
from engine.instants import now_ms
from engine.line_codes import invitations
from engine.signing import Invitation, Place, Signer
from engine.waiting_room import hash_secret
from engine.words import HouseSlug, LineName
from tests.backstage import BY, Backstage
from tests.integration.test_million_forgeries import ALPHABET, Door, bent, count_calls

TRIED = 20_000
SEED = 20261130
LATER_MS = 4_000_000_000_000


def lines() -> tuple[Line, ...]:
    since_ms = now_ms() - 60_000
    return (
        Line(LineName("members"), "Members", "code", 40, since_ms),
        Line(LineName("press"), "Press", "invitation", 20, since_ms, LATER_MS),
        Line(LineName("crew"), "Crew", "invitation", 20, since_ms, LATER_MS),
    )


def made_up(real: str, chance: random.Random) -> str:
    """A code with a letter changed, cut, or all of it at random."""
    match chance.randrange(3):
        case 0:
            at = chance.randrange(len(real))
            return real[:at] + chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".replace(real[at], "")) + real[at + 1 :]
        case 1:
            return real[: chance.randrange(1, len(real))]
        case _:
            return bytes(chance.choices(ALPHABET, k=chance.randrange(1, 40))).decode()


async def test_no_code_or_invitation_that_is_not_ours_reaches_redis(
    stage: Backstage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"seed {SEED}")
    await stage.open()
    on_sale, other = await stage.put_on(lines=lines()), await stage.put_on(lines=lines())
    (code,), (elsewhere,) = [await codes_of(stage, each) for each in (on_sale, other)]
    await stage.cell.look()
    cell, chance, name = stage.cell, random.Random(SEED), on_sale.on_sale
    (invited,) = invitations(cell, on_sale, "press", range(1, 2), 0)
    foreign = [Signer(slug, tmp_path / slug) for slug in (HouseSlug("far"), cell.house.slug)]
    place = Place(name, LineName("public"), 3, hash_secret("s"), int(cell.epoch))
    carried = [
        *(signer.sign(Invitation(name, LineName("press"), 1, LATER_MS)) for signer in foreign),
        *invitations(cell, on_sale, "crew", range(1, 2), 0),
        *invitations(cell, other, "press", range(1, 2), 0),
        cell.signer.sign(place),
        code,
    ]
    forged = {
        "members": itertools.chain([elsewhere, invited], (made_up(code, chance) for _ in itertools.count())),
        "press": itertools.chain(carried, filter(None, bent([invited, carried[0]], chance))),
        "nobody": itertools.repeat(code),
    }
    calls = count_calls(cell, monkeypatch)
    door, slugs = Door(stage), Counter[str]()
    for line, expected in (("members", "unknown-code"), ("press", "unknown-code"), ("nobody", "unknown-line")):
        for shown in itertools.islice(forged[line], TRIED if line != "nobody" else 100):
            slug = await join(door, on_sale, line, shown)
            slugs[f"{line} {slug}"] += 1
            assert slug == expected, (line, shown)
    for line in ("members", "press"):
        assert await join(door, on_sale, line, " ") == "code-required"
    print(dict(slugs))
    assert not calls, Counter(calls)
    # The real ones are asked for in Redis, and give a place: so the count means something.
    assert [await join(door, on_sale, *each) for each in (("members", code), ("press", invited))] == ["", ""]
    assert len(calls) >= 2


async def test_what_was_ours_and_comes_too_late_or_twice_is_refused_by_name(stage: Backstage) -> None:
    await stage.open()
    on_sale = await stage.put_on(lines=lines())
    (code,) = await codes_of(stage, on_sale)
    await stage.cell.look()
    door = Door(stage)
    (invited,) = invitations(stage.cell, on_sale, "press", range(1, 2), 0)
    (late,) = invitations(stage.cell, on_sale, "press", range(2, 3), now_ms() - 1)
    for line, shown in (("members", code), ("press", invited)):
        assert await join(door, on_sale, line, shown, "hers") == ""
        assert await join(door, on_sale, line, shown, "his") == "code-used"
    assert await join(door, on_sale, "press", late) == "invitation-ended"
    fields = stage.redis.hgetall(stage.keys.sale(on_sale.on_sale))
    assert [fields[f"joined:{line}".encode()] for line in ("members", "press", "crew")] == [b"1", b"1", b"0"]


async def codes_of(stage: Backstage, on_sale: OnSale) -> tuple[str, ...]:
    new = NewBatch(f"b-{on_sale.on_sale}", "Members", count=1, on_sale=on_sale.on_sale, line="members")
    return (await codes.add_codes(stage.cell, stage.ledger, new, BY))[1]


async def join(door: Door, on_sale: OnSale, line: str, code: str, who: str = "s") -> str:
    """The slug of what refuses it; empty for whoever has a place now."""
    body = {"secret_hash": hash_secret(who), "line": line, "code": code}
    return await door.ask(f"/on-sales/{on_sale.on_sale}/places", body, key=f"{line} {who} {code}"[:60])
