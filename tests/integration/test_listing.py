"""Being listed is a house's own choice: of one that does not choose it, no page of all houses tells."""

import tomllib

import tomli_w

from tests.operated import frozen
from tests.town import Town

EVERYBODYS = ("/v1/on-sales", "/plain", "/plain/houses.css", "/")
SECRET = {"name": "Het Stille Huis", "colours": {"primary": "#7a1f3d", "accent": "#8a4b08"}, "listed": False}


async def test_a_house_that_is_not_listed_is_found_by_nobody_who_does_not_know_it() -> None:
    town = Town(["open", "verborgen"])
    described = tomllib.loads(town.source.read_text())
    described["houses"][1] |= SECRET
    town.source.write_text(tomli_w.dumps(described))
    town.start()
    try:
        await town.until_ready()
        async with await town.open_sale("open") as listed, await town.open_sale("verborgen") as secret:
            for path in EVERYBODYS:
                told = (await listed.get(town.url + path)).body.decode()
                for word in ("verborgen", "Stille", "#7a1f3d", "#8a4b08", secret.on_sale):
                    assert word not in told, f"{path} tells of {word}"
            found = (await listed.get(f"{town.url}/v1/on-sales")).json
            assert [each["house"] for each in found["houses"]] == ["open"]
            assert [each["on_sale"] for each in found["on_sales"]] == [listed.on_sale]
            # Whoever has its address is at home there.
            assert (await secret.get("")).json["name"] == "Het Stille Huis"
            assert secret.on_sale in (await secret.get(f"{town.url}/h/verborgen/plain")).body.decode()
            # One that cannot answer is not even said to be missing.
            with frozen(town, "verborgen"):
                assert (await listed.get(f"{town.url}/v1/on-sales")).json["unavailable"] == []
            await town.until_ready()
    finally:
        town.stop()
