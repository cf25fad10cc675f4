"""What a house's own programs are told of its sales: by a real sender, to real receivers over TLS."""

import asyncio
import contextlib
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from engine.destinations import Gate
from engine.entries import Payment, decode_order, encode_order
from engine.errors import BadInput, Refused
from engine.instants import now_ms
from engine.ledger import webhooks
from engine.ledger.counts import count
from engine.ledger.customers import By
from engine.ledger.deliveries import lease, ready
from engine.ledger.retention import forget_webhooks
from engine.ledger.telling import known_openings, tell
from engine.ledger.webhooks import Delivery, Endpoint
from engine.network import House
from engine.ports import free_port
from engine.returns import give_back
from engine.sender import Sender
from engine.webhooks import RETRY_SECONDS, TYPES, of_opening, secret_of
from engine.words import OrderId
from tests.backstage import BY, Backstage, Theatre, until
from tests.certificates import make_certificate
from tests.receiver import ADDRESS, Receiver, trust
from tests.town import small_plan

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls") / "receiver.pem")


@pytest.fixture
async def receiver(certificate: Path) -> AsyncIterator[Receiver]:
    async with Receiver(certificate) as running:
        yield running


def by() -> By:
    return By(who="test", why="a test", operation=uuid.uuid4().hex)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead_ms


class Told:
    """A house with its sender and its clock."""

    def __init__(self, stage: Backstage, certificate: Path, **limits: int) -> None:
        self.stage, self.clock = stage, Clock()
        changed = {"webhook_timeout_ms": 2_000} | limits
        self.house: House = msgspec.structs.replace(
            stage.house, webhooks_to=(ADDRESS,), limits=msgspec.structs.replace(stage.house.limits, **changed)
        )
        self.certificate = certificate
        self.ledger = stage.ledger

    def sender(self, **changed: Any) -> Sender:
        options: dict[str, Any] = {"context": trust(self.certificate), "clock": self.clock, "draw": lambda: 0.5}
        return Sender(self.house, self.stage.cell.signer, **(options | changed))

    async def endpoint(self, receiver: Receiver, path: str = "/hook", *types: str, url: str = "") -> Endpoint:
        """Registers one, and lets its receiver know the secret."""
        name = f"wh-{uuid.uuid4().hex[:12]}"
        made = await webhooks.create(
            self.ledger,
            name,
            url or receiver.url(path),
            types or tuple(TYPES),
            "A test",
            self.house.limits.webhooks,
            by(),
        )
        receiver.secrets[path] = secret_of(self.stage.cell.signer, name, made.secrets[0])
        return made

    async def happen(self, *on_sales: str) -> None:
        """Something to be told, for each name."""
        async with self.ledger.connection() as connection:
            await tell(connection, [of_opening(name, now_ms()) for name in on_sales])

    async def deliveries(self, endpoint: Endpoint) -> dict[str, Delivery]:
        found = await webhooks.deliveries(self.ledger, endpoint.webhook, 1_000)
        return {each.subject: each for each in found}

    async def round(self, sender: Sender) -> None:
        """Sends what is due by the clock, once."""
        async with sender._gate.session(2, sender._context) as session:
            for lane in await ready(self.ledger, self.clock()):
                await sender.send_due(session, lane)

    async def until_still(self, sender: Sender) -> None:
        """Rounds until nothing is due any more."""
        async with sender._gate.session(2, sender._context) as session:
            for _ in range(100):
                lanes = await ready(self.ledger, self.clock())
                if not lanes:
                    return
                for lane in lanes:
                    await sender.send_due(session, lane)
        raise AssertionError("there is always something due")


@pytest.fixture
def told(stage: Backstage, certificate: Path) -> Told:
    return Told(stage, certificate)


async def test_a_sale_played_whole_is_told_once_each(told: Told, receiver: Receiver) -> None:
    stage = told.stage
    await stage.open()
    await told.endpoint(receiver)
    async with stage.running(stage.keeper, stage.new_writer(), told.sender()):
        on_sale = await stage.put_on(plan=small_plan(rows=2, seats=3, standing=0), opens_at_ms=now_ms() + 300)
        await receiver.until(1)
        await stage.tell(on_sale, "pause")
        await stage.tell(on_sale, "resume")
        await receiver.until(3)
        first = await stage.sell(on_sale, "zaal-A-1", "zaal-A-2")
        await receiver.until(5)
        await give_back(stage.cell, stage.ledger, first, BY, "a-return")
        await receiver.until(6)
        orders = [await stage.sell(on_sale, *(f"zaal-{row}-{number}" for number in (1, 2, 3))) for row in "AB"]
        await receiver.until(11)
        await asyncio.sleep(1.2)  # whoever would tell something twice has had the time
    assert all(each.is_right for each in receiver.received)
    happened = [(each.type, each.says["data"].get("order", "")) for each in receiver.received]
    about = {"on_sale": on_sale.on_sale}
    assert sorted(happened) == sorted(
        [
            *((f"on_sale.{word}", "") for word in ("opened", "paused", "resumed", "sold_out")),
            *((f"order.{word}", order) for order in (first, *orders) for word in ("confirmed", "recorded")),
            ("order.refunded", first),
        ]
    )
    assert happened[0] == ("on_sale.opened", "")
    for order in (first, *orders):
        own = [kind for kind, name in happened if name == order]
        assert own == ["order.confirmed", "order.recorded", "order.refunded"][: len(own)]
    for each in receiver.received:
        said = each.says
        assert about.items() <= said["data"].items()
        assert set(said["data"]) <= {"on_sale", "order"}
        assert b"visitor" not in each.body.lower()
    assert len({each.event for each in receiver.received}) == len(receiver.received)
    assert {each.headers["content-type"] for each in receiver.received} == {"application/json"}


async def test_each_part_of_an_order_that_is_returned_is_told_and_last_that_nothing_is_left(
    told: Told, receiver: Receiver
) -> None:
    stage = told.stage
    await stage.open()
    await told.endpoint(receiver, "/hook", "order.partly_refunded", "order.refunded")
    on_sale = await stage.put_on()
    order = await stage.sell(on_sale, "zaal-A-1", "zaal-A-2", "zaal-A-3")
    await stage.drain()
    for items in ((0,), (2,)):
        await give_back(stage.cell, stage.ledger, order, BY, f"part {items}", items=items)
        await give_back(stage.cell, stage.ledger, order, BY, f"part {items}", items=items)
    await stage.drain()
    await give_back(stage.cell, stage.ledger, order, BY, "the rest")
    await stage.drain()
    await told.until_still(told.sender())
    came = [(each.type, each.says["data"]) for each in receiver.received]
    assert [kind for kind, _ in came] == ["order.partly_refunded", "order.partly_refunded", "order.refunded"]
    assert [data for _, data in came] == [{"order": order, "on_sale": on_sale.on_sale}] * 3
    assert len({each.event for each in receiver.received}) == 3


async def test_what_is_recorded_again_is_not_told_again(told: Told, receiver: Receiver) -> None:
    """A writer that died before its trim, and one that replays, meet the same entries."""
    stage = told.stage
    await stage.open()
    endpoint = await told.endpoint(receiver)
    on_sale = await stage.put_on()
    order = await stage.sell(on_sale, "zaal-A-1")
    entries: Any = stage.redis.xrange(stage.keys.outbox)
    await stage.drain()
    before = await stage.rows("SELECT event, number FROM webhook_deliveries ORDER BY number")
    for _, fields in entries:
        stage.redis.xadd(stage.keys.outbox, fields)
    other = await stage.sell(on_sale, "zaal-A-3")
    await stage.drain()
    after = await stage.rows("SELECT event, number FROM webhook_deliveries ORDER BY number")
    assert after[:2] == before
    assert [event for event, _ in after] == [
        f"order-{word}-{name}" for name in (order, other) for word in ("confirmed", "recorded")
    ]
    assert len(await webhooks.deliveries(told.ledger, endpoint.webhook, 10)) == 4


class Died(Exception):
    """A writer ends here."""


@pytest.mark.parametrize(("point", "before"), [("in_batch", 0), ("before_commit", 0), ("after_commit", 2)])
async def test_what_is_told_is_written_with_what_it_tells_of_or_not_at_all(
    told: Told, receiver: Receiver, point: str, before: int
) -> None:
    stage = told.stage
    await stage.open()
    await told.endpoint(receiver)
    await stage.sell(await stage.put_on(), "zaal-A-1")

    def at(reached: str) -> None:
        if reached == point:
            raise Died

    with pytest.raises(Died):
        await stage.new_writer(at_point=at).drain()
    told_of = "SELECT count(*) FROM webhook_deliveries"
    assert await stage.value(told_of) == before
    assert await stage.value("SELECT count(*) FROM orders") == before // 2
    await stage.drain()
    assert await stage.value(told_of) == 2


async def test_what_cannot_be_told_is_recorded_all_the_same(told: Told, receiver: Receiver) -> None:
    stage = told.stage
    await stage.open()
    await told.endpoint(receiver)
    await stage.do("ALTER TABLE webhook_deliveries ADD CHECK (type <> 'order.recorded')")
    await stage.sell(await stage.put_on(), "zaal-A-1")
    writer = await stage.drain()
    assert writer.buried == 0
    assert await stage.value("SELECT state FROM orders") == "recorded"
    assert await stage.value("SELECT count(*) FROM webhook_deliveries") == 0


async def test_an_order_that_turns_out_to_be_anothers_is_confirmed_and_never_recorded(
    told: Told, receiver: Receiver
) -> None:
    stage = told.stage
    await stage.open()
    await told.endpoint(receiver)
    on_sale = await stage.put_on()
    first = await stage.sell(on_sale, "zaal-A-1")
    entries: Any = stage.redis.xrange(stage.keys.outbox)
    fields = next(fields for _, fields in entries if fields[b"kind"] == b"order")
    second = OrderId(str(uuid.uuid4()))
    payment = Payment(provider="demo", reference="yes-second")
    order = msgspec.structs.replace(decode_order(fields[b"data"]), order=second, customer=None, payment=payment)
    stage.put_entry(kind="order", data=encode_order(order))
    third = msgspec.structs.replace(order, order=OrderId(str(uuid.uuid4())))
    stage.put_entry(kind="conflict", data=encode_order(third))
    await stage.drain()
    assert [kind for kind, _ in await stage.alarms()][:1] == ["live-seat"]
    events = await stage.rows("SELECT event FROM webhook_deliveries ORDER BY number")
    assert events == [(f"order-confirmed-{first}",), (f"order-recorded-{first}",), (f"order-confirmed-{second}",)]


async def test_only_what_an_endpoint_asked_for_is_told_there(told: Told, receiver: Receiver) -> None:
    stage = told.stage
    await stage.open()
    await told.endpoint(receiver, "/sales", "on_sale.paused")
    await told.endpoint(receiver, "/orders", "order.recorded", "order.refunded")
    off = await told.endpoint(receiver, "/off", "on_sale.paused", "order.recorded")
    await webhooks.disable(told.ledger, off.webhook, by())
    on_sale = await stage.put_on()
    await stage.tell(on_sale, "pause")
    await stage.tell(on_sale, "resume")
    await stage.sell(on_sale, "zaal-A-1")
    await stage.drain()
    await told.until_still(told.sender())
    assert receiver.types("/sales") == ["on_sale.paused"]
    assert receiver.types("/orders") == ["order.recorded"]
    # What happened while it was disabled is not told there later.
    await webhooks.enable(told.ledger, off.webhook, by())
    await told.until_still(told.sender())
    assert receiver.types("/off") == []


async def test_a_failed_event_comes_again_under_the_same_id_until_it_is_taken(told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver)
    await told.happen("a-sale")
    sender, statuses = told.sender(), [500, 404, 302, 503, 429, 200]
    receiver.answer = lambda _: statuses[len(receiver.received) - 1]
    for attempt, status in enumerate(statuses, start=1):
        await told.round(sender)
        assert len(receiver.received) == attempt, "not sooner than its time, and then at once"
        await told.round(sender)
        found = (await told.deliveries(endpoint))["a-sale"]
        assert (found.attempts, found.status) == (attempt, status)
        assert found.state == ("delivered" if status == 200 else "waiting")
        told.clock.ahead_ms += (RETRY_SECONDS[attempt - 1] + 1) * 1_000
    assert {each.event for each in receiver.received} == {"on-sale-opened-a-sale"}
    assert len({each.body for each in receiver.received}) == 1
    # Signed anew each time: a receiver refuses what was signed long ago, or far ahead of its own clock.
    stamps = [int(each.headers["webhook-timestamp"]) for each in receiver.received]
    assert stamps == sorted(set(stamps))
    await told.until_still(sender)
    assert len(receiver.received) == len(statuses)


async def test_a_redirect_is_not_followed(told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver)
    await told.happen("a-sale")
    receiver.answer = lambda _: web.Response(status=307, headers={"Location": receiver.url("/elsewhere")})
    await told.round(told.sender())
    assert [each.path for each in receiver.received] == ["/hook"]
    found = (await told.deliveries(endpoint))["a-sale"]
    assert (found.state, found.status, found.error) == ("waiting", 307, "it answered 307")


@pytest.mark.parametrize("status", [429, 503])
async def test_who_asks_for_time_is_left_alone_for_so_long(told: Told, receiver: Receiver, status: int) -> None:
    await told.endpoint(receiver)
    sender = told.sender()
    receiver.answer = lambda _: web.Response(status=status, headers={"Retry-After": "3600"})
    await told.happen("one")
    await told.round(sender)
    await told.happen("two")
    told.clock.ahead_ms = 3_590_000
    await told.round(sender)
    assert len(receiver.received) == 1
    told.clock.ahead_ms = 3_601_000
    receiver.answer = lambda _: 204
    await told.until_still(sender)
    assert len(receiver.received) == 3


async def test_an_endpoint_that_is_gone_is_disabled_at_once_with_an_alarm(told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver)
    await told.happen("a-sale")
    receiver.answer = lambda _: 410
    await told.round(told.sender())
    found = await webhooks.find_webhook(told.ledger, endpoint.webhook)
    assert found.disabled_at is not None
    assert "410" in found.disabled_why
    assert (await told.deliveries(endpoint))["a-sale"].state == "given_up"
    assert [(kind, detail["webhook"]) for kind, detail in await told.stage.alarms()] == [
        ("webhook-disabled", endpoint.webhook)
    ]
    logged = await told.stage.rows("SELECT who, what, subject FROM actions ORDER BY id DESC LIMIT 1")
    assert logged == [("parvis", "disable webhook", endpoint.webhook)]
    await told.happen("another")
    told.clock.ahead_ms = DAY_MS
    await told.round(told.sender())
    assert len(receiver.received) == 1


async def test_an_endpoint_that_took_nothing_for_days_is_disabled_with_one_alarm(
    told: Told, receiver: Receiver
) -> None:
    endpoint = await told.endpoint(receiver)
    await told.happen("one", "two")
    sender, tried = told.sender(), 0
    receiver.answer = lambda _: 500
    while (await webhooks.find_webhook(told.ledger, endpoint.webhook)).disabled_at is None:
        await told.round(sender)
        tried += 1
        told.clock.ahead_ms += 6 * 3_600_000
        assert tried < 50
    assert 3 * DAY_MS <= told.clock.ahead_ms - 6 * 3_600_000 < 4 * DAY_MS
    assert [kind for kind, _ in await told.stage.alarms()] == ["webhook-disabled"]
    waiting = await told.deliveries(endpoint)
    assert {each.state for each in waiting.values()} == {"waiting"}
    # Enabled again, it is told at once what still waits.
    came = len(receiver.received)
    receiver.answer = lambda _: 204
    await webhooks.enable(told.ledger, endpoint.webhook, by())
    told.clock.ahead_ms += 2 * DAY_MS
    await told.until_still(sender)
    assert len(receiver.received) == came + 2
    assert {each.state for each in (await told.deliveries(endpoint)).values()} == {"delivered"}


async def test_an_event_that_is_never_taken_is_given_up_and_the_others_are_not(told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver)
    receiver.answer = lambda came: 500 if b"poison" in came.body else 204
    await told.happen("poison")
    sender = told.sender()
    for number in range(60):
        await told.happen(f"good-{number}")
        await told.until_still(sender)
        told.clock.ahead_ms += 6 * 3_600_000
    found = await told.deliveries(endpoint)
    assert (found["poison"].state, found["poison"].attempts) == ("given_up", len(RETRY_SECONDS) + 1)
    assert {each.state for name, each in found.items() if name != "poison"} == {"delivered"}
    assert (await webhooks.find_webhook(told.ledger, endpoint.webhook)).disabled_at is None


async def test_a_dead_and_a_slow_endpoint_keep_up_nobody_else_nor_the_sale(
    stage: Backstage, receiver: Receiver, certificate: Path
) -> None:
    told = Told(stage, certificate, webhook_timeout_ms=30_000)
    await stage.open()
    async with Receiver(certificate) as slow:
        slow.delay_seconds = 60
        await told.endpoint(receiver, "/dead", url=f"https://{ADDRESS}:{free_port()}/nobody")
        await told.endpoint(slow, "/slow")
        await told.endpoint(receiver, "/well")
        on_sale = await stage.put_on()
        async with stage.running(stage.new_writer(), told.sender()):
            orders = [await stage.sell(on_sale, f"zaal-A-{number}") for number in range(1, 9)]
            found = await receiver.until(2 * len(orders), "/well")
            assert len(slow.received) >= 1, "the slow one was never asked"
            tried = "SELECT sum(attempts) FROM webhook_deliveries JOIN webhooks USING (webhook) WHERE url LIKE $1"
            assert await stage.value(tried, "%/slow") == 0, "it was waited for"
        assert {each.says["data"]["order"] for each in found} == set(orders)
    assert await stage.value("SELECT count(*) FROM orders WHERE state = 'recorded'") == len(orders)
    assert await stage.value("SELECT failures > 0 FROM webhooks WHERE url LIKE '%/nobody'")


async def test_an_endpoint_that_does_not_answer_is_not_waited_for(told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver)
    receiver.delay_seconds = 60
    await told.happen("a-sale")
    async with asyncio.timeout(20):
        await told.round(told.sender())
    found = (await told.deliveries(endpoint))["a-sale"]
    assert (found.state, found.status, found.error) == ("waiting", None, "no answer within 2 seconds")


async def test_an_answer_that_never_ends_costs_its_time_and_no_more(told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver)

    class Endless(web.StreamResponse):
        async def write_eof(self, _: bytes = b"") -> None:
            with contextlib.suppress(ConnectionError):
                for _part in range(2_000):
                    await self.write(b"x" * 65_536)

    receiver.answer = lambda _: Endless(status=200)
    await told.happen("a-sale")
    async with asyncio.timeout(10):
        await told.round(told.sender())
    assert (await told.deliveries(endpoint))["a-sale"].state == "delivered"


async def test_a_certificate_that_nobody_trusts_is_not_talked_to(told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver)
    await told.happen("a-sale")
    await told.round(told.sender(context=None))
    found = (await told.deliveries(endpoint))["a-sale"]
    assert receiver.received == []
    assert "certificate" in found.error


async def test_an_address_that_is_not_allowed_any_more_is_not_talked_to(told: Told, receiver: Receiver) -> None:
    """The name was looked up when it was registered; what it leads to when something is sent is what counts."""
    endpoint = await told.endpoint(receiver, url=receiver.url(host="localhost"))
    await told.happen("a-sale")
    await told.round(told.sender(gate=Gate(())))
    found = (await told.deliveries(endpoint))["a-sale"]
    assert receiver.received == []
    assert found.error.startswith("not sent: ")
    told.clock.ahead_ms = 60_000
    await told.round(told.sender())
    assert [each.is_right for each in receiver.received] == [True]


async def test_while_a_secret_is_rotated_both_count_and_then_the_new_one_alone(told: Told, receiver: Receiver) -> None:
    endpoint, signer = await told.endpoint(receiver), told.stage.cell.signer
    asked = by()
    for _ in range(2):  # a repeat rotates nothing
        rotated = await webhooks.rotate(told.ledger, endpoint.webhook, 3_600, asked)
        assert rotated.secrets == (2, 1)
    sender = told.sender()
    for number, is_right in ((1, True), (2, True), (3, False)):
        receiver.secrets["/hook"] = secret_of(signer, endpoint.webhook, number)
        await told.happen(f"sale-{number}")
        await told.until_still(sender)
        assert receiver.received[-1].is_right is is_right
    await told.stage.do("UPDATE webhooks SET previous_until = now() - interval '1 second'")
    for number, is_right in ((1, False), (2, True)):
        receiver.secrets["/hook"] = secret_of(signer, endpoint.webhook, number)
        await told.happen(f"later-{number}")
        await told.until_still(sender)
        assert receiver.received[-1].is_right is is_right
    at_once = await webhooks.rotate(told.ledger, endpoint.webhook, 0, by())
    assert at_once.secrets == (3,)


async def test_postgres_that_is_away_stops_nobody_and_what_was_due_comes_later(
    theatre: Theatre, told: Told, receiver: Receiver
) -> None:
    stage = told.stage
    await stage.open()
    await told.endpoint(receiver)
    on_sale = await stage.put_on()
    async with stage.running(stage.new_writer(), told.sender()):
        theatre.postgres.stop()
        order = await stage.sell(on_sale, "zaal-A-1")
        assert receiver.received == []
        theatre.postgres.start()
        await receiver.until(2, seconds=40)
    assert [each.says["data"]["order"] for each in receiver.received] == [order, order]


async def test_two_senders_at_once_send_each_event_once(told: Told, receiver: Receiver) -> None:
    await told.endpoint(receiver)
    names = [f"sale-{number}" for number in range(60)]
    await told.happen(*names)
    receiver.delay_seconds = 0.02
    async with told.stage.running(told.sender(), told.sender(), told.sender()):
        await receiver.until(len(names))
        await asyncio.sleep(0.7)
    assert sorted(each.says["data"]["on_sale"] for each in receiver.received) == sorted(names)


async def test_what_somebody_has_leased_comes_again_when_the_lease_ends(told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver)
    await told.happen("a-sale")
    now = told.clock()
    assert len(await lease(told.ledger, endpoint.webhook, now, now + 30_000, 8)) == 1
    await told.round(told.sender())
    assert receiver.received == []
    told.clock.ahead_ms = 31_000
    await told.round(told.sender())
    assert len(receiver.received) == 1


KILLED = """
import asyncio, os, signal, ssl, sys
from pathlib import Path
import msgspec
from engine.network import House
from engine.sender import Sender
from engine.signing import Signer

house = msgspec.json.decode(sys.argv[1], type=House, dec_hook=lambda _, text: Path(text))
def at(point):
    if point == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)
context = ssl.create_default_context(cafile=sys.argv[2])
sender = Sender(house, Signer(house.slug, house.secrets_path), context=context, at_point=at)
asyncio.run(sender.run(asyncio.Event()))
"""


@pytest.mark.parametrize(("point", "came"), [("leased", 0), ("sent", 1)])
async def test_a_sender_that_is_killed_loses_nothing(told: Told, receiver: Receiver, point: str, came: int) -> None:
    endpoint = await told.endpoint(receiver)
    await told.happen("a-sale")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, msgspec.json.encode(told.house, enc_hook=str).decode(), str(told.certificate)),
        point,
    )
    async with asyncio.timeout(30):
        assert await process.wait() == -signal.SIGKILL
    assert len(receiver.received) == came
    assert (await told.deliveries(endpoint))["a-sale"].state == "waiting"
    await told.round(told.sender())
    assert len(receiver.received) == came, "the lease of the dead still counts"
    told.clock.ahead_ms = 60_000
    await told.round(told.sender())
    assert [each.event for each in receiver.received] == ["on-sale-opened-a-sale"] * (came + 1)
    assert (await told.deliveries(endpoint))["a-sale"].state == "delivered"


async def test_a_house_never_hears_of_another(theatre: Theatre, certificate: Path, receiver: Receiver) -> None:
    async with theatre.house() as first, theatre.house() as second:
        one, two = Told(first, certificate), Told(second, certificate)
        await one.endpoint(receiver, "/one")
        await two.endpoint(receiver, "/two")
        for stage in (first, second):
            await stage.open()
        on_sale = await first.put_on()
        order = await first.sell(on_sale, "zaal-A-1")
        for stage in (first, second):
            await stage.drain()
        for each in (one, two):
            await each.until_still(each.sender())
        assert [each.says["data"]["order"] for each in receiver.received if each.path == "/one"] == [order, order]
        assert receiver.types("/two") == []


async def test_what_became_of_it_is_counted(told: Told, receiver: Receiver) -> None:
    endpoint, off = await told.endpoint(receiver), await told.endpoint(receiver, "/off")
    await told.happen("one", "two")
    await webhooks.disable(told.ledger, off.webhook, by())
    statuses = iter([200, 500, 410])
    receiver.answer = lambda _: next(statuses)
    sender = told.sender()
    await told.round(sender)
    await told.stage.do("UPDATE webhook_deliveries SET made_at = made_at - interval '1 hour'")
    counts = await count(told.ledger)
    assert counts.webhooks == {"delivered": 1, "failed": 1, "given_up": 0}
    assert counts.webhooks_waiting == 1, "what waits for an endpoint that is disabled waits for a person"
    assert 3_600 <= counts.oldest_webhook_s < 3_700
    told.clock.ahead_ms = 60_000
    await told.round(sender)
    counts = await count(told.ledger)
    assert counts.webhooks == {"delivered": 1, "failed": 1, "given_up": 1}
    assert (counts.webhooks_waiting, counts.oldest_webhook_s) == (0, 0)
    assert {each.state for each in (await told.deliveries(endpoint)).values()} == {"delivered", "given_up"}


async def test_what_is_told_can_be_sent_again_and_is_forgotten_in_the_end(told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver)
    await told.happen("a-sale")
    sender = told.sender()
    await told.until_still(sender)
    asked = by()
    for _ in range(3):
        await webhooks.resend(told.ledger, endpoint.webhook, "on-sale-opened-a-sale", asked)
        await told.until_still(sender)
    assert [each.event for each in receiver.received] == ["on-sale-opened-a-sale"] * 2
    with pytest.raises(Refused, match="no such event"):
        await webhooks.resend(told.ledger, endpoint.webhook, "on-sale-opened-none", by())
    assert await forget_webhooks(told.ledger, now_ms() - DAY_MS) == 0
    assert await forget_webhooks(told.ledger, now_ms() + 1_000, batch=1) == 1
    assert await told.deliveries(endpoint) == {}


async def test_what_is_asked_for_again_while_it_is_being_sent_is_sent_again(told: Told, receiver: Receiver) -> None:
    endpoint = await told.endpoint(receiver)
    await told.happen("a-sale")
    sender = told.sender()
    receiver.delay_seconds = 1.0
    under_way = asyncio.create_task(told.round(sender))
    await receiver.until(1)
    await webhooks.resend(told.ledger, endpoint.webhook, "on-sale-opened-a-sale", by())
    assert not under_way.done(), "the test is blind: the first one had ended"
    await under_way
    receiver.delay_seconds = 0.0
    await told.until_still(sender)
    assert [each.event for each in receiver.received] == ["on-sale-opened-a-sale"] * 2
    (delivery,) = (await told.deliveries(endpoint)).values()
    assert (delivery.state, delivery.attempts) == ("delivered", 1)


async def test_an_on_sale_that_opened_long_ago_is_not_told_to_who_comes_now(told: Told, receiver: Receiver) -> None:
    stage = told.stage
    await stage.open()
    on_sale = await stage.put_on()
    async with stage.running(stage.keeper):

        async def is_known() -> bool:
            return on_sale.on_sale in await known_openings(stage.ledger)

        await until(is_known, "the opening is noted")
    await told.endpoint(receiver)
    again = stage.new_keeper()
    async with stage.running(again):
        await asyncio.sleep(1.2)
    await again.cell.close()
    await told.until_still(told.sender())
    assert receiver.received == []


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (lambda told, receiver: told.endpoint(receiver, "/a", "order.lost"), "there is no type"),
        (lambda told, _: webhooks.rotate(told.ledger, "none", -1, by()), "overlap_seconds"),
        (lambda told, _: webhooks.deliveries(told.ledger, "none", 1, "lost"), "state is one of"),
    ],
)
async def test_what_cannot_be_right_is_said_in_words(
    told: Told, receiver: Receiver, what: "Callable[[Told, Receiver], Awaitable[Any]]", words: str
) -> None:
    with pytest.raises(BadInput) as refused:
        await what(told, receiver)
    assert words in str(refused.value) + " ".join(refused.value.problems)


async def test_a_house_has_so_many_endpoints_and_no_more(
    stage: Backstage, certificate: Path, receiver: Receiver
) -> None:
    told = Told(stage, certificate, webhooks=3)
    made = await asyncio.gather(*(told.endpoint(receiver, f"/{number}") for number in range(6)), return_exceptions=True)
    refused = [each for each in made if isinstance(each, Refused)]
    assert {each.slug for each in refused} == {"too-many-webhooks"}
    assert len(refused) == 3
