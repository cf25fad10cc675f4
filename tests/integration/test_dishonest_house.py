"""A house that would like another draw: whoever contributes to it signs one list, and what was signed stands in it."""

import asyncio
import json
import re
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest

from engine import verifier
from engine.catalogue import Contributor
from engine.cli.draws import verify_draw
from engine.contributions import commitment_of
from engine.draw import encode
from engine.errors import BadInput
from engine.instants import now_ms, to_rfc3339
from engine.pass_keys import STATEMENT
from engine.signed import verify
from engine.signing import Signer
from engine.statements import ADDRESS_VARIABLE, Statement
from engine.words import HouseSlug, LineName, OnSaleId
from tests.backstage import until
from tests.sale import Answer, Sale
from tests.town import Town

ONE, OTHER = encode(b"1" * 32), encode(b"2" * 32)


class Dishonest:
    """The house noord, with its own keys and nothing else of the engine, as it asks zuid for its contribution."""

    def __init__(self, town: Town, neighbour: Sale) -> None:
        self.signer = Signer(HouseSlug("noord"), town.network.house("noord").secrets_path)
        self.neighbour = neighbour
        self.on_sale = OnSaleId(f"sale-{uuid.uuid4().hex[:8]}")
        self.planned_ms = now_ms() - 1_000

    def list_of(
        self,
        entrants: int,
        root: str,
        *,
        bound: str = "",
        on_sale: str = "",
        line: str = "public",
        planned_ms: int = 0,
    ) -> Statement:
        of = OnSaleId(on_sale) or self.on_sale, LineName(line), planned_ms or self.planned_ms
        return Statement(HouseSlug("noord"), *of, entrants, root, bound or ONE)

    @staticmethod
    def path(of: Statement) -> str:
        return f"/draw-contributions/{of.house}/{of.on_sale}/{of.line}/{of.planned_ms}"

    async def sign(self, told: Statement, signer: "Signer | None" = None) -> str:
        commitment = (await self.neighbour.get(self.path(told))).json["commitment"]
        return (signer or self.signer).sign_document(told.text("zuid", commitment), STATEMENT)

    async def ask(self, told: Statement, signature: str = "") -> Answer:
        """Asks for what zuid contributes, having signed the list, or with another signature."""
        body = {"entrants": told.entrants, "root": told.root, "bound": told.bound}
        body |= {"signature": signature or await self.sign(told)}
        return await self.neighbour.post(self.path(told) + "/reveal", body)

    async def until_said(self, of: Statement) -> None:
        """Until everybody is told that zuid signed it: what it says of that may be some seconds old."""

        async def is_said() -> bool:
            return "signed" in (await self.neighbour.get(self.path(of))).json

        await until(is_said, "it says what it signed")


async def statements(sale: Sale) -> int:
    """How many lists of noord's draws zuid has signed."""
    (row,) = await rows(sale, "SELECT count(*) FROM draw_statements")
    return int(row[0])


async def rows(sale: Sale, query: str) -> list[Any]:
    dsn = sale.town.network.house("zuid").postgres_dsn
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        cursor = await connection.execute(query.encode())
        return await cursor.fetchall() if cursor.description else []


async def test_a_house_signs_one_list_of_a_draw_and_says_so_when_asked_for_another(town: Town) -> None:
    async with await town.open_sale("zuid") as zuid:
        noord = Dishonest(town, zuid)
        first = await noord.ask(noord.list_of(7, ONE))
        assert first.status == 200, first.json
        of = HouseSlug("noord"), noord.on_sale, LineName("public"), noord.planned_ms
        await noord.until_said(noord.list_of(7, ONE))
        commitment = (await zuid.get(noord.path(noord.list_of(7, ONE)))).json
        assert commitment.pop("signed")["root"] == ONE
        assert commitment == {"commitment": commitment_of("zuid", *of, first.json["secret"])}
        keys = (await zuid.get("/.well-known/jwks.json")).json
        verify(noord.list_of(7, ONE).text("zuid", commitment["commitment"]), first.json["signature"], keys, STATEMENT)

        # Everybody may know that it did reveal, and for which list: a house that denies it is found out.
        said = (await zuid.get(noord.path(noord.list_of(7, ONE)))).json
        assert said.pop("signed").pop("at") > to_rfc3339(noord.planned_ms)
        assert said == commitment

        assert (await noord.ask(noord.list_of(7, ONE))).json == first.json
        for other in (noord.list_of(7, OTHER), noord.list_of(8, ONE), noord.list_of(7, ONE, bound=OTHER)):
            refused = await noord.ask(other)
            assert (refused.status, refused.slug) == (409, "root-changed")
            assert "secret" not in refused.json
        assert (await noord.ask(noord.list_of(7, ONE))).json == first.json

        # The same after whatever happened to the house that has signed.
        await asyncio.to_thread(town.stop_serving)
        town.serve()
        await town.until_ready()
        assert (await noord.ask(noord.list_of(7, OTHER))).slug == "root-changed"
        ((detail,),) = await rows(zuid, "SELECT detail FROM alarms WHERE kind = 'root-changed'")
        assert (detail["on_sale"], detail["first"], detail["then"]) == (
            noord.on_sale,
            f"7 {ONE} {ONE}",
            f"7 {OTHER} {ONE}",
        )
        await rows(zuid, "UPDATE alarms SET seen_at = now(), seen_by = 'a test'")


async def test_of_many_lists_told_at_once_one_is_signed(town: Town) -> None:
    async with await town.open_sale("zuid") as zuid:
        noord = Dishonest(town, zuid)
        asked = [noord.list_of(7, encode(bytes([number]) * 32)) for number in range(20)]
        answers = await asyncio.gather(*(noord.ask(each) for each in asked))
        assert sorted({each.status for each in answers}) == [200, 409]
        assert [each.status for each in answers].count(200) == 1
        await rows(zuid, "UPDATE alarms SET seen_at = now(), seen_by = 'a test'")


async def test_nobody_but_the_house_itself_can_use_up_its_one_list(town: Town) -> None:
    async with await town.open_sale("zuid") as zuid:
        noord, before = Dishonest(town, zuid), await statements(zuid)
        told = noord.list_of(7, ONE)
        stranger = Signer(HouseSlug("noord"), town.folder / f"stranger-{uuid.uuid4().hex[:6]}")
        another = await noord.sign(noord.list_of(7, ONE, on_sale="another"))
        signatures = [
            await noord.sign(told, stranger),
            another,  # of another on-sale, played back
            await noord.sign(noord.list_of(7, ONE, planned_ms=noord.planned_ms - 1)),
            await noord.sign(noord.list_of(7, ONE, line="friends")),
            await noord.sign(noord.list_of(8, ONE)),
            await noord.sign(noord.list_of(7, ONE, bound=OTHER)),
            noord.signer.sign_document(told.text("west", "x"), STATEMENT),  # for another contributor
            noord.signer.sign_document(told.text("zuid", ONE)),  # of another kind
            *("x", "..", "a.b.c", "é", "x" * 400),
        ]
        for signature in signatures:
            answer = await noord.ask(told, signature)
            assert (answer.status, answer.slug) == (401, "forged-token"), signature
        assert await statements(zuid) == before
        assert (await noord.ask(told)).status == 200
        assert await statements(zuid) == before + 1


async def test_nothing_is_revealed_before_the_planned_start_nor_a_month_after_and_to_no_stranger(town: Town) -> None:
    async with await town.open_sale("zuid") as zuid:
        noord = Dishonest(town, zuid)
        for planned_ms in (now_ms() + 10**6, now_ms() - 30 * 86_400_000):
            answer = await noord.ask(noord.list_of(7, ONE, planned_ms=planned_ms))
            assert (answer.status, answer.slug) == (409, "draw-not-due")
        held_up = noord.list_of(7, ONE, planned_ms=now_ms() - 29 * 86_400_000)
        assert (await noord.ask(held_up)).status == 200
        told = noord.list_of(7, ONE)
        assert (await zuid.get(noord.path(told))).json.keys() == {"commitment"}
        good = {"entrants": 7, "root": ONE, "bound": ONE, "signature": await noord.sign(told)}
        at = "/draw-contributions"
        for wrong in ("nobody/x/public/1", "zuid/x/public/1", "noord/x/public/x", "noord/x/public/0"):
            assert (await zuid.get(f"{at}/{wrong}")).slug == "not-found", wrong
            assert (await zuid.post(f"{at}/{wrong}/reveal", good)).slug == "not-found", wrong
        for wrong in (f"noord/x/public/{'9' * 30}", "noord/x/A%0Ab/1"):
            assert (await zuid.get(f"{at}/{wrong}")).slug == "not-found", wrong
        bad: list[dict[str, Any]] = [
            *({"entrants": each} for each in (-1, "7", 7.5, True, 10**12)),
            *({"root": each} for each in (ONE + "\n", ONE[:-1] + "\n", ONE[:-1] + " ", 7, "")),
            *({"bound": each} for each in (ONE + "\n", 7, "")),
            *({"signature": each} for each in (7, "x" * 401)),
            {"more": 1},
        ]
        for each in bad:
            answer = await zuid.post(noord.path(told) + "/reveal", good | each)
            assert (answer.status, answer.slug) in {(422, "bad-input"), (400, "bad-body")}, each
        assert (await noord.ask(told)).status == 200


async def test_two_houses_draw_and_a_list_that_was_changed_afterwards_shows(
    town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, town.url)
    file, before, keys = tmp_path / "draw.json", tmp_path / "before.json", tmp_path / "keys.json"
    other = tmp_path / "other.json"
    named = (Contributor("zuid", ""),)
    async with await town.open_sale("noord", opens_at_ms=now_ms() + 12_000, contributors=named) as sale:
        before.write_bytes((await sale.get(f"/on-sales/{sale.on_sale}/status")).body)
        for _ in range(3):
            await sale.join()

        async def is_drawn() -> bool:
            return "seed" in (await sale.status())["draw"]

        await until(is_drawn, "the draw is made", seconds=60)

        async def is_recorded() -> bool:
            answer = await sale.get(f"/on-sales/{sale.on_sale}/draw")
            file.write_bytes(answer.body)
            return answer.status == 200

        await until(is_recorded, "its transcript is there", seconds=60)
        at = f"{town.url}/v1/houses/{{}}/.well-known/jwks.json"
        keys.write_bytes((await sale.get(at.format("zuid"))).body)
        other.write_bytes((await sale.get(at.format("noord"))).body)

        async def code(name: Path = file, since: Path | None = before, where: object = keys) -> int:
            return await verify_draw(name, "", None, since, [f"zuid={where}"] if where else [])

        assert await code() == 0, capsys.readouterr()
        assert "not checked" not in capsys.readouterr().out
        assert await code(where=at.format("zuid")) == 0
        assert await code(where=None) == 0
        assert "Whether zuid signed this list is not checked" in capsys.readouterr().out
        told = json.loads(file.read_bytes())
        assert (verifier.withheld(told), len(told["secret_hashes"])) == ([], 3)

        # It knew the contribution, and tried lists until one suited it: all that it can make right is right.
        changed = tmp_path / "changed.json"
        another = told | {"secret_hashes": [told["secret_hashes"][0], encode(b"a" * 32), encode(b"b" * 32)]}
        another["root"] = verifier.root_of(another["secret_hashes"])
        another["seed"] = verifier.seed_of(another)
        changed.write_text(json.dumps(another))
        assert await code(changed, where=None) == 0
        capsys.readouterr()
        assert await code(changed) == 1
        assert "none of the keys of zuid signed this list" in capsys.readouterr().out
        # Another's keys prove nothing of zuid.
        assert await code(where=other) == 1

        # It says that zuid has revealed nothing: that shows.
        silent = told | {"contributors": [{name: told["contributors"][0][name] for name in ("house", "commitment")}]}
        silent["seed"] = verifier.seed_of(silent)
        changed.write_text(json.dumps(silent))
        assert await code(changed, where=None) == 0
        denied = capsys.readouterr().out
        assert "zuid did not reveal in time" in denied
        address = re.search(r"/v1/houses/zuid/draw-contributions/\S+", denied)
        assert address
        signed = (await sale.get(town.url + address[0])).json["signed"]
        assert (signed["entrants"], signed["root"]) == (3, told["root"])

        # It leaves zuid out altogether, or puts another commitment in its place.
        for contributors in ([], [{"house": "zuid", "commitment": ONE}]):
            alone = told | {"contributors": contributors}
            alone["seed"] = verifier.seed_of(alone)
            changed.write_text(json.dumps(alone))
            assert await code(changed, since=None, where=None) == 0
            assert await code(changed, where=None) == 1
            assert "what was promised is not what is: the contributors" in capsys.readouterr().out
        with pytest.raises(BadInput, match="has signed nothing in this file"):
            await code(changed)
        with pytest.raises(BadInput, match="saved after the draw"):
            await code(since=file)
        with pytest.raises(BadInput, match="holds no house's keys"):
            await code(where=__file__)
