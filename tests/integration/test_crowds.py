"""The seats that are open, as a keeper counts them, and what that does to the line."""

from engine.catalogue import OnSale
from engine.crowds import EVERY_MS, Crowds
from engine.instants import now_ms
from tests.backstage import Backstage
from tests.town import small_plan


async def put_on(stage: Backstage, **changed: int) -> OnSale:
    """Ten seats of one row, and four who have passes; the keeper knows the sale as well."""
    await stage.open()
    on_sale = await stage.put_on(plan=small_plan(rows=1, seats=10, standing=0), **changed)
    await stage.keeper.cell.look()
    for index in range(900, 904):
        stage.redis.zadd(stage.keys.live(on_sale.on_sale), {str(index): now_ms() + 600_000})
    return on_sale


async def why(stage: Backstage, on_sale: OnSale) -> str:
    return (await stage.status(on_sale)).why


def counted(stage: Backstage, on_sale: OnSale) -> int:
    return int(str(stage.redis.execute_command("HGET", stage.keys.sale(on_sale.on_sale), "crowd") or b"-1", "ascii"))


async def test_what_is_open_and_what_is_held_is_counted_and_a_line_with_more_inside_says_so(stage: Backstage) -> None:
    on_sale = await put_on(stage, visitors_a_seat=1)
    crowds, at_ms = Crowds(stage.keeper.cell), 0
    await crowds.tell(on_sale, "open", at_ms)
    assert counted(stage, on_sale) == 10
    assert await why(stage, on_sale) == ""
    for seat in range(1, 9):
        await stage.confirm(await stage.hold(on_sale, f"zaal-A-{seat}"))
    await stage.hold(on_sale, "zaal-A-9")
    await crowds.tell(on_sale, "open", at_ms + EVERY_MS - 1)
    assert counted(stage, on_sale) == 10, "it is counted now and then"
    await crowds.tell(on_sale, "open", at_ms + EVERY_MS)
    assert counted(stage, on_sale) == 2
    assert await why(stage, on_sale) == "few-seats"


async def test_where_seats_slow_nobody_nothing_is_counted(stage: Backstage) -> None:
    on_sale = await put_on(stage, visitors_a_seat=0)
    await Crowds(stage.keeper.cell).tell(on_sale, "open", 0)
    assert counted(stage, on_sale) == -1
