"""What everybody may read of a draw: its transcript, and the path of one entrant, over HTTP."""

import json

import pytest

from engine import verifier
from engine.draw import decode
from engine.tree import leaf, root_by
from engine.waiting_room import hash_secret
from tests.town import Town


async def test_a_visitor_can_see_that_they_were_in_the_draw(town: Town) -> None:
    async with await town.open_sale("noord", opens_at_ms=4_000_000_000_000) as sale:
        joined = [await sale.join() for _ in range(5)]
        for path in ("/draw", "/draw/paths/0"):
            answer = await sale.get(f"/on-sales/{sale.on_sale}{path}")
            assert (answer.status, answer.slug) == (404, "draw-not-made")
        opened = {"reason": "a test"}
        await sale.post(f"/manage/on-sales/{sale.on_sale}/open", opened, token=sale.manage_key)
        told = (await sale.until_status(phase="open"))["draw"]
        while "seed" not in told:
            told = (await sale.status())["draw"]
        transcript = None
        while transcript is None:
            answer = await sale.get(f"/on-sales/{sale.on_sale}/draw")
            assert answer.status == 200 or answer.slug in {"not-recorded-yet", "draw-not-made"}
            transcript = answer.json if answer.status == 200 else None
        data = json.dumps(transcript).encode()
        assert verifier.faults(verifier.read(data)) == []
        assert {name: transcript[name] for name in told} == told
        hashes = [hash_secret(secret) for _, secret in joined]
        assert sorted(transcript["secret_hashes"]) == sorted(hashes)
        for index, secret_hash in enumerate(transcript["secret_hashes"]):
            answer = await sale.get(f"/on-sales/{sale.on_sale}/draw/paths/{index}")
            assert answer.json["root"] == told["root"]
            beside = [decode(node) for node in answer.json["path"]]
            assert root_by(leaf(index, secret_hash), index, 5, beside) == decode(told["root"])
        assert (await sale.get(f"/on-sales/{sale.on_sale}/lines/public/draw")).json == transcript
        assert (await sale.get(f"/on-sales/{sale.on_sale}/lines/friends/draw")).slug == "unknown-line"
        for wrong in ("5", "-1", "x", "1.0", "%C2%B2", "9" * 40):
            answer = await sale.get(f"/on-sales/{sale.on_sale}/draw/paths/{wrong}")
            assert (answer.status, answer.slug) == (404, "not-found")


@pytest.mark.parametrize("path", ["/draw", "/draw/paths/0"])
async def test_another_sales_draw_is_not_told(town: Town, path: str) -> None:
    async with await town.open_sale("noord") as sale:
        assert (await sale.get(f"/on-sales/nonsense{path}")).slug == "unknown-on-sale"
