"""When a sale is over everybody may read what became of it, signed; its house has the curve of every minute."""

import csv
import io
from typing import Any

import msgspec
import pytest

from engine import signed
from engine.cli import afterwards
from engine.instants import now_ms
from tests.backstage import until
from tests.sale import past
from tests.town import Sale, Town, small_plan

HEADER = ["minute", "joined", "called", "admitted", "missed", "orders"]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


async def until_counted(sale: Sale, **expected: int) -> list[dict[str, str]]:
    """The curve once its minutes sum up to that."""
    for _ in range(400):
        answer = await sale.get(f"/manage/on-sales/{sale.on_sale}/curve", token=sale.manage_key)
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.status == 200, answer.json
        rows = rows_of(answer.body.decode())
        if all(sum(int(row[name]) for row in rows) == count for name, count in expected.items()):
            return rows
        await past((await sale.status())["server_time"])
    raise AssertionError((expected, rows))


async def sells_its_only_seat(sale: Sale) -> list[dict[str, str]]:
    """Two wait for it, one of them gets it: the rows of the curve."""
    places = [await sale.join() for _ in range(2)]
    opened = await sale.post(f"/manage/on-sales/{sale.on_sale}/open", {"reason": "a test"}, token=sale.manage_key)
    assert opened.status == 200, opened.json
    token = await sale.pass_for(*places[0])
    held = await sale.hold(token, "zaal-A-1")
    assert (await sale.order(token, held.json["hold"])).status == 202
    await sale.until_status(phase="sold_out")
    await sale.until_drained()
    return await until_counted(sale, joined=2, admitted=1, orders=1)


async def test_how_many_were_in_the_draw_and_when_all_was_sold_is_told(town: Town) -> None:
    plan, later = small_plan(rows=1, seats=1, standing=0), now_ms() + 3_600_000
    async with await town.open_sale("noord", plan=plan, opens_at_ms=later, pass_seconds=600) as sale:
        rows = await sells_its_only_seat(sale)
        assert all(any(row[name] != "0" for name in HEADER[1:]) for row in rows), "minutes that brought nothing"
        told: dict[str, Any] = {}

        async def is_told() -> bool:
            nonlocal told
            told = (await sale.get(f"/on-sales/{sale.on_sale}/summary")).json
            return bool(told.get("sold_out_at"))

        await until(is_told, "when all was sold")
        assert (told["phase"], told["entrants"], told["joined"]) == ("sold_out", 2, 2)
        assert told["sold_out_at"] >= told["opened_at"]
        assert told["closed_at"] is None


async def test_a_sale_that_is_over_is_summed_up_for_everybody(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    async with await town.open_sale("noord", pass_seconds=600) as sale:
        early = await sale.get(f"/on-sales/{sale.on_sale}/summary")
        assert (early.status, early.slug) == (409, "not-over")
        for _ in range(3):
            token = await sale.enter()
        (seat,) = sale.unused(1)
        held = await sale.hold(token, seat)
        assert (await sale.order(token, held.json["hold"])).status == 202
        await sale.join()
        await until_counted(sale, joined=4, admitted=3, orders=1)
        body = {"reason": "a test"}
        closed = await sale.post(f"/manage/on-sales/{sale.on_sale}/close", body, token=sale.manage_key)
        assert closed.status == 200, closed.json
        rows = await until_counted(sale, joined=4, admitted=3, orders=1)
        assert list(rows[0]) == HEADER
        await sale.until_drained()
        found = await sale.get(f"/on-sales/{sale.on_sale}/summary")
        assert found.status == 200, found.json
        told = found.json
        assert (told["phase"], told["joined"], told["admitted"], told["orders"]) == ("closed", 4, 3, 1)
        assert (told["missed"], told["overshoot"], told["lost"]) == (told["called"] - 3, 0, [])
        assert told["closed_at"] > told["opened_at"]
        assert told["sold_out_at"] is None
        assert told["wait"]["measured"] == 3
        assert 0 < told["wait"]["p50_seconds"] <= told["wait"]["p95_seconds"] <= 60
        keys = (await sale.get("/.well-known/jwks.json")).json
        signed.verify(found.body, found.headers["Parvis-Signature"], keys)
        again = await sale.get(f"/on-sales/{sale.on_sale}/summary", headers={"If-None-Match": found.headers["ETag"]})
        assert again.status == 304
        capsys.readouterr()
        await afterwards.print_summary(town.network_file, "noord", sale.on_sale)
        assert msgspec.json.decode(capsys.readouterr().out) == told
        await afterwards.print_curve(town.network_file, "noord", sale.on_sale)
        assert rows_of(capsys.readouterr().out) == rows
