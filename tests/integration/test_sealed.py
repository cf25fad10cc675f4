"""Redis never holds a customer in the clear, and what it holds only the house's writer opens."""

import msgspec

from engine.entries import Customer, decode_order, encode_order
from engine.sealing import PRIVATE_FILE
from tests.backstage import Backstage, Theatre
from tests.integration.test_writer import make_order, put
from tests.redis_contents import contents

ADDRESS, NAME = b"visitor@example.org", b"A Visitor"


async def test_redis_holds_nobodys_name_or_address(stage: Backstage) -> None:
    await stage.open()
    on_sale = await stage.put_on()
    order = await stage.sell(on_sale, "zaal-A-1")
    late = await stage.hold(on_sale, "zaal-B-1")
    assert await stage.confirm(late, payment="late-1", state="awaiting_payment")
    found = contents(stage.redis)
    assert order.encode() in found, "the dump is blind"
    assert ADDRESS not in found
    assert NAME not in found
    await stage.drain()
    told = await stage.rows("SELECT order_id::text, email, name FROM orders")
    assert told == [(order, ADDRESS.decode(), NAME.decode())]


async def test_the_ledgers_payload_names_no_customer(stage: Backstage) -> None:
    await stage.open()
    await stage.sell(await stage.put_on(), "zaal-A-1")
    put(stage, make_order("Z-1"))  # of a release that did not seal
    await stage.drain()
    payloads = [bytes(payload) for (payload,) in await stage.rows("SELECT payload FROM orders")]
    assert len(payloads) == 2
    assert [decode_order(payload).customer for payload in payloads] == [None, None]
    assert not any(ADDRESS in payload for payload in payloads)


async def test_a_seal_that_cannot_be_opened_is_buried_and_stands_in_nobodys_way(
    stage: Backstage, theatre: Theatre
) -> None:
    async with theatre.house() as other:
        stranger = make_order("A-1")
        assert isinstance(stranger.customer, Customer)
        sealed = other.cell.sealer.seal(stranger.customer, stranger.order)
    strange = msgspec.structs.replace(stranger, customer=sealed)
    before, after = make_order("B-1"), make_order("B-2")
    _, entry, _ = put(stage, before, strange, after)
    await stage.drain()
    assert {row[0] for row in await stage.rows("SELECT order_id::text FROM orders")} == {before.order, after.order}
    ((buried, fields, why),) = await stage.rows("SELECT entry, fields, why FROM dead_letters")
    assert (buried, why.partition(":")[0]) == (entry, "Unopenable")
    assert bytes.fromhex(msgspec.json.decode(fields)["data"]) == encode_order(strange)
    assert [(kind, detail["entry"]) for kind, detail in await stage.alarms()] == [("dead-letter", entry)]


async def test_selling_goes_on_where_the_private_key_cannot_be_read(stage: Backstage) -> None:
    """The API's side with the key file taken away altogether, even from root; the writer has it in memory."""
    await stage.open()
    (stage.house.secrets_path / PRIVATE_FILE).unlink()
    order = await stage.sell(await stage.put_on(), "zaal-A-1")
    await stage.drain()
    assert await stage.rows("SELECT order_id::text, email FROM orders") == [(order, ADDRESS.decode())]
