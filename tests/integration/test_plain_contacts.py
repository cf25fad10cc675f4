"""Where each address has one place, without JavaScript: by forms, after a moment, and into the queue that was meant."""

import asyncio

from api.forms.kept import unpack_kept
from engine.catalogue import Line
from engine.cli.sales import at_house
from engine.instants import now_ms
from engine.on_sale import standing
from engine.signing import Place
from engine.words import LineName, OnSaleId
from tests.integration.test_contacts import fresh, opened, taken
from tests.integration.test_lines import invited
from tests.plain import PlainVisitor, room
from tests.receiver import Receiver
from tests.town import Town


async def test_without_javascript_a_code_is_typed_into_a_form(town: Town) -> None:
    async with Receiver(town.certificate) as receiver, await opened(town, receiver) as sale:
        mine = fresh()
        for device in range(2):
            async with PlainVisitor(town.url) as visitor:
                page = await visitor.send(await visitor.open(room(sale)), "Join the queue")
                assert "One number per e-mail address" in page.text
                page = await visitor.send(page, "Send me a code", contact="nobody")
                assert "Enter an e-mail address, such as" in page.text
                page = await visitor.send(page, "Send me a code", contact=mine)
                assert f"on its way to {mine}" in page.text
                assert mine not in page.url
                code = (await taken(receiver, device + 1))[-1]["code"]
                page = await visitor.send(page, "Join the queue", code="00000000")
                assert "This code is not right" in page.text
                page = await visitor.send(page, "Join the queue", code=code)
                assert (await visitor.until(page, "Choose my seats")).status == 200
        assert (await sale.status())["lines"]["public"]["joined"] == 1


async def test_without_javascript_nobody_is_sent_a_code_before_a_moment_was_waited(town: Town) -> None:
    async with Receiver(town.certificate) as receiver, await opened(town, receiver, proof_of_work="always") as sale:
        mine = fresh()
        async with PlainVisitor(town.url) as visitor, PlainVisitor(town.url) as other:
            form = await visitor.send(await visitor.open(room(sale)), "Join the queue")
            assert "One moment" in form.text
            # Neither with a wait that is not over, nor without one.
            for who in (visitor, other):
                await who.open(room(sale))
                page = await who.send(await who.open(f"{room(sale)}/contact"), "Send me a code", contact=mine)
                assert "One moment" in page.text
            assert receiver.received == []
            page = form
            for _ in range(60):
                if "One moment" not in page.text:
                    break
                await asyncio.sleep(int(page.headers["Refresh"]))
                page = await visitor.open(page.url)
            page = await visitor.send(page, "Send me a code", contact=mine)
            code = (await taken(receiver, 1))[-1]["code"]
            page = await visitor.send(page, "Join the queue", code=code)
            assert "One moment" not in page.text, "nobody waits twice"
            await visitor.until(page, "Choose my seats")
        assert (await sale.status())["lines"]["public"]["joined"] == 1


async def test_without_javascript_a_code_for_a_queue_is_typed_once_and_leads_there(town: Town) -> None:
    line = Line(LineName("press"), "Press", "invitation", 20, now_ms() - 60_000)
    async with (
        Receiver(town.certificate) as receiver,
        await opened(town, receiver, lines=(line,), proof_of_work="always") as sale,
        PlainVisitor(town.url) as visitor,
    ):
        (invitation,) = await invited(town, sale, 1)
        page = await visitor.send(await visitor.open(room(sale)), "Join with this code", line="press", code=invitation)
        for _ in range(60):
            if "One moment" not in page.text:
                break
            await asyncio.sleep(int(page.headers["Refresh"]))
            page = await visitor.open(page.url)
        page = await visitor.send(page, "Send me a code", contact=fresh())
        assert invitation not in page.url + page.body, "it stands in no address and on no page"
        page = await visitor.send(page, "Join the queue", code=(await taken(receiver, 1))[-1]["code"])
        assert "Your queue: Press." in page.text
        told = (await sale.status())["lines"]
        assert (told["press"]["joined"], told["public"]["joined"]) == (1, 0)
        kept = unpack_kept(visitor.cookie(sale))
        assert kept is not None
        assert (kept.line, kept.code) == ("", "")


async def test_without_javascript_whoever_missed_their_turn_shows_their_address_again_and_has_a_new_number(
    town: Town,
) -> None:
    async with (
        Receiver(town.certificate) as receiver,
        await opened(town, receiver, turn_seconds=1) as sale,
        PlainVisitor(town.url) as visitor,
        at_house(town.network_file, sale.slug) as (cell, _),
    ):
        mine, indices = fresh(), []
        page = await visitor.send(await visitor.open(room(sale)), "Join the queue")
        for turn in (1, 2):
            page = await visitor.send(page, "Send me a code", contact=mine)
            await visitor.send(page, "Join the queue", code=(await taken(receiver, turn))[-1]["code"])
            kept = unpack_kept(visitor.cookie(sale))
            assert kept is not None
            indices.append(cell.signer.read(Place, kept.place).index)
            if turn == 1:
                for _ in range(300):  # until the turn has passed
                    if int((await standing(cell, OnSaleId(sale.on_sale)))["gone"]):
                        break
                    await asyncio.sleep(0.2)
                page = await visitor.until(await visitor.open(room(sale)), "Choose my seats")
                page = await visitor.send(page, "Choose my seats")
                page = await visitor.send(page, "Take a new number")
        assert indices == [0, 1]
