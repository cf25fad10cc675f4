"""What could not be recorded is kept, can be looked at without its customer, and is recorded after all, once."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import tomli_w

from engine import orders
from engine.audit import audit
from engine.entries import Action, encode_action, encode_order
from engine.errors import BadInput, LedgerUnavailable, Refused
from engine.ledger.dead_letters import dead_letter, dead_letters, requeue
from engine.ledger.ledger import Ledger
from engine.sealing import PRIVATE_FILE, PUBLIC_FILE, Opener
from engine.words import OrderId
from engine.writer import Writer
from tests.backstage import Backstage, until
from tests.faults.postgres_proxy import behind_proxy
from tests.integration.commands import Parvis, Said
from tests.integration.test_writer import POISON, check_at_rest, make_order, put

WHO, WHY = "an operator", "the rule is gone"


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


@pytest.fixture
def at(stage: Backstage, tmp_path: Path) -> list[str]:
    """Where the house is, for a command."""
    house = stage.house
    described = {
        name: getattr(house, name) for name in ("slug", "name", "redis_url", "redis_owner_url", "postgres_dsn")
    }
    described |= {"operator_contact": "ops@example.org", "secrets_path": str(house.secrets_path)}
    described |= {"policy": {"fees": "none", "refunds": "none", "delivery": "none"}}
    (tmp_path / "network.toml").write_text(tomli_w.dumps({"name": "Test", "houses": [described]}))
    return ["--network", str(tmp_path / "network.toml"), "--house", house.slug]


@asynccontextmanager
async def refusing(stage: Backstage, rule: str = "owner <> 'key:staff'", table: str = "orders") -> AsyncIterator[None]:
    """A ledger that will not have it: what an older release knows no better than to bury, say."""
    await stage.do(f"ALTER TABLE {table} ADD CONSTRAINT ours CHECK ({rule}) NOT VALID")
    try:
        yield
    finally:
        await stage.do(f"ALTER TABLE {table} DROP CONSTRAINT ours")


async def bury_a_sale(stage: Backstage) -> tuple[OrderId, str]:
    """An order of two seats that Redis confirmed and the ledger would not have, and its entry."""
    on_sale = await stage.put_on()
    order = await stage.sell(on_sale, "zaal-A-1", "zaal-A-2")
    async with refusing(stage):
        await stage.drain()
    ((entry,),) = await stage.rows("SELECT entry FROM dead_letters")
    return order, entry


async def requeue_(stage: Backstage, entry: str, ledger: Ledger | None = None) -> bool:
    return await requeue(ledger or stage.ledger, entry, stage.opener, who=WHO, why=WHY)


async def check_recorded_once(stage: Backstage, order: OrderId, entry: str) -> None:
    assert await stage.rows("SELECT order_id::text, state, entry, email FROM orders") == [
        (order, "recorded", entry, "visitor@example.org")
    ]
    assert await stage.value("SELECT count(*) FROM order_items WHERE live") == 2
    assert await stage.rows("SELECT who, why FROM actions WHERE what = 'requeue dead letter'") == [(WHO, WHY)]
    assert (await audit(stage.cell, stage.ledger)).faults == ()
    await check_at_rest(stage)


async def test_once_its_cause_is_mended_it_is_recorded_as_if_nothing_had_been(stage: Backstage) -> None:
    order, entry = await bury_a_sale(stage)
    before = await audit(stage.cell, stage.ledger)
    assert any(entry in fault for fault in before.faults)
    assert (before.orders_confirmed, before.orders_recorded, before.dead_letters) == (1, 0, 1)
    assert await requeue_(stage, entry)
    await check_recorded_once(stage, order, entry)
    assert await dead_letters(stage.ledger) == []
    (kept,) = await dead_letters(stage.ledger, with_requeued=True)
    assert kept.requeued_at
    known = kept.order()
    assert known is not None
    assert (known.order, known.customer) == (order, None)  # there is one place to erase a customer from
    found = await orders.find(stage.cell, order)
    assert found is not None
    assert found.state == "recorded"


async def test_a_repeat_and_a_hundred_at_once_record_it_once(stage: Backstage) -> None:
    order, entry = await bury_a_sale(stage)
    ledger = Ledger(stage.house.postgres_dsn, pool=20, timeout_ms=20_000)
    did = await asyncio.gather(*(requeue_(stage, entry, ledger) for _ in range(100)))
    assert sorted(did) == [False] * 99 + [True]
    assert not await requeue_(stage, entry)
    await ledger.close()
    await check_recorded_once(stage, order, entry)


@pytest.mark.parametrize(("fault", "is_done"), [("reset_share", False), ("cut_after_request_share", True)])
async def test_whoever_dies_at_the_commit_has_done_all_of_it_or_nothing(
    stage: Backstage, tmp_path: Path, fault: str, is_done: bool
) -> None:
    order, entry = await bury_a_sale(stage)
    async with behind_proxy(stage.house.postgres_dsn) as (dsn, proxy):
        ledger = Ledger(dsn, pool=4, timeout_ms=5_000)
        await ledger.position()
        proxy.only = b"COMMIT"
        setattr(proxy, fault, 1.0)
        with pytest.raises(LedgerUnavailable):
            await requeue_(stage, entry, ledger)
        assert sum(proxy.bitten.values()) == 1
        proxy.calm()
        # It waits for the session that was cut, if that has not ended yet.
        assert await requeue_(stage, entry, ledger) is not is_done
        await ledger.close()
    await check_recorded_once(stage, order, entry)


async def test_what_is_still_poison_stays_and_says_why(stage: Backstage) -> None:
    order, entry = await bury_a_sale(stage)
    async with refusing(stage):
        with pytest.raises(Refused, match=r"cannot be recorded: .*ours"):
            await requeue_(stage, entry)
    assert [each.entry for each in await dead_letters(stage.ledger)] == [entry]
    assert await stage.rows("SELECT * FROM orders") == []
    assert await stage.value("SELECT count(*) FROM actions WHERE what LIKE 'requeue%'") == 0
    assert await requeue_(stage, entry)
    await check_recorded_once(stage, order, entry)


@pytest.mark.parametrize("what", POISON)
async def test_every_kind_of_poison_stays_a_dead_letter(stage: Backstage, what: str) -> None:
    entry = stage.put_entry(**POISON[what])
    await stage.drain()
    before = await dead_letter(stage.ledger, entry)
    with pytest.raises(Refused) as refusal:
        await requeue_(stage, entry)
    assert refusal.value.slug == "still-poison"
    after = await dead_letter(stage.ledger, entry)
    assert (after.fields, after.why, after.requeued_at) == (before.fields, before.why, None)
    for table in ("orders", "order_items", "entrants", "actions", "refund_requests", "awaited_orders"):
        assert await stage.value(f"SELECT count(*) FROM {table}") == 0, table


async def test_there_is_no_dead_letter_of_another_name(stage: Backstage) -> None:
    with pytest.raises(BadInput, match="no dead letter '1-1'"):
        await requeue_(stage, "1-1")


async def test_joins_actions_and_conflicts_are_recorded_after_all_too(stage: Backstage) -> None:
    stage.put_entry(kind="join", on_sale="sale", line="public", index=3, secret_hash="x")
    action = Action(who="w", what="pause", subject="s", why="tea", at_ms=1)
    stage.put_entry(kind="action", data=encode_action(action))
    late = make_order("A-1")
    put(stage, late, kind="conflict")
    for table in ("entrants", "actions", "orders"):
        await stage.do(f"ALTER TABLE {table} ADD CONSTRAINT none CHECK (false) NOT VALID")
    await stage.drain()
    for table in ("entrants", "actions", "orders"):
        await stage.do(f"ALTER TABLE {table} DROP CONSTRAINT none")
    letters = await dead_letters(stage.ledger)
    assert [each.kind for each in letters] == ["join", "action", "conflict"]
    for each in letters:
        assert await requeue_(stage, each.entry)
    assert await stage.rows("SELECT index, secret_hash FROM entrants") == [(3, "x")]
    assert await stage.rows("SELECT why, entry FROM actions WHERE what = 'pause'") == [("tea", letters[1].entry)]
    assert await stage.rows("SELECT order_id::text, state FROM orders") == [(late.order, "conflicted")]
    assert await stage.value("SELECT count(*) FROM refund_requests") == 1


async def test_an_order_whose_seat_was_sold_meanwhile_is_conflicted_with_one_refund(stage: Backstage) -> None:
    first, second = make_order("A-1", owner="refused"), make_order("A-1")
    async with refusing(stage, "owner <> 'refused'"):
        (entry,) = put(stage, first)
        await stage.drain()
    put(stage, second)
    await stage.drain()
    assert await requeue_(stage, entry)
    assert dict(await stage.rows("SELECT order_id::text, state FROM orders")) == {
        first.order: "conflicted",
        second.order: "recorded",
    }
    assert await stage.rows("SELECT order_id::text FROM refund_requests") == [(first.order,)]


async def test_a_letter_waits_for_a_writer_that_is_in_the_middle_of_a_batch(stage: Backstage) -> None:
    """What is looked at before it is recorded stays so."""
    order, entry = await bury_a_sale(stage)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    async def is_waiting() -> bool:
        return bool(await stage.value(waiting))

    async with stage.ledger.connection() as writer, writer.transaction():
        await writer.execute("UPDATE cursor SET entry = entry")
        work = asyncio.create_task(requeue_(stage, entry))
        await until(is_waiting, "the letter waits")
    assert await work
    await check_recorded_once(stage, order, entry)


async def test_letters_and_the_writer_at_once_get_every_seat_sold_once(stage: Backstage) -> None:
    """Twenty seats, each sold to a buried order and to a fresh one: nothing is buried for being a moment late."""
    buried = [make_order(f"A-{number}", owner="refused") for number in range(20)]
    async with refusing(stage, "owner <> 'refused'"):
        entries = put(stage, *buried)
        await stage.drain()
    fresh = [make_order(f"A-{number}") for number in range(20)]
    ledger = stage.new_ledger()

    async def requeue_all() -> None:
        for entry in entries:
            assert await requeue_(stage, entry, ledger)

    async with stage.running(stage.new_writer(batch=2)):
        work = asyncio.create_task(requeue_all())
        for order in fresh:
            put(stage, order)
            await asyncio.sleep(0)
        await work
    await ledger.close()
    await stage.drain()
    assert await dead_letters(stage.ledger) == []
    live = await stage.rows("SELECT seat, count(*) FROM order_items WHERE live GROUP BY seat")
    assert sorted(live) == sorted((f"A-{number}", 1) for number in range(20))
    assert await stage.value("SELECT count(*) FROM orders") == 40
    assert await stage.value("SELECT count(*) FROM refund_requests") == 20


async def test_a_customer_sealed_to_a_key_that_was_put_back_is_opened(stage: Backstage) -> None:
    folder = stage.house.secrets_path
    kept = {name: (folder / name).read_bytes() for name in (PRIVATE_FILE, PUBLIC_FILE)}
    on_sale = await stage.put_on()
    order = await stage.sell(on_sale, "zaal-A-1", "zaal-A-2")
    for name in kept:
        (folder / name).unlink()
    stranger = Opener(stage.cell.signer, folder)
    await Writer(stage.owner, stage.keys, stage.ledger, 100, stranger).drain()
    (letter,) = await dead_letters(stage.ledger)
    with pytest.raises(Refused, match="cannot be read"):
        await requeue(stage.ledger, letter.entry, stranger, who=WHO, why=WHY)
    for name, content in kept.items():
        (folder / name).write_bytes(content)
    assert await requeue_(stage, letter.entry)
    await check_recorded_once(stage, order, letter.entry)


# -- from a shell


async def test_the_commands_list_show_and_requeue(
    stage: Backstage, at: list[str], parvis: Parvis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    async def said(*words: str, code: int = 0) -> str:
        answer = await asyncio.to_thread(parvis, "dead-letter", *words, *at)
        assert answer.code == code, answer
        return answer.words

    assert "there is no dead letter" in await said("list")
    order, entry = await bury_a_sale(stage)
    garbage = stage.put_entry(kind="order", data=encode_order(make_order("Z-1"))[:-9])
    await stage.drain()
    listed = await said("list")
    assert entry in listed
    assert garbage in listed
    assert re.search(rf"{entry}\s+(now|\d+ s)\s+order\s.*ours", listed.replace("│", " "))
    told = msgspec.json.decode((await asyncio.to_thread(parvis, "dead-letter", "list", "--json", *at)).out)
    assert [(each["entry"], each["kind"]) for each in told] == [(entry, "order"), (garbage, "order")]

    shown = await said("show", entry)
    for part in (order, "zaal-A-1", "zaal-A-2", "4200 EUR", "demo yes-", "customer: not shown"):
        assert part in shown
    for each in (entry, garbage):
        assert_no_customer(await said("show", each))
    assert_no_customer(listed + str(await stage.alarms()) + str((await audit(stage.cell, stage.ledger)).faults))
    assert "--reason" in await said("show", entry, "--customer", code=2)
    assert "visitor@example.org" in await said("show", entry, "--customer", "--reason", "she wrote to us")
    assert make_order("x").customer is not None
    assert b"visitor".hex() in await said("show", garbage, "--customer", "--reason", "who is it?")
    logged = await stage.rows("SELECT subject, why FROM actions WHERE what = 'read dead letter' ORDER BY id")
    assert logged == [(entry, "she wrote to us"), (garbage, "who is it?")]

    assert "no dead letter" in await said("show", "7-7", code=2)
    assert "cannot be read" in await said("requeue", garbage, "--reason", "try", code=2)
    assert "--reason" in await said("requeue", entry, "--reason", " ", code=2)
    assert f"{entry} is recorded" in await said("requeue", entry, "--reason", WHY)
    assert f"{entry} was recorded before" in await said("requeue", entry, "--reason", WHY)
    assert entry not in await said("list")
    assert "recorded after all" in await said("list", "--all")
    ((who, why),) = await stage.rows("SELECT who, why FROM actions WHERE what = 'requeue dead letter'")
    assert (who.startswith("shell: "), why) == (True, WHY)


def assert_no_customer(text: str) -> None:
    for part in ("visitor@example.org", "A Visitor", b"visitor".hex(), b"A Visitor".hex()):
        assert part not in text


async def test_an_order_is_refunded_from_a_shell(stage: Backstage, at: list[str], parvis: Parvis) -> None:
    on_sale = await stage.put_on()
    order = await stage.sell(on_sale, "zaal-A-1")
    await stage.drain()
    answer = await asyncio.to_thread(parvis, "order", "refund", order, "--reason", "the singer is ill", *at)
    assert (answer.code, "21.00 EUR" in answer.words) == (0, True)
    again = await asyncio.to_thread(parvis, "order", "refund", order, "--reason", "again", *at)
    assert (again.code, "refunded before" in again.words) == (2, True)
    await stage.drain()
    assert await stage.rows("SELECT state FROM orders") == [("refunded",)]


async def test_some_of_an_order_is_refunded_from_a_shell_and_then_the_rest(
    stage: Backstage, at: list[str], parvis: Parvis
) -> None:
    on_sale = await stage.put_on()
    order = await stage.sell(on_sale, "zaal-A-1", "zaal-A-2", "zaal-A-3")
    await stage.drain()

    async def refund(*items: str) -> Said:
        named = [word for item in items for word in ("--item", item)]
        said = await asyncio.to_thread(parvis, "order", "refund", order, *named, "--reason", "ill", *at)
        await stage.drain()
        return said

    some = await refund("0", "2")
    assert (some.code, "stays valid; returned: 2 places; left: 1 place, 21.00 EUR" in some.words) == (0, True)
    assert await stage.sold(on_sale) == {"zaal-A-2"}
    for items, words in ((["2"], "refunded before"), (["1", "2"], "refunded before"), (["3"], "the items 0 to 2")):
        refused = await refund(*items)
        assert (refused.code, words in refused.words) == (2, True)
    rest = await refund("1")
    assert (rest.code, "is returned: 3 places, 63.00 EUR" in rest.words) == (0, True)
    assert await stage.rows("SELECT state FROM orders") == [("refunded",)]
    assert await stage.rows("SELECT amount FROM refund_requests ORDER BY id") == [(4200,), (2100,)]


async def test_an_order_is_exchanged_from_a_shell(stage: Backstage, at: list[str], parvis: Parvis) -> None:
    on_sale = await stage.put_on()
    order = await stage.sell(on_sale, "zaal-A-1", "zaal-A-2")
    await stage.drain()

    async def exchange(*seats: str, more: tuple[str, ...] = ()) -> Said:
        named = [word for seat in seats for word in ("--seat", seat)]
        words = ("order", "exchange", order, "--performance", on_sale.performances[0], *named, *more)
        said = await asyncio.to_thread(parvis, *words, "--reason", "another row", *at)
        await stage.drain()
        return said

    dearer = await exchange("zaal-B-1", "zaal-B-2", more=("--item", "0"))
    assert (dearer.code, "costs 21.00 EUR more" in dearer.words) == (2, True)
    gone = await exchange("zaal-A-2", more=("--item", "0"))
    assert (gone.code, "a moment sooner" in gone.words) == (2, True)
    assert await stage.sold(on_sale) == {"zaal-A-1", "zaal-A-2"}
    paid = await exchange("zaal-B-1", "zaal-B-2", more=("--item", "0", "--paid", "cash"))
    assert (paid.code, "2 places; 21.00 EUR was paid" in paid.words) == (0, True)
    assert await stage.sold(on_sale) == {"zaal-A-2", "zaal-B-1", "zaal-B-2"}
    assert (await audit(stage.cell, stage.ledger)).faults == ()
