"""Whoever phones or comes to the counter joins the same line through staff; it is known who did that, and why."""

import asyncio
import uuid
from typing import Any

from tests.town import Town


async def test_staff_give_the_next_number_of_the_same_line(town: Town) -> None:
    async with await town.open_sale("noord", proof_of_work="always") as sale:
        path, why = f"/manage/on-sales/{sale.on_sale}/places", {"reason": "phones"}
        key = str(uuid.uuid4())
        first = await sale.post(path, why, token=sale.counter_key, key=key)
        assert (first.status, first.json["index"]) == (201, 0), first.json
        assert first.json["page"] == f"/h/noord/{sale.on_sale}"
        again = await sale.post(path, why, token=sale.counter_key, key=key)
        assert again.json == first.json, "pressed twice it is one place"
        other = await sale.post(path, {"reason": "at the counter"}, token=sale.counter_key)
        assert other.json["index"] == 1
        token = await sale.pass_for(first.json["place"], first.json["secret"])
        assert (await sale.hold(token, "zaal-A-1")).status == 201
        reader = await sale.key("orders:read")
        for stranger, slug in ((reader, "scope-missing"), (token, "key-required"), ("", "key-required")):
            assert (await sale.post(path, why, token=stranger)).slug == slug
        assert (await sale.post(path, {"reason": ""}, token=sale.counter_key)).slug == "bad-body"
        joined: list[Any] = []
        for _ in range(100):  # until the writer has it
            found = (await sale.get("/manage/actions?limit=50", token=sale.manage_key)).json["actions"]
            joined = [each for each in found if each["what"] == "join" and each["subject"] == sale.on_sale]
            if len(joined) >= 2:
                break
            await asyncio.sleep(0.1)
        assert [each["why"] for each in joined] == ["at the counter", "phones"]
        assert all("Counter" in each["who"] for each in joined)


async def test_a_line_that_is_not_open_is_not_for_staff_either(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        closed = await sale.post(f"/manage/on-sales/{sale.on_sale}/close", {"reason": "x"}, token=sale.manage_key)
        assert closed.status == 200
        refused = await sale.post(
            f"/manage/on-sales/{sale.on_sale}/places", {"reason": "phones"}, token=sale.counter_key
        )
        assert (refused.status, refused.slug) == (409, "sale-ended")
