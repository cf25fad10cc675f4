"""What the status and the plain page say while the last seats go, of a sale that really sells."""

from tests.plain import PlainVisitor, room
from tests.town import Sale, Town, small_plan


async def joins(visitor: PlainVisitor, sale: Sale) -> None:
    await visitor.send(await visitor.open(room(sale)), "Join the queue")


async def test_while_the_last_seats_go_everybody_is_told_to_ask_often_and_what_may_come_back(town: Town) -> None:
    async with await town.open_sale("noord", plan=small_plan(rows=1, seats=4, standing=0)) as sale:
        buyers = [await sale.enter() for _ in range(2)]
        rate = {"rate_per_minute": 1, "reason": "a test"}
        await sale.post(f"/manage/on-sales/{sale.on_sale}/rate", rate, token=sale.manage_key)
        for _ in range(20):
            await sale.join()
        held = [
            (await sale.hold(buyer, *seats)).json["hold"]
            for buyer, seats in zip(buyers, [("zaal-A-1", "zaal-A-2"), ("zaal-A-3", "zaal-A-4")], strict=True)
        ]
        status = await sale.status()
        assert (sum(status["seats_open"].values()), status["seats_held"]) == (0, 4)
        assert status["poll"][-1]["after_ms"] <= 1400
        assert status["chance"]["inside"] == 2
        assert status["chance"]["admitted"] == 2
        async with PlainVisitor(town.url) as visitor:
            await joins(visitor, sale)
            shown = await visitor.opens_until(room(sale), "No seat is free just now. 4 are reserved by people")
            assert "Seats for you: very unlikely." in shown.text
            assert int(shown.headers["Refresh"]) <= 2
            await sale.order(buyers[0], held[0])
            status = await sale.status()
            assert (status["seats_held"], status["chance"]["orders"], status["chance"]["inside"]) == (2, 1, 1)
            assert status["chance"]["seats_a_visitor"] == 2
            await sale.order(buyers[1], held[1])
            await sale.until_status(phase="sold_out")
            await visitor.opens_until(room(sale), "Sold out")


async def test_a_sale_with_seats_for_all_is_asked_as_its_distance_says_and_the_chance_is_good(town: Town) -> None:
    plan = small_plan(rows=20, seats=20, standing=0)
    async with await town.open_sale("noord", plan=plan, rate_per_minute=1) as sale:
        for _ in range(3):
            await sale.join()
        status = await sale.status()
        assert [step["after_ms"] for step in status["poll"]] == [1000, 2000, 4000, 8000, 20_000]
        async with PlainVisitor(town.url) as visitor:
            await joins(visitor, sale)
            shown = await visitor.opens_until(room(sale), "Seats for you: likely.")
            assert "reserved by people" not in shown.text
