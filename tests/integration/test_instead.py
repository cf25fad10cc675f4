"""A refusal says what there is instead: of the same quality, elsewhere; and one's own limit is no sold-out hall."""

import pytest

from tests.town import Town, small_plan

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_whoever_comes_late_is_offered_seats_of_the_same_quality_the_nearest_first(town: Town) -> None:
    async with await town.open_sale("noord", seats_a_hold=4, seats_a_place=8) as sale:
        token, other = await sale.enter(), await sale.enter()
        # In row C, far from the hall's best: what is offered is of its category, and near, not the best of the hall.
        assert (await sale.hold(other, "zaal-C-1", "zaal-C-2")).status == 201
        refused = await sale.hold(token, "zaal-C-2", "zaal-C-3")
        assert (refused.status, refused.slug) == (409, "seats-taken")
        assert refused.json["taken"] == ["zaal-C-2"]
        nearest, *others = refused.json["alternatives"]
        assert nearest == ["zaal-C-3", "zaal-C-4"]
        assert any(seat.startswith("zaal-A-") for seat in others[-1])
        assert len(others) == len({tuple(each) for each in others}) <= 2
        for seats in (nearest, *others):
            await sale.hold(await sale.enter(), *seats)


async def test_a_party_that_no_row_seats_is_offered_seats_apart(town: Town) -> None:
    async with await town.open_sale("noord", plan=small_plan(rows=2, seats=4, standing=0), lone_seats="off") as sale:
        token, other = await sale.enter(), await sale.enter()
        assert (await sale.hold(other, "zaal-A-2", "zaal-B-3")).status == 201
        refused = await sale.hold(token, "zaal-A-2", "zaal-A-3", "zaal-A-4")
        assert refused.slug == "seats-taken"
        (apart,) = refused.json["alternatives"]
        assert len(apart) == 3
        assert (await sale.hold(token, *apart)).status == 201


async def test_sold_out_says_where_as_many_are_left(town: Town) -> None:
    plan = small_plan(rows=3, seats=4, standing=5)
    async with await town.open_sale("noord", plan=plan, shows=2, seats_a_hold=4, seats_a_place=4) as sale:
        one, two = sale.performances
        for row in "AB":
            held = await sale.hold(await sale.enter(), *(f"zaal-{row}-{seat}" for seat in range(1, 5)))
            assert held.status == 201
        token = await sale.enter()
        wish = {"performance": one, "best": {"quantity": 3, "category": "Rang 1"}}
        refused = await sale.post("/holds", {"items": [wish]}, token=token)
        assert (refused.slug, refused.json["largest_party"]) == ("sold-out", 0)
        left = [(each["performance"], each["category"], each.get("area")) for each in refused.json["elsewhere"]]
        here, there = [each[1:] for each in left if each[0] == one], [each[1:] for each in left if each[0] == two]
        assert here == [("Rang 2", None), ("Rang 2", "vloer")]
        assert there == [("Rang 1", None), ("Rang 2", None), ("Rang 2", "vloer")]
        for each in refused.json["elsewhere"]:
            if seats := each.get("seats"):
                assert len(seats) == 3
                assert (await sale.hold(await sale.enter(), *seats, performance=each["performance"])).status == 201


async def test_ones_own_limit_is_never_shown_as_sold_out(town: Town) -> None:
    async with await town.open_sale(
        "noord", plan=small_plan(rows=1, seats=4, standing=0), seats_a_hold=2, seats_a_place=2
    ) as sale:
        token = await sale.enter()
        wish = {"performance": sale.performance, "best": {"quantity": 2}}
        for _ in range(2):  # with half the hall left, and with nothing left
            assert (await sale.post("/holds", {"items": [wish]}, token=token)).status in {201, 422}
            refused = await sale.post("/holds", {"items": [wish]}, token=token)
            assert (refused.status, refused.slug) == (422, "too-many-seats")
            assert (refused.json["limit"], refused.json["yours"]) == (2, 2)
            await sale.hold(await sale.enter(), "zaal-A-1", "zaal-A-4")
            await sale.post("/holds", {"items": [wish]}, token=await sale.enter())


async def test_whoever_wished_for_some_rows_is_told_of_the_same_category_elsewhere(town: Town) -> None:
    plan = small_plan(rows=3, seats=4, standing=0)
    plan["parvis"]["without_stairs"] = {"zones": [], "rows": [["Zaal", "B"], ["Zaal", "C"]]}
    async with await town.open_sale("noord", plan=plan) as sale:
        assert (await sale.hold(await sale.enter(), "zaal-B-2", "zaal-B-3")).status == 201
        token, rows = await sale.enter(), {"rows": ["B", "B"]}

        async def left(**wish: object) -> list[list[str]]:
            best = {"quantity": 2, "category": "Rang 1", **wish}
            refused = await sale.post(
                "/holds", {"items": [{"performance": sale.performance, "best": best}]}, token=token
            )
            assert (refused.status, refused.slug) == (409, "sold-out")
            return [each["seats"] for each in refused.json["elsewhere"]]

        assert await left(**rows) == [["zaal-A-1", "zaal-A-2"], ["zaal-C-1", "zaal-C-2"]]
        # Whoever can climb no stairs is told of nothing that takes them there.
        assert await left(**rows, no_stairs=True) == [["zaal-C-1", "zaal-C-2"]]
