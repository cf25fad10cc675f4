"""Lines of an on-sale beside the public one, through the API: by code and by signed invitation."""

import asyncio
import base64
from typing import Any

import pytest

from engine import codes
from engine.catalogue import Line
from engine.cli.sales import at_house
from engine.codes import NewBatch
from engine.house import Change
from engine.instants import now_ms
from engine.line_codes import invitations
from engine.waiting_room import hash_secret, status
from engine.words import LineName
from tests.town import Answer, Sale, Town

LATER_MS = 4_000_000_000_000


def lines(now: int) -> tuple[Line, ...]:
    return (
        Line(LineName("members"), "Members", "code", 40, now - 60_000),
        Line(LineName("press"), "Press", "invitation", 20, now - 60_000, LATER_MS),
        Line(LineName("early"), "Early birds", "invitation", 10, now - 60_000, now - 1_000),
    )


async def join(sale: Sale, line: str, code: str, who: str = "s", **options: Any) -> Answer:
    body = {"secret_hash": hash_secret(who), "line": line, "code": code}
    return await sale.post(f"/on-sales/{sale.on_sale}/places", body, **options)


async def with_codes(town: Town, sale: Sale, count: int) -> tuple[str, ...]:
    async with at_house(town.network_file, "noord") as (cell, ledger):
        new = NewBatch(f"b-{sale.on_sale}", "Members", count=count, on_sale=sale.on_sale, line="members")
        return (await codes.add_codes(cell, ledger, new, Change("test", "test")))[1]


async def used(sale: Sale) -> int:
    """How many of the members' codes gave a place, as staff see it."""
    batches = (await sale.get("/manage/codes", sale.manage_key)).json["batches"]
    return int(next(batch["used"] for batch in batches if batch["batch"] == f"b-{sale.on_sale}"))


async def invited(town: Town, sale: Sale, count: int, line: str = "press", until_ms: int = 0) -> list[str]:
    async with at_house(town.network_file, sale.slug) as (cell, _):
        return invitations(cell, cell.on_sale(sale.on_sale), line, range(1, count + 1), until_ms)


async def test_a_member_joins_by_code_comes_in_and_nobody_else_by_the_same(town: Town) -> None:
    async with await town.open_sale("noord", lines=lines(now_ms())) as sale:
        (code, other) = await with_codes(town, sale, 2)
        for _ in range(100):  # until the server has learned of the codes
            first = await join(sale, "members", code.lower().replace("-", " "), "hers")
            if first.status == 201:
                break
            await asyncio.sleep(0.05)
        assert (first.status, first.json["line"], first.json["index"]) == (201, "members", 0)
        again = await join(sale, "members", code, "hers")
        assert (again.status, again.json["index"]) == (201, 0)
        assert (await join(sale, "members", code, "his")).slug == "code-used"
        assert await used(sale) == 1
        assert (await join(sale, "members", other, "his")).json["index"] == 1
        assert await used(sale) == 2
        token = await sale.pass_for(first.json["place"], "hers")
        held = await sale.hold(token, "zaal-A-1")
        assert held.status == 201
        public = await sale.enter()
        assert (await sale.hold(public, "zaal-A-2")).status == 201
        seen = await sale.status()
        members = seen["lines"]["members"]
        assert (members["joined"], members["phase"]) == (2, "open")
        assert members["draw"]["commitment"] != seen["draw"]["commitment"]


@pytest.mark.parametrize(
    ("line", "code", "slug"),
    [
        ("members", "", "code-required"),
        ("press", " ", "code-required"),
        ("members", "WRONG-CODES", "unknown-code"),
        ("members", "x" * 5_000, "unknown-code"),
        ("press", "not-a-token", "unknown-code"),
        ("nobody", "x", "unknown-line"),
    ],
)
async def test_whoever_has_no_code_gets_a_reason_and_no_place(town: Town, line: str, code: str, slug: str) -> None:
    async with await town.open_sale("noord", lines=lines(now_ms())) as sale:
        assert (await join(sale, line, code)).slug == slug
        assert all(each["joined"] == 0 for each in (await sale.status())["lines"].values())


async def test_an_invitation_is_for_one_line_of_one_sale_until_it_ends(town: Town) -> None:
    async with (
        await town.open_sale("noord", lines=lines(now_ms())) as sale,
        await town.open_sale("noord", lines=lines(now_ms())) as other,
    ):
        (token,) = await invited(town, sale, 1)
        raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        raw[3] ^= 1
        forged = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        place = (await sale.join("a visitor"))[0]
        for wrong in (forged, token[:-1], token + "A", place, token.swapcase()):
            assert (await join(sale, "press", wrong)).slug == "unknown-code"
        assert (await join(other, "press", token)).slug == "unknown-code"
        assert (await join(sale, "early", token)).slug == "unknown-code"
        (ended,) = await invited(town, sale, 1, until_ms=now_ms() - 1)
        assert (await join(sale, "press", ended)).slug == "invitation-ended"
        (late,) = await invited(town, sale, 1, "early")
        refused = await join(sale, "early", late)
        assert (refused.status, refused.slug) == (409, "line-over")
        assert (await join(sale, "press", token)).status == 201


async def test_of_a_hundred_who_race_with_one_invitation_one_has_a_place(town: Town) -> None:
    async with await town.open_sale("noord", lines=lines(now_ms())) as sale:
        (token,) = await invited(town, sale, 1)
        answers = await asyncio.gather(*(join(sale, "press", token, f"racer {number}") for number in range(100)))
        assert sorted(answer.status for answer in answers) == [201, *[409] * 99]
        assert {answer.slug for answer in answers if answer.status == 409} == {"code-used"}
        async with at_house(town.network_file, sale.slug) as (cell, _):
            now = await status(cell, cell.on_sale(sale.on_sale).on_sale)
        assert [line.joined for line in now.lines if line.line == "press"] == [1]
