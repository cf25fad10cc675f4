"""What other houses contribute to a draw: committed to beforehand, revealed from its start on, left out when late."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import web

from engine import catalogue, verifier
from engine.catalogue import Contributor, Line, OnSale
from engine.cell import Cell
from engine.collecting import OWN_FAULT, UNASKED, Contributions
from engine.contributions import commitment_of
from engine.draw import encode
from engine.drawing import REVEALED, Drawn, transcript_of
from engine.errors import BadInput, CellUnavailable, Refused
from engine.instants import now_ms, to_rfc3339
from engine.network import Neighbour
from engine.pass_keys import STATEMENT, PassKey, new_key
from engine.signed import verify
from engine.statements import NeighbourKeys, Statement
from engine.tree import Frontier, encode_frontier
from engine.waiting_room import PUBLIC
from engine.words import HouseSlug, LineName, OnSaleId
from tests.backstage import Backstage, until
from tests.town import Town

SECRETS = {"klinker": "a" * 42 + "A", "mirage": "b" * 42 + "A"}


Draw = tuple[HouseSlug, OnSaleId, LineName, int]


class Others:
    """The API of two other houses, which do as the test says. Both have one key; see `reveal` for what they sign."""

    def __init__(self, stage: Backstage) -> None:
        self.stage = stage
        self.withholding: set[str] = set()
        self.lying: set[str] = set()
        self.unsigned: set[str] = set()
        self.hesitating: set[str] = set()
        """They answer nothing of use the first time."""
        self.says: dict[str, dict[str, str]] = {}
        """What a house answers in place of what is true."""
        self.is_in_pieces = False
        self.key = PassKey(0, new_key())
        self.asked: dict[str, set[str]] = {name: set() for name in SECRETS}

    @staticmethod
    def _of(request: web.Request) -> tuple[str, Draw]:
        contributor, house, on_sale, line, planned = (
            request.match_info[name] for name in ("contributor", "house", "on_sale", "line", "planned")
        )
        return contributor, (HouseSlug(house), OnSaleId(on_sale), LineName(line), int(planned))

    async def _answer(self, request: web.Request, told: dict[str, Any]) -> web.StreamResponse:
        body = json.dumps(told).encode()
        answer = web.StreamResponse()
        await answer.prepare(request)
        middle = len(body) // 2 if self.is_in_pieces else 0
        for piece in (body[:middle], body[middle:]):
            await answer.write(piece)
            await asyncio.sleep(0.1 if self.is_in_pieces else 0.0)
        return answer

    async def keys(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, {"keys": [self.key.jwk]})

    async def commitment(self, request: web.Request) -> web.StreamResponse:
        contributor, of = self._of(request)
        told = {"commitment": commitment_of(contributor, *of, SECRETS[contributor])}
        return await self._answer(request, told | self.says.get(contributor, {}))

    async def reveal(self, request: web.Request) -> web.StreamResponse:
        """As an honest house does: what it is asked with has to be signed by the house whose draw it is."""
        contributor, of = self._of(request)
        said = await request.json()
        commitment = commitment_of(contributor, *of, SECRETS[contributor])
        text = Statement(*of, said["entrants"], said["root"], said["bound"]).text(contributor, commitment)
        verify(text, said["signature"], self.stage.cell.signer.jwks(), STATEMENT)
        self.asked[contributor].add(f"{said['entrants']} {said['root']}")
        if now_ms() < of[-1] or contributor in self.withholding | self.hesitating:
            self.hesitating.discard(contributor)
            return web.json_response({}, status=409)
        secret = SECRETS["mirage" if contributor in self.lying else contributor]
        key = PassKey(0, new_key()) if contributor in self.unsigned else self.key
        told = {"secret": secret, "signature": key.sign_apart(STATEMENT, text)}
        return await self._answer(request, told | self.says.get(contributor, {}))


WITHIN_MS = 5_000
"""So long these tests wait for what is revealed: a busy machine may need more than a house does."""


@pytest.fixture
async def others(stage: Backstage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Others]:
    monkeypatch.setattr(catalogue, "REVEALED_WITHIN_MS", WITHIN_MS)
    found = Others(stage)
    app = web.Application()
    path = "/v1/houses/{contributor}/draw-contributions/{house}/{on_sale}/{line}/{planned}"
    app.router.add_get(path, found.commitment)
    app.router.add_post(path + "/reveal", found.reveal)
    app.router.add_get("/v1/houses/{contributor}/.well-known/jwks.json", found.keys)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    near = tuple(Neighbour(HouseSlug(name), name, address) for name in SECRETS)
    stage.cell.house = stage.house = msgspec.structs.replace(stage.house, neighbours=near)
    await stage.open()
    yield found
    await runner.cleanup()


async def put_on(stage: Backstage, opens_in_ms: int = 1_000, **changed: Any) -> OnSale:
    made = tuple(Contributor(name, "") for name in SECRETS)
    return await stage.put_on(opens_at_ms=now_ms() + opens_in_ms, contributors=made, **changed)


async def drawn(
    stage: Backstage, on_sale: OnSale, line: LineName = PUBLIC, contributions: Contributions | None = None
) -> dict[str, Any]:
    """The draw, made while a keeper's collector looks again and again."""
    cell = Cell(stage.house, is_owner=True)
    await cell.look()
    contributions = contributions or Contributions(cell, stage.ledger)

    async def found() -> Drawn:
        return next(each.draw for each in (await stage.status(on_sale)).all_lines if each.line == line)

    async def is_made() -> bool:
        await contributions.look()
        return (await found()).is_made

    try:
        await until(is_made, "the draw is made")
        await contributions.look()
    finally:
        await cell.close()
    told = transcript_of(stage.slug, on_sale, line, await found())
    assert verifier.faults(verifier.read(msgspec.json.encode(told))) == []
    return told


async def test_what_others_reveal_in_time_is_mixed_in(stage: Backstage, others: Others) -> None:
    on_sale = await put_on(stage)
    assert others
    assert [each.commitment for each in on_sale.contributors] == [
        commitment_of(name, stage.slug, on_sale.on_sale, PUBLIC, on_sale.opens_at_ms, secret)
        for name, secret in SECRETS.items()
    ]
    told = await drawn(stage, on_sale)
    assert [each["secret"] for each in told["contributors"]] == list(SECRETS.values())
    assert told["rule"]["after_ms"] == WITHIN_MS
    for house, text, signature in verifier.signed(told):
        verify(text, signature, {"keys": [others.key.jwk]}, STATEMENT)
        assert others.asked[house] == {f"0 {told['root']}"}
    assert await stage.alarms() == []


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("withholding", "klinker: klinker answers 409 when asked for its contribution"),
        ("lying", "klinker: what it revealed is not what it had committed to"),
        ("unsigned", "klinker: it revealed, and none of its keys signed the list"),
    ],
)
async def test_what_is_not_revealed_is_left_out_at_the_published_instant_and_said(
    stage: Backstage, others: Others, how: str, why: str
) -> None:
    on_sale = await put_on(stage)
    getattr(others, how).add("klinker")
    told = await drawn(stage, on_sale)
    assert verifier.withheld(told) == ["klinker"]
    assert told["contributors"][1]["secret"] == SECRETS["mirage"]
    detail = {"on_sale": on_sale.on_sale, "line": PUBLIC, "houses": "klinker", "why": why}
    wanted = ("draw-withheld", detail)
    assert await stage.alarms() == [wanted]
    await drawn(stage, on_sale)  # another keeper raises no other alarm
    assert await stage.alarms() == [wanted]


@pytest.mark.parametrize(
    "changed",
    [
        {"secret": SECRETS["klinker"] + " mirage"},
        {"secret": SECRETS["klinker"] + ",x"},
        {"secret": SECRETS["klinker"] + "\n"},
        {"signature": "a" * 301 + ".." + "b" * 86},
        {"signature": "a.. mirage"},
    ],
)
async def test_what_one_house_makes_up_spoils_no_others_contribution(
    stage: Backstage, others: Others, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str]
) -> None:
    """The made-up secret is what it committed to, and whatever it signs with counts as its signature."""
    monkeypatch.setitem(SECRETS, "klinker", changed.get("secret", SECRETS["klinker"]))
    if "signature" in changed:
        monkeypatch.setattr(NeighbourKeys, "check", _believes)
    others.says["klinker"], others.hesitating = changed, {"mirage"}
    on_sale = await put_on(stage)
    told = await drawn(stage, on_sale)
    assert verifier.withheld(told) == ["klinker"]
    assert told["contributors"][1]["secret"] == SECRETS["mirage"]
    ((kind, detail),) = await stage.alarms()
    assert (kind, detail["houses"]) == ("draw-withheld", "klinker")
    assert detail["why"].startswith("klinker: klinker does not say what it contributes: ")


async def _believes(*_: object) -> None:
    return None


@pytest.mark.parametrize("commitment", ["", "x y", "a" * 43, "a" * 42 + "A\n", "a" * 42 + "A,"])
async def test_who_commits_to_nothing_that_can_be_told_does_not_contribute(
    stage: Backstage, others: Others, commitment: str
) -> None:
    others.says["klinker"] = {"commitment": commitment}
    with pytest.raises(CellUnavailable, match="klinker does not say what it contributes"):
        await put_on(stage)


async def test_an_answer_that_comes_in_pieces_is_read_to_its_end(stage: Backstage, others: Others) -> None:
    others.is_in_pieces = True
    assert verifier.withheld(await drawn(stage, await put_on(stage))) == []


async def test_a_sale_to_which_others_contribute_opens_at_its_planned_start_and_not_by_hand(
    stage: Backstage, others: Others
) -> None:
    on_sale = await put_on(stage, 10**9)
    assert others
    with pytest.raises(Refused) as refusal:
        await stage.tell(on_sale, "open")
    assert refusal.value.slug == "draw-has-contributors"
    assert refusal.value.facts == {"opens_at": to_rfc3339(on_sale.opens_at_ms), "contributors": list(SECRETS)}
    assert (await stage.status(on_sale)).phase == "prequeue"
    assert await stage.alarms() == []


async def test_who_is_away_across_the_start_gets_rid_of_nobody_who_contributes(
    stage: Backstage, others: Others
) -> None:
    on_sale = await put_on(stage, -3 * WITHIN_MS, prequeue_at_ms=now_ms() - 4 * WITHIN_MS)
    told = await drawn(stage, on_sale)
    assert [each["secret"] for each in told["contributors"]] == list(SECRETS.values())
    assert others.asked["klinker"] == {f"0 {told['root']}"}
    assert await stage.alarms() == []


async def test_whom_the_house_itself_asked_too_late_nobody_blames(stage: Backstage, others: Others) -> None:
    on_sale = await put_on(stage, -10_000, prequeue_at_ms=now_ms() - 20_000)
    stage.redis.hset(stage.keys.sale(on_sale.on_sale), "draw_after_ms", 0)
    assert verifier.withheld(await drawn(stage, on_sale)) == list(SECRETS)
    ((kind, detail),) = await stage.alarms()
    assert (kind, detail["houses"]) == ("draw-withheld", "klinker, mirage")
    assert detail["why"] == f"klinker: {UNASKED}; mirage: {UNASKED}"
    assert others.asked == {name: set() for name in SECRETS}


async def test_every_line_has_contributions_of_its_own(stage: Backstage, others: Others) -> None:
    at = now_ms() + 1_000
    line = Line(LineName("friends"), "Friends", "code", 40, at)
    on_sale = await put_on(stage, 10**9, prequeue_at_ms=now_ms() - 1_000 + 10**9, lines=(line,))
    public, friends = on_sale.contributors_of(PUBLIC), on_sale.contributors_of("friends")
    assert [each.house for each in friends] == list(SECRETS)
    assert not {each.commitment for each in public} & {each.commitment for each in friends}
    told = await drawn(stage, on_sale, LineName("friends"))
    assert [each["secret"] for each in told["contributors"]] == list(SECRETS.values())
    assert {text.split(b"\n")[3].decode() for _, text, _ in verifier.signed(told)} == {
        f"{stage.slug}/{on_sale.on_sale}/friends"
    }
    assert others.asked["klinker"] == {f"0 {told['root']}"}


async def test_what_a_loss_took_is_asked_for_again_and_another_list_than_the_signed_one_counts_as_missing(
    stage: Backstage, others: Others
) -> None:
    on_sale = await put_on(stage)
    cell = Cell(stage.house, is_owner=True)
    await cell.look()
    contributions = Contributions(cell, stage.ledger)
    key = stage.keys.sale(on_sale.on_sale)

    async def has_revealed() -> bool:
        await contributions.look()
        return len(contributed().split()) == 2 * REVEALED

    def contributed() -> str:
        found: Any = stage.redis.hget(key, "revealed")
        return found.decode() if found else ""

    stage.redis.hset(key, "draw_after_ms", 10**9)  # as long as this test takes
    await until(has_revealed, "both have revealed")
    first = contributed()
    stage.redis.hdel(key, "revealed")
    await contributions.look()
    assert not contributed()  # nobody is asked twice in one epoch
    await stage.keeper.recover()
    await cell.look()
    stage.redis.hdel(key, "revealed")
    await until(has_revealed, "both have revealed again")
    assert contributed() == first

    parts = first.split()
    parts[2] = encode(bytes(32))  # the first of them signed another list than the one that is drawn
    stage.redis.hset(key, "revealed", " ".join(parts))
    stage.redis.hset(key, "draw_after_ms", on_sale.draw_after_ms)
    told = await drawn(stage, on_sale, contributions=contributions)
    assert verifier.withheld(told) == [parts[0]]
    ((_, detail),) = await stage.alarms()
    assert detail["why"] == f"{parts[0]}: {OWN_FAULT}"
    await cell.close()


async def test_what_nobody_foresaw_in_one_draw_ends_no_keeper_and_keeps_no_other_from_its_own(
    stage: Backstage, others: Others
) -> None:
    assert others
    broken, whole = await put_on(stage), await put_on(stage)
    ahead = encode_frontier(Frontier(1, [bytes(32)]))  # of more entrants than there are
    stage.redis.set(stage.keys.frontier(broken.on_sale, PUBLIC), ahead)
    assert verifier.withheld(await drawn(stage, whole)) == []


async def test_with_postgres_away_others_are_collected_as_ever_and_the_alarm_waits(
    stage: Backstage, others: Others
) -> None:
    others.withholding.add("klinker")
    first, second = await put_on(stage), await put_on(stage, 2_000)
    cell = Cell(stage.house, is_owner=True)
    await cell.look()
    away = stage.new_ledger()
    away.refusal = "away"
    contributions = Contributions(cell, away)
    told = [await drawn(stage, each, contributions=contributions) for each in (first, second)]
    assert [verifier.withheld(each) for each in told] == [["klinker"]] * 2
    assert await stage.alarms() == []
    away.refusal = ""
    await contributions.look()
    assert {detail["on_sale"] for _, detail in await stage.alarms()} == {first.on_sale, second.on_sale}
    await away.close()
    await cell.close()


async def test_an_on_sale_names_other_houses_that_answer_each_once(stage: Backstage, others: Others) -> None:
    assert others
    for names in (("nobody",), ("klinker", "klinker"), tuple(f"h{n}" for n in range(9)), (stage.slug,)):
        with pytest.raises(BadInput):
            await stage.put_on(contributors=tuple(Contributor(name, "") for name in names))
    away = Neighbour(HouseSlug("away"), "Away", "http://127.0.0.1:9")
    stage.cell.house = msgspec.structs.replace(stage.house, neighbours=(away,))
    with pytest.raises(CellUnavailable):
        await stage.put_on(contributors=(Contributor("away", ""),))


async def test_a_manager_names_who_contributes(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        near = (await sale.get("/manage/neighbours", token=sale.manage_key)).json
        assert near == {"houses": [{"house": "zuid", "name": "House zuid"}]}
        show = f"show-{now_ms()}"
        made = {"performance": show, "hall": sale.hall, "title": "Show", "starts_at": "2031-06-01T20:00:00Z"}
        prices = {"Rang 1": {"full": 1}, "Rang 2": {"full": 1}}
        await sale.post("/manage/performances", made | {"prices": prices}, token=sale.manage_key)
        body = {"on_sale": show, "title": "Sale", "performances": [show]}
        body |= {"prequeue_at": "2031-01-01T00:00:00Z", "opens_at": "2031-01-02T00:00:00Z"}
        for wrong in ("noord", "nobody"):
            refused = await sale.post("/manage/on-sales", body | {"contributors": [wrong]}, token=sale.manage_key)
            assert (refused.status, refused.slug) == (422, "bad-input")
        answer = await sale.post("/manage/on-sales", body | {"contributors": ["zuid"]}, token=sale.manage_key)
        assert answer.status == 201, answer.json
        told = (await sale.get(f"/on-sales/{show}")).json["draw"]
        assert [each["house"] for each in told["contributors"]] == ["zuid"]
        assert told["rule"]["after_ms"] == 2_000
        opened = await sale.post(f"/manage/on-sales/{show}/open", {"reason": "none"}, token=sale.manage_key)
        assert (opened.status, opened.slug) == (409, "draw-has-contributors")
        assert opened.json["opens_at"] == "2031-01-02T00:00:00.000Z"
