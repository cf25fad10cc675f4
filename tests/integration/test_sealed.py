"""Redis never holds a customer in the clear, and what it holds only the house's writer opens."""

import asyncio
import contextlib
import os
import shutil
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import tomli_w

from engine.cell import digest, pack
from engine.cli.serve import Address, api_command
from engine.entries import Customer, Payment, decode_order, encode_order
from engine.ports import free_port
from engine.sealing import PRIVATE_FILE
from tests.backstage import Backstage, Theatre, until
from tests.integration.test_writer import make_order, put
from tests.redis_contents import contents
from tests.town import Town

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


@asynccontextmanager
async def api_apart(town: Town, folder: Path) -> AsyncIterator[str]:
    """Another API server of the first house, on a machine that has neither the private key nor the owner's password."""
    document = tomllib.loads(town.network_file.read_text())
    (house,) = [each for each in document["houses"] if each["slug"] == "noord"]
    own = folder / "secrets"
    shutil.copytree(house["secrets_path"], own)
    (own / PRIVATE_FILE).unlink()
    del house["redis_owner_url"]
    network = folder / "network.toml"
    network.write_text(tomli_w.dumps(document | {"houses": [house | {"secrets_path": str(own)}]}))
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *api_command(Address("127.0.0.1", port, 1)),
        env=os.environ | {"PARVIS_NETWORK": str(network), "PARVIS_HOUSES": "noord"},
        start_new_session=True,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)
    assert not (own / PRIVATE_FILE).exists()


async def test_an_api_server_sells_without_the_key_that_opens(town: Town, tmp_path: Path) -> None:
    async with api_apart(town, tmp_path) as url:
        sale = await town.open_sale("noord")
        sale.base = f"{url}/v1/houses/noord"

        async def is_up() -> bool:
            with contextlib.suppress(aiohttp.ClientError):
                async with aiohttp.ClientSession() as session, session.get(f"{sale.base}") as answer:
                    return answer.status == 200
            return False

        await until(is_up, "the API answers")
        async with sale:
            token = await sale.enter()
            order = await sale.order(token, (await sale.hold(token, "zaal-A-1")).json["hold"])
            assert order.status == 202, order.json
            await sale.until_recorded(order.json)
            recorded = (await sale.get("/manage/orders?limit=1000", token=sale.manage_key)).json["orders"]
        (mine,) = [each for each in recorded if each["order"] == order.json["order"]]
        assert mine["email"] == town.canaries["noord"].email


async def test_what_redis_keeps_to_know_a_repeat_by_cannot_be_guessed_at(stage: Backstage) -> None:
    """Whoever has an address and reads Redis could else try whether it bought."""
    await stage.open()
    held = await stage.hold(await stage.put_on(), "zaal-A-1")
    customer = Customer(email=ADDRESS.decode(), name=NAME.decode())
    payment = Payment(provider="demo", reference="yes-1")
    parts = (pack([held.hold.hold]), pack(customer), pack(payment))
    await stage.confirm(held, payment="yes-1")
    found = contents(stage.redis)
    assert stage.cell.fingerprint(*parts).encode() in found, "the test does not know how it is made"
    assert digest(*parts).encode() not in found
