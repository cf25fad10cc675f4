"""Exchanging what is held, over HTTP: in one step, or the old hold is kept as it was."""

import asyncio

from tests.town import Town


async def test_a_hold_is_exchanged_and_the_new_one_is_what_is_bought(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1", "zaal-A-2")).json
        swapped = await sale.swap(token, held["hold"], "zaal-A-1", "zaal-C-1")
        assert (swapped.status, swapped.json["expires_at"]) == (201, held["expires_at"])
        assert [item["seat"] for item in swapped.json["items"]] == ["zaal-A-1", "zaal-C-1"]
        refused = await sale.order(token, held["hold"])
        assert (refused.status, refused.slug) == (410, "hold-ended")
        ordered = await sale.order(token, swapped.json["hold"], headers={"Prefer": "wait=5"})
        read = await sale.get(f"/orders/{ordered.json['order']}", token=ordered.json["order_secret"])
        assert (read.json["state"], read.json["items"]) == ("recorded", swapped.json["items"])
        await sale.until_seats("s", "zaal-A-1", "zaal-C-1")
        await sale.until_seats("o", "zaal-A-2")


async def test_what_is_lost_leaves_the_hold_and_its_price_as_they_were(town: Town) -> None:
    async with await town.open_sale("noord", seats_a_place=3, seats_a_hold=3, lone_seats="where-avoidable") as sale:
        token, other = await sale.enter(), await sale.enter()
        held = (await sale.hold(token, "zaal-A-1", "zaal-A-2")).json
        await sale.hold(other, "zaal-C-5")
        path = f"/holds/{held['hold']}/swap"
        for seats, status, slug in (
            (["zaal-C-5"], 409, "seats-taken"),
            (["zaal-A-2", "zaal-A-3", "zaal-A-4", "zaal-A-5"], 422, "too-many-seats"),
            (["zaal-A-2", "zaal-A-2"], 422, "bad-input"),
            (["zaal-Z-1"], 422, "unknown-seat"),
            (["zaal-A-2", "zaal-A-4"], 409, "seat-left-alone"),
        ):
            refused = await sale.swap(token, held["hold"], *seats)
            assert (refused.status, refused.slug) == (status, slug), seats
        area = [{"performance": sale.performance, "best": {"quantity": 3, "category": "nonsense"}}]
        assert (await sale.post(path, {"items": area}, token=token)).slug == "unknown-category"
        assert (await sale.swap(other, held["hold"], "zaal-B-1")).slug == "unknown-hold"
        ordered = await sale.order(token, held["hold"], headers={"Prefer": "wait=5"})
        assert ordered.json["state"] == "recorded"
        await sale.until_seats("s", "zaal-A-1", "zaal-A-2")


async def test_the_best_may_be_made_of_what_one_has(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        held = (await sale.best(token, 2)).json
        best = [{"performance": sale.performance, "best": {"quantity": 3}}]
        swapped = await sale.post(f"/holds/{held['hold']}/swap", {"items": best}, token=token)
        assert swapped.status == 201
        assert {item["seat"] for item in held["items"]} <= {item["seat"] for item in swapped.json["items"]}
        assert swapped.json["choices"][0]["together"] == "together"


async def test_what_is_being_paid_cannot_be_exchanged(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1")).json
        assert (await sale.order(token, held["hold"], payment="late-of-a-swap")).json["state"] == "awaiting_payment"
        refused = await sale.swap(token, held["hold"], "zaal-A-2")
        assert (refused.status, refused.slug) == (409, "payment-under-way")


async def test_two_who_swap_for_one_seat_end_with_it_and_with_what_they_had(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        tokens = [await sale.enter() for _ in range(4)]
        seats = [f"zaal-B-{number}" for number in range(1, 5)]
        holds = [(await sale.hold(token, seat)).json["hold"] for token, seat in zip(tokens, seats, strict=True)]
        answers = await asyncio.gather(
            *(sale.swap(token, hold, "zaal-A-4", "zaal-A-5") for token, hold in zip(tokens, holds, strict=True))
        )
        won = [answer.status == 201 for answer in answers]
        assert sum(won) == 1
        assert {answer.slug for answer in answers if answer.status != 201} == {"seats-taken"}
        for token, hold, has_won in zip(tokens, holds, won, strict=True):
            if not has_won:
                assert (await sale.order(token, hold)).status == 202
        new = next(answer.json["hold"] for answer in answers if answer.status == 201)
        assert (await sale.order(tokens[won.index(True)], new)).status == 202
        await sale.until_seats("s", "zaal-A-4", "zaal-A-5")


async def test_whoever_lets_go_of_two_holds_waits_for_a_moment_and_so_does_whoever_swaps_them(town: Town) -> None:
    async with await town.open_sale("noord", unpaid_holds=2, cool_down_seconds=30) as sale:
        token = await sale.enter()
        for seat in ("zaal-A-1", "zaal-A-2"):
            held = (await sale.hold(token, seat)).json
            assert (await sale.ask("DELETE", f"/holds/{held['hold']}", token=token)).status == 204
        refused = await sale.hold(token, "zaal-B-1")
        assert (refused.status, refused.slug) == (409, "cool-down")
        assert 1 <= int(refused.headers["Retry-After"]) <= 30
        assert (await sale.hold(await sale.enter(), "zaal-B-1")).status == 201  # it is nobody else's wait
        other = await sale.enter()
        hold = (await sale.hold(other, "zaal-C-1")).json["hold"]
        for seat in ("zaal-C-2", "zaal-C-3"):
            hold = (await sale.swap(other, hold, seat)).json["hold"]
        refused = await sale.swap(other, hold, "zaal-C-4")
        assert (refused.status, refused.slug) == (409, "cool-down")
        assert 1 <= int(refused.headers["Retry-After"]) <= 30
        assert (await sale.order(other, hold)).status == 202


async def test_whoever_let_go_holds_again_after_the_cool_down(town: Town) -> None:
    async with await town.open_sale("noord", unpaid_holds=1, cool_down_seconds=1) as sale:
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1")).json
        await sale.ask("DELETE", f"/holds/{held['hold']}", token=token)
        for _ in range(100):
            answer = await sale.hold(token, "zaal-A-2")
            if answer.status == 201:
                break
            assert answer.slug == "cool-down"
            await asyncio.sleep(0.05)
        assert answer.status == 201
